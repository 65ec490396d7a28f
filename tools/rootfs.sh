#!/bin/bash
# Makes a root file system for cells from Debian's packages: rootfs.sh DIR [PACKAGE...]
#
# The four languages and a shell with the usual tools, from this machine's Debian release; more packages by name.
# What no program needs is taken out again: package management, services, documentation, everything with a
# set-user-id bit, accounts, logs, and what says where it was made.  EXECD_ROOTFS_MIRROR: another mirror.
set -euo pipefail
umask 022
fail() { printf 'rootfs: %s\n' "$*" >&2; exit 1; }
[ $# -ge 1 ] || fail "usage: rootfs DIR [PACKAGE...]"
dir=$(realpath -m "$1")
shift
[ ! -e "$dir" ] || fail "\`$dir\` is there already; remove it, or name another folder"
[ "$(id -u)" -eq 0 ] || fail "making a root file system takes root"

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
packages="bc dc bzip2 xz-utils file patch python3 nodejs gcc libc6-dev default-jdk-headless tzdata"
new="$dir.new"
rm -rf "$new"
trap 'rm -rf "$new"' EXIT
mkdir -p "$(dirname "$dir")"

# (Debian's own scripts want its folders of manual pages to be there.)
mmdebstrap --quiet --variant=essential --mode=root --include="$(echo $packages "$@" | tr ' ' ',')" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    "$suite" "$new" ${EXECD_ROOTFS_MIRROR:+"$EXECD_ROOTFS_MIRROR"} >/dev/null

cd "$new"
# What is only there to be an operating system.
find . -xdev -type f -perm /6000 -delete
rm -rf boot home media mnt opt root srv var sys tmp run proc dev usr/local usr/games usr/src usr/sbin
mkdir -p dev proc run tmp usr/sbin
rm -rf usr/lib/{apt,dpkg,init,systemd,tmpfiles.d,sysusers.d,sysctl.d,modules-load.d,modprobe.d,udev,pam.d,lsb} \
    usr/lib/"$(uname -m)"-linux-gnu/security usr/bin/{apt,dpkg,deb,debconf,systemd,login,perlbug}*
find usr/share -mindepth 1 -maxdepth 1 ! -name zoneinfo ! -name nodejs ! -name locale ! -name misc ! -name file \
    ! -name perl ! -name perl5 ! -name python3 ! -name java ! -name javascript ! -name gcc ! -name tabset \
    ! -name terminfo -exec rm -rf {} +
rm -rf usr/share/locale/*
# A /etc of stand-ins; what a language reads stays.
find etc -mindepth 1 -maxdepth 1 ! -name alternatives ! -name 'java-*' ! -name 'python3*' ! -name ld.so.cache \
    -exec rm -rf {} +
printf '%s\n' 'root:x:0:0:root:/:/usr/sbin/nologin' 'runner:x:1000:1000:runner:/box:/bin/sh' >etc/passwd
printf '%s\n' 'root:x:0:' 'runner:x:1000:' >etc/group
printf '%s\n' '127.0.0.1 localhost execd' '::1 localhost' >etc/hosts
printf '%s\n' 'execd' >etc/hostname
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files' >etc/nsswitch.conf
find etc/alternatives -xtype l | while read -r link; do # absolute links lead into the new root
    [ -e "$new$(readlink "$link")" ] || rm -f "$link"
done
chmod 0755 .
cd /
mv "$new" "$dir"
trap - EXIT
printf 'rootfs: %s, %s; in execd.conf: worker: { rootfs = "%s"; }\n' "$dir" "$(du -sh "$dir" | cut -f1)" "$dir"
