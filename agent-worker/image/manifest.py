#!/usr/bin/env python3
"""Writes manifest.json of the image in a folder.

    manifest.py IMAGE_DIR BASE_DIR RUNNER_JSON
"""
import datetime
import hashlib
import json
import os
import sys


def describe(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"sha256": digest.hexdigest(), "bytes": os.path.getsize(path)}


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def main():
    image, base, runner = sys.argv[1:]
    manifest = {
        "formatVersion": 1,
        "name": "debian-12",
        "arch": "x86_64",
        "builtAt": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "files": {name: describe(os.path.join(image, name)) for name in ("vmlinuz", "initrd.cpio", "rootfs.ext4", "scratch.ext4")},
        "kernelVersion": text(base, "kernel-version").strip(),
        "packages": text(base, "packages.txt").split(),
        "runner": json.loads(text(runner)),
    }
    with open(os.path.join(image, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")


main()
