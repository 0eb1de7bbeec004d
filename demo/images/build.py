#!/usr/bin/env python3
"""Builds the container images that the demonstration and the system tests use, from Debian packages, and a registry that holds them:
public registries can't be reached from everywhere.

    build.py OUT [GITLAB_RUNNER]

OUT gets `docker-registry` (the program of Debian's package), `storage` (its data, with the images below `test/`) and `preload`
(an archive of an image as a host's operator would put it there, under a name of docker.io). With an official gitlab-runner also the image
in which that one clones and moves artifacts (`test/gitlab-runner-helper`): the runner itself has the commands, git and bash are added.
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

BUSYBOX, REGISTRY = "busybox-static", "docker-registry"
# An engine for docker in docker: what it runs and the libraries of that, without what only a person would use.
ENGINE = [
    "docker.io", "containerd", "runc", "iptables", "libc6", "libgcc-s1", "libdevmapper1.02.1", "libsystemd0", "libudev1", "libseccomp2", "libselinux1",
    "libcap2", "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5", "libzstd1", "libpcre2-8-0", "libip4tc2", "libip6tc2", "libxtables12", "libnftnl11",
    "libmnl0", "libnetfilter-conntrack3", "libnfnetlink0", "libedit2", "libbsd0", "libmd0", "libtinfo6",
]
# Git over HTTPS, and bash.
HELPER = [
    "git", "bash", "libc6", "libtinfo6", "zlib1g", "libpcre2-8-0", "libcurl3-gnutls", "libbrotli1", "libcom-err2", "libffi8", "libgmp10", "libgnutls30",
    "libgssapi-krb5-2", "libhogweed6", "libidn2-0", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap-2.5-0", "libnettle8",
    "libnghttp2-14", "libp11-kit0", "libpsl5", "librtmp1", "libsasl2-2", "libssh2-1", "libssl3", "libtasn1-6", "libunistring2", "libzstd1", "libgcc-s1",
]
LEFT_OUT = ("usr/share/", "usr/bin/ctr", "usr/bin/containerd-stress", "usr/bin/docker-proxy.", "usr/lib/udev", "etc/init.d", "lib/systemd", "lib/udev")
USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n"
# Says what its environment says, on port 8080, after it took its time to start.
SERVICE = """sleep "${DELAY:-0}"; mkdir -p /www; echo "hello from ${GREETING:-a service}" > /www/index.html; exec httpd -f -p 8080 -h /www"""
# Never listens, though it says that it would.
SILENT = "echo 'the service gives up'; exit 3"
# Its own cgroup may hold no process if it is to have others below it.
START_ENGINE = """mkdir -p /sys/fs/cgroup/init /run /var/lib/docker
for pid in $(cat /sys/fs/cgroup/cgroup.procs); do echo "$pid" > /sys/fs/cgroup/init/cgroup.procs 2>/dev/null; done
sed -e 's/ / +/g' -e 's/^/+/' /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control
exec dockerd --host tcp://0.0.0.0:2375 --host unix:///var/run/docker.sock --tls=false"""


# What GitLab's own helper image has under these names; the authority's certificate is where the runner is told to mount it.
HELPER_FILES = {
    "usr/bin/gitlab-runner-build": "#!/bin/bash\numask 0000\nexec /bin/bash\n",
    "entrypoint": """#!/bin/bash
[ ! -e /etc/gitlab-runner/certs/ca.crt ] || cat /etc/gitlab-runner/certs/ca.crt >> /etc/ssl/certs/ca-certificates.crt
exec "$@"
""",
    "etc/ssl/certs/ca-certificates.crt": "",
}


def unpack(folder, kinds):
    """The packages of each kind in a folder of that name."""
    packages = sorted({package for kind in kinds.values() for package in kind})
    subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages], cwd=folder, check=True)
    for kind, wanted in kinds.items():
        for package in wanted:
            file = next(name for name in os.listdir(folder) if name.startswith(package + "_"))
            subprocess.run(["dpkg-deb", "-x", file, kind], cwd=folder, check=True)


