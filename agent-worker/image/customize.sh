#!/usr/bin/env bash
# Makes the guest out of the plain Debian in TREE: user, services, what must not run.
#
#   customize.sh TREE NATIVE_DIR RUNNER
set -euo pipefail
tree=$1 native=$2 runner=$3
files=$(cd "$(dirname "$0")/files" && pwd)

install -D -m 0755 "$native/mayfly-guest-agent" "$tree/usr/lib/mayfly/mayfly-guest-agent"
install -m 0755 "$files/prepare-template" "$tree/usr/lib/mayfly/prepare-template"
install -m 0644 "$files/mayfly-agent.service" "$tree/usr/lib/systemd/system/mayfly-agent.service"
install -m 0755 "$runner" "$tree/usr/bin/gitlab-runner"
cp "$tree/etc/ssl/certs/ca-certificates.crt" "$tree/usr/lib/mayfly/ca-certificates.crt"
install -D -m 0644 "$files/daemon.json" "$tree/etc/docker/daemon.json"

# The user that jobs run as.
chroot "$tree" groupadd -g 1000 runner
chroot "$tree" useradd -m -u 1000 -g runner -G docker -s /bin/bash -c 'CI jobs' runner
install -d -o 1000 -g 1000 "$tree/home/runner/builds" "$tree/home/runner/cache"
# It would clear the terminal of a job's shell and fail for lack of one.
rm -f "$tree/home/runner/.bash_logout"
printf 'runner ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$tree/etc/sudoers.d/runner"
chmod 0440 "$tree/etc/sudoers.d/runner"
chroot "$tree" git lfs install --system --skip-repo >/dev/null

# Nothing that two VMs may share: the agent and the first boot fill these.
: >"$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id" "$tree/var/lib/systemd/random-seed" "$tree"/etc/ssh/ssh_host_*
ln -s /etc/machine-id "$tree/var/lib/dbus/machine-id"
echo localhost >"$tree/etc/hostname"
printf '127.0.0.1\tlocalhost\n' >"$tree/etc/hosts"
rm -f "$tree/etc/resolv.conf"
: >"$tree/etc/resolv.conf"
rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/log/*.log

# A job may be using /tmp when systemd gets round to it, and must be able to use sudo before boot is over.
printf 'q /tmp 1777 root root 10d\nq /var/tmp 1777 root root 30d\n' >"$tree/etc/tmpfiles.d/tmp.conf"
ln -s /dev/null "$tree/etc/tmpfiles.d/systemd-nologin.conf"

on() { chroot "$tree" systemctl --quiet "$@"; }
on set-default multi-user.target
on enable mayfly-agent.service docker.socket
# Started by the first use of its socket, so a job that needs no docker does not pay for it.
on disable docker.service containerd.service
rm "$tree/usr/lib/systemd/system/multi-user.target.wants/dbus.service"
for socket in docker.socket dbus.socket; do
  install -D -m 0644 "$files/early-socket.conf" "$tree/etc/systemd/system/$socket.d/early.conf"
done

# What a VM of one job has no use for. Under emulation each of these costs a part of a second that a job waits for.
on mask \
  getty.target getty@.service serial-getty@.service console-getty.service systemd-logind.service systemd-user-sessions.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  modprobe@.service systemd-pstore.service systemd-networkd.service systemd-networkd-wait-online.service systemd-timesyncd.service \
  systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journald-audit.socket \
  systemd-journal-flush.service systemd-journal-catalog-update.service systemd-update-done.service systemd-hwdb-update.service \
  systemd-firstboot.service systemd-machine-id-commit.service systemd-binfmt.service ldconfig.service systemd-sysusers.service \
  systemd-boot-system-token.service systemd-repart.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount \
  systemd-ask-password-console.path systemd-ask-password-wall.path systemd-initctl.socket \
  cryptsetup.target integritysetup.target veritysetup.target remote-fs.target \
  systemd-remount-fs.service ssh.service keyboard-setup.service console-setup.service 2>/dev/null
# The kernel makes the nodes of the few devices there are; what comes later udev hears of.
on mask systemd-udev-trigger.service
# Each is a process at every boot, and looks for what no guest has. The one for init scripts stays: a job may install such a package.
mkdir -p "$tree/etc/systemd/system-generators"
for generator in "$tree"/usr/lib/systemd/system-generators/*; do
  [ "$(basename "$generator")" = systemd-sysv-generator ] || ln -s /dev/null "$tree/etc/systemd/system-generators/$(basename "$generator")"
done
