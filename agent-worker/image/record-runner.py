#!/usr/bin/env python3
"""Asks a runner what it is and can do: starts it against a recorder and keeps the `info` that it sends with its first request
for a job. Prints the manifest's `runner` object.

    record-runner.py RUNNER
"""
import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading

PATIENCE_SECONDS = 30
EXECUTORS = {"shell": ["--shell", "bash"], "docker": ["--docker-image", "busybox"]}


class Recorder(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.rstrip("/").endswith("/jobs/request"):
            self.server.seen.put(json.loads(body)["info"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def record(runner, executor, options):
    """The info, or the runner's own words on why there is none."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.seen = queue.Queue()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as output:
        command = [runner, "run-single", "--url", f"http://127.0.0.1:{server.server_port}", "--executor", executor, "--name", "recorder",
                   "--builds-dir", home, "--cache-dir", home, "--max-builds", "1", "--wait-timeout", "60", *options]
        environment = {"PATH": os.environ["PATH"], "HOME": home, "CI_SERVER_TOKEN": "recorder"}
        process = subprocess.Popen(command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            for _ in range(PATIENCE_SECONDS * 10):
                try:
                    return server.seen.get(timeout=0.1), None
                except queue.Empty:
                    if process.poll() is not None:
                        break
            output.seek(0)
            return None, output.read().decode(errors="replace").strip()
        finally:
            process.kill()
            process.wait()
            server.shutdown()


def main():
    runner = os.path.abspath(sys.argv[1])
    result = {"featuresByExecutor": {}}
    for executor, options in EXECUTORS.items():
        info, problem = record(runner, executor, options)
        if info is None:
            if executor == "shell":
                raise SystemExit(f"record-runner: {runner} asked for no job as a {executor} runner within {PATIENCE_SECONDS} s:\n{problem}")
            print(f"record-runner: no {executor} executor: {(problem or 'it stayed silent').splitlines()[-1]}", file=sys.stderr)
            continue
        for field in ("name", "version", "revision", "platform", "architecture"):
            result[field] = info.get(field, "")
        result["featuresByExecutor"][executor] = {name: value for name, value in info.get("features", {}).items()}
    json.dump(result, sys.stdout, indent=1)
    print()


main()
