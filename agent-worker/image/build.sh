#!/usr/bin/env bash
# Assembles a guest image from the base (base.sh), the native binaries and a runner. Takes seconds, so a changed binary costs little.
#
#   build.sh --base BASE_DIR --native DIR_WITH_STATIC_BINARIES --out IMAGE_DIR [--gitlab-runner PATH] [--work DIR]
#
# Without --gitlab-runner (or GITLAB_RUNNER) the embedded runner, NATIVE_DIR/mayfly-runner, is put in its place.
# Everything is built in a work folder and renamed to IMAGE_DIR at the end: an interrupted run leaves no IMAGE_DIR.
set -euo pipefail

# Loaded by the initrd, in this order and with what they depend on. Disks first; the rest so that the agent's port and the network are there at once,
# and so that the VMM hears of a panic.
MODULES='virtio_mmio virtio_blk overlay virtio_console virtio_net virtio-rng pvpanic-mmio'

usage='usage: build.sh --base BASE_DIR --native DIR --out IMAGE_DIR [--gitlab-runner PATH] [--work DIR]'
base='' native='' out='' work='' runner=${GITLAB_RUNNER:-}
while [ $# -gt 0 ]; do
  case "$1" in
    --base) base=$2; shift 2 ;;
    --native) native=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --gitlab-runner) runner=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    *) echo "build.sh: unknown option $1; $usage" >&2; exit 2 ;;
  esac
done
[ -n "$base" ] && [ -n "$native" ] && [ -n "$out" ] || { echo "build.sh: $usage" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo 'build.sh: must run as root (chroot, chown); use sudo' >&2; exit 1; }
runner=${runner:-$native/mayfly-runner}
for file in "$base/root.tar" "$base/vmlinuz" "$native/mayfly-init" "$native/mayfly-guest-agent" "$runner"; do
  [ -f "$file" ] || { echo "build.sh: $file is missing; build it first (base.sh; cargo build --release in agent-worker/native)" >&2; exit 1; }
done
for tool in mke2fs cpio python3 tar; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing; apt-get install e2fsprogs cpio python3 tar" >&2; exit 1; }
done

here=$(cd "$(dirname "$0")" && pwd)
started=$(date +%s)
step() { printf '[image %3ds] %s\n' "$(($(date +%s) - started))" "$*"; }

mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
tmp=$(mktemp -d "${work:-$(dirname "$out")}/image.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$tmp/tree image=$tmp/image
mkdir -m 0755 "$tree" "$image" "$tmp/initrd" "$tmp/initrd/modules"

step "asking the runner what it can do: $runner"
python3 "$here/record-runner.py" "$runner" >"$tmp/runner.json"

step 'unpacking the base'
tar -C "$tree" --numeric-owner -xf "$base/root.tar"
version=$(cat "$base/kernel-version")
cp "$base/vmlinuz" "$image/vmlinuz"

step 'initrd'
for module in $MODULES; do
  chroot "$tree" modprobe -S "$version" --show-depends "$module" | while read -r verb path _; do
    [ "$verb" = insmod ] || continue
    name=$(basename "$path" .ko)
    [ ! -f "$tmp/initrd/modules/$name.ko" ] || continue
    cp "$tree$path" "$tmp/initrd/modules/"
    echo "$name" >>"$tmp/initrd/modules/order"
  done
done
install -m 0755 "$native/mayfly-init" "$tmp/initrd/init"
(cd "$tmp/initrd" && find . -print0 | LC_ALL=C sort -z | cpio --quiet --null -o -H newc --reproducible -R 0:0 >"$image/initrd.cpio")

step 'guest configuration'
"$here/customize.sh" "$tree" "$native" "$runner"

step 'file systems'
kib=$(du -s --apparent-size -B1024 "$tree" | cut -f1)
inodes=$(find "$tree" | wc -l)
plain='^has_journal'
mke2fs -q -t ext4 -b 4096 -d "$tree" -L mayfly-root -O "$plain,^resize_inode" -E lazy_itable_init=1,root_owner=0:0 -m 0 \
  -N $((inodes + 1000)) "$image/rootfs.ext4" "$((kib * 115 / 100 + 65536))k"
# Small and sparse; the driver extends the copy, the guest's init grows the file system (reserved descriptors reach 1 TiB).
mke2fs -q -t ext4 -b 4096 -i 16384 -L mayfly-scratch -O "$plain" -E lazy_itable_init=1,root_owner=0:0,resize=268435456 -m 0 \
  "$image/scratch.ext4" 512m

step 'digests'
python3 "$here/manifest.py" "$image" "$base" "$tmp/runner.json"
chmod 0644 "$image"/*

rm -rf "$out.old"
[ ! -e "$out" ] || mv "$out" "$out.old"
mv "$image" "$out"
rm -rf "$out.old"
step "done: $out"