def packages_layer(folder, links=(), additions=()):
    """Everything below usr, as a Debian of today has it: bin, lib and sbin are links in it, here in the image's first layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        def add(path, name):
            entry = tar.gettarinfo(path, name)
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            if entry.isreg():
                with open(path, "rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)
        for path, folders, files in sorted(os.walk(folder)):
            for name in sorted(files + [f for f in folders if os.path.islink(os.path.join(path, f))]):
                whole = os.path.join(path, name)
                inside = os.path.relpath(whole, folder)
                if not inside.startswith(LEFT_OUT):
                    add(whole, inside if inside.startswith(("usr/", "etc/")) else "usr/" + inside)
        for name, target in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, content in additions:
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


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
        for folder in ("etc", "root", "usr", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin"):
            add(folder, tarfile.DIRTYPE)
        for link in ("bin", "lib", "lib64", "sbin"):
            add(link, tarfile.SYMTYPE, target="usr/" + link)
        add("tmp", tarfile.DIRTYPE, 0o1777)
        add("etc/passwd", mode=0o644, content=USERS.encode())
        add("etc/group", mode=0o644, content=b"root:x:0:\nnogroup:x:65534:\n")
        add("usr/bin/busybox", content=program)
        for name in names:
            if name != "busybox":
                add("usr/bin/" + name, tarfile.SYMTYPE, target="busybox")
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

    def image(self, name, tag, layers, config):
        packed = [gzip.compress(layer, 6, mtime=0) for layer in layers]
        about = {
            "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z", "config": config,
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]},
            "history": [{"created": "1970-01-01T00:00:00Z"} for _ in layers],
        }
        about = json.dumps(about).encode()
        layer_digests, config_digest = [self.blob(layer) for layer in packed], self.blob(about)
        kind = "application/vnd.docker."
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind + "distribution.manifest.v2+json",
            "config": {"mediaType": kind + "container.image.v1+json", "size": len(about), "digest": "sha256:" + config_digest},
            "layers": [{"mediaType": kind + "image.rootfs.diff.tar.gzip", "size": len(layer), "digest": "sha256:" + digest}
                       for layer, digest in zip(packed, layer_digests)],
        }).encode()
        digest = self.blob(manifest)
        link = b"sha256:" + digest.encode()
        repository = ("repositories", *name.split("/"))
        for blob in (*layer_digests, config_digest):
            self.write(b"sha256:" + blob.encode(), *repository, "_layers", "sha256", blob, "link")
        self.write(link, *repository, "_manifests", "revisions", "sha256", digest, "link")
        self.write(link, *repository, "_manifests", "tags", tag, "current", "link")
        self.write(link, *repository, "_manifests", "tags", tag, "index", "sha256", digest, "link")
        return {**dict(zip(layer_digests, packed)), config_digest: about, digest: manifest}, digest


def archive(path, name, blobs, digest):
    """An OCI layout of one image, as `podman save --format oci-archive` writes it."""
    index = {"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "digest": "sha256:" + digest, "size": len(blobs[digest]),
        "annotations": {"org.opencontainers.image.ref.name": name}}]}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
    files.update({"blobs/sha256/" + blob: content for blob, content in blobs.items()})
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for file, content in files.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def main():
    out, runner = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        kinds = {"busybox": [BUSYBOX], "registry": [REGISTRY], "engine": ENGINE}
        if runner:
            kinds["helper"] = HELPER
        unpack(work, kinds)
        shutil.copy(os.path.join(work, "registry", "usr/bin/docker-registry"), out)
        root = layer(os.path.join(work, "busybox", "bin/busybox"))
        engine = packages_layer(os.path.join(work, "engine"), [("usr/sbin/" + name, "xtables-nft-multi") for name in ("iptables", "ip6tables")])
        if runner:
            with open(runner, "rb") as file:
                files = {"usr/bin/gitlab-runner-helper": file.read(), **{name: text.encode() for name, text in HELPER_FILES.items()}}
            helper = packages_layer(os.path.join(work, "helper"), additions=files.items())
    storage = Storage(os.path.join(out, "storage"))
    path = ["PATH=/usr/sbin:/usr/bin"]
    archive(os.path.join(out, "preload", "busybox.tar"), "docker.io/library/busybox:1",
            *storage.image("test/busybox", "1", [root], {"Env": path, "Cmd": ["sh"]}))
    storage.image("test/hello", "1", [root], {"Env": path, "Entrypoint": ["sh", "-c", SERVICE], "ExposedPorts": {"8080/tcp": {}}})
    storage.image("test/silent", "1", [root], {"Env": path, "Cmd": ["sh", "-c", SILENT], "ExposedPorts": {"8080/tcp": {}}})
    storage.image("test/docker", "1", [root, engine], {
        "Env": path, "Cmd": ["sh", "-c", START_ENGINE], "ExposedPorts": {"2375/tcp": {}}, "Volumes": {"/var/lib/docker": {}}})
    if runner:
        storage.image("test/gitlab-runner-helper", "1", [root, helper], {"Env": path, "Entrypoint": ["/entrypoint"], "Cmd": ["sh"]})


main()
