#!/usr/bin/env python3
"""Builds the container images that the demonstration and the system tests use, from Debian packages, and a registry that holds them:
public registries can't be reached from everywhere.

    build.py OUT

OUT gets `docker-registry` (the program of Debian's package) and `storage` (its data, with the images below `test/`).
"""
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

PACKAGES = ["busybox-static", "docker-registry"]
USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n"
# Says what its environment says, on port 8080, after it took its time to start.
SERVICE = """sleep "${DELAY:-0}"; mkdir -p /www; echo "hello from ${GREETING:-a service}" > /www/index.html; exec httpd -f -p 8080 -h /www"""
# Never listens, though it says that it would.
SILENT = "echo 'the service gives up'; exit 3"


def unpack(folder):
    """Each package in a folder of its own."""
    subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *PACKAGES], cwd=folder, check=True)
    for package in PACKAGES:
        file = next(name for name in os.listdir(folder) if name.startswith(package + "_"))
        subprocess.run(["dpkg-deb", "-x", file, package], cwd=folder, check=True)


def layer(busybox):
    """A root file system that is one program under all its names."""
    with open(busybox, "rb") as file:
        program = file.read()
    names = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        def add(name, kind=tarfile.REGTYPE, mode=0o755, content=b"", target=""):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(content), target
            tar.addfile(entry, io.BytesIO(content))
        for folder in ("bin", "etc", "root", "usr", "usr/bin"):
            add(folder, tarfile.DIRTYPE)
        add("tmp", tarfile.DIRTYPE, 0o1777)
        add("etc/passwd", mode=0o644, content=USERS.encode())
        add("etc/group", mode=0o644, content=b"root:x:0:\nnogroup:x:65534:\n")
        add("bin/busybox", content=program)
        for name in names:
            if name != "busybox":
                add("bin/" + name, tarfile.SYMTYPE, target="busybox")
    return out.getvalue()


class Storage:
    """The registry's data, as it keeps them itself."""

    def __init__(self, folder):
        self.root = os.path.join(folder, "docker", "registry", "v2")

    def write(self, content, *path):
        path = os.path.join(self.root, *path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def blob(self, content):
        digest = hashlib.sha256(content).hexdigest()
        self.write(content, "blobs", "sha256", digest[:2], digest, "data")
        return digest

    def image(self, name, tag, layer_tar, config):
        packed = gzip.compress(layer_tar, mtime=0)
        about = {
            "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z", "config": config,
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer_tar).hexdigest()]},
            "history": [{"created": "1970-01-01T00:00:00Z"}],
        }
        about = json.dumps(about).encode()
        layer_digest, config_digest = self.blob(packed), self.blob(about)
        kind = "application/vnd.docker."
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind + "distribution.manifest.v2+json",
            "config": {"mediaType": kind + "container.image.v1+json", "size": len(about), "digest": "sha256:" + config_digest},
            "layers": [{"mediaType": kind + "image.rootfs.diff.tar.gzip", "size": len(packed), "digest": "sha256:" + layer_digest}],
        }).encode()
        digest = self.blob(manifest)
        link = b"sha256:" + digest.encode()
        repository = ("repositories", *name.split("/"))
        for blob in (layer_digest, config_digest):
            self.write(b"sha256:" + blob.encode(), *repository, "_layers", "sha256", blob, "link")
        self.write(link, *repository, "_manifests", "revisions", "sha256", digest, "link")
        self.write(link, *repository, "_manifests", "tags", tag, "current", "link")
        self.write(link, *repository, "_manifests", "tags", tag, "index", "sha256", digest, "link")


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        unpack(work)
        shutil.copy(os.path.join(work, "docker-registry/usr/bin/docker-registry"), out)
        root = layer(os.path.join(work, "busybox-static/bin/busybox"))
    storage = Storage(os.path.join(out, "storage"))
    path = ["PATH=/usr/bin:/bin"]
    storage.image("test/busybox", "1", root, {"Env": path, "Cmd": ["sh"]})
    storage.image("test/hello", "1", root, {"Env": path, "Entrypoint": ["sh", "-c", SERVICE], "ExposedPorts": {"8080/tcp": {}}})
    storage.image("test/silent", "1", root, {"Env": path, "Cmd": ["sh", "-c", SILENT], "ExposedPorts": {"8080/tcp": {}}})


main()
