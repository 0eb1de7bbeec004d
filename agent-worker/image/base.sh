#!/usr/bin/env bash
# Builds the slow, cacheable half of a guest image: Debian root file system and kernel.
# It knows nothing of Mayfly's own binaries, so a changed binary never makes it run again.
#
#   base.sh --out DIR [--work DIR]
#
# DIR gets root.tar (with kernel modules), vmlinuz (uncompressed ELF), kernel-version, packages.txt.
# Everything is built in a work folder and renamed to DIR at the end: an interrupted run leaves no DIR.
set -euo pipefail

SUITE=bookworm
PACKAGES=(
  systemd systemd-sysv udev dbus kmod procps sudo netbase
  iproute2 iptables ca-certificates curl
  bash git git-lfs jq unzip zip xz-utils bzip2 patch make openssh-client python3
  docker.io
)
KERNEL_PACKAGE=linux-image-cloud-amd64

out='' work=''
while [ $# -gt 0 ]; do
  case "$1" in
    --out) out=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    *) echo "base.sh: unknown option $1; usage: base.sh --out DIR [--work DIR]" >&2; exit 2 ;;
  esac
done
[ -n "$out" ] || { echo 'base.sh: --out DIR is missing' >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo 'base.sh: must run as root (mmdebstrap needs mknod and chown); use sudo' >&2; exit 1; }
for tool in mmdebstrap dpkg-deb python3 tar xz apt-cache apt-get; do
  command -v "$tool" >/dev/null || { echo "base.sh: $tool is missing; apt-get install mmdebstrap dpkg python3 tar xz-utils apt" >&2; exit 1; }
done

here=$(cd "$(dirname "$0")" && pwd)
started=$(date +%s)
step() { printf '[base %4ds] %s\n' "$(($(date +%s) - started))" "$*"; }

mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
tmp=$(mktemp -d "${work:-$(dirname "$out")}/base.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$tmp/out" "$tmp/kernel"

# The machine's own package sources, unless told otherwise.
if [ -n "${MAYFLY_APT_SOURCES:-}" ]; then
  read -r -a sources <<<"$MAYFLY_APT_SOURCES"
else
  mapfile -t sources < <(ls /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
fi
[ ${#sources[@]} -gt 0 ] || { echo 'base.sh: no apt sources found in /etc/apt; set MAYFLY_APT_SOURCES to a sources.list file' >&2; exit 1; }

# Fetched with the new root's own apt configuration, so the host's release does not matter.
cat >"$tmp/fetch-kernel" <<EOF
#!/bin/sh
set -eu
export APT_CONFIG="\$MMDEBSTRAP_APT_CONFIG"
cd '$tmp/kernel'
name=\$(apt-cache depends $KERNEL_PACKAGE | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "\$name" ] || { echo 'base.sh: the apt sources hold no $KERNEL_PACKAGE' >&2; exit 1; }
apt-get -q -o APT::Sandbox::User=root download "\$name"
EOF
chmod +x "$tmp/fetch-kernel"

step "Debian $SUITE by mmdebstrap (${#PACKAGES[@]} packages and what they need)"
mmdebstrap --quiet --variant=minbase --mode=root --architectures=amd64 \
  --include="$(IFS=,; echo "${PACKAGES[*]}")" \
  --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --customize-hook="$tmp/fetch-kernel \"\$1\"" \
  --customize-hook="chroot \"\$1\" dpkg-query -W -f '\${Package}=\${Version}\n' > '$tmp/out/packages.txt'" \
  "$SUITE" "$tmp/root.tar" "${sources[@]}"

step 'kernel and modules'
dpkg-deb -x "$tmp"/kernel/linux-image-*.deb "$tmp/kernel/tree"
version=$(ls "$tmp/kernel/tree/lib/modules")
echo "$version" >"$tmp/out/kernel-version"
dpkg-deb -W --showformat='${Package}=${Version}\n' "$tmp"/kernel/linux-image-*.deb >>"$tmp/out/packages.txt"
sort -o "$tmp/out/packages.txt" "$tmp/out/packages.txt"
python3 "$here/extract-vmlinux.py" "$tmp/kernel/tree/boot/vmlinuz-$version" "$tmp/out/vmlinuz"

step 'root file system archive'
mkdir "$tmp/root"
tar -C "$tmp/root" --numeric-owner -xf "$tmp/root.tar"
rm "$tmp/root.tar"
mkdir -p "$tmp/root/usr/lib/modules"
cp -a "$tmp/kernel/tree/lib/modules/$version" "$tmp/root/usr/lib/modules/"
chroot "$tmp/root" depmod -a "$version"
tar -C "$tmp/root" --numeric-owner -cf "$tmp/out/root.tar" .

rm -rf "$out.old"
[ ! -e "$out" ] || mv "$out" "$out.old"
mv "$tmp/out" "$out"
rm -rf "$out.old"
step "done: $out"
