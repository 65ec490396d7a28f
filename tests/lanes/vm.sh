#!/bin/bash
# A lane of another machine: Debian's cloud kernel with cgroup v2 alone, under qemu, with this machine's programs.
#
# Usage: vm.sh LANE COMMAND...
#
# The guest's root is an ext4 image of this machine's packages (machine.py; made once, in build/vm), what is to be
# tested comes on a second, small one.  Whatever the guest writes is gone with it.  In there init.sh hands over to
# guest.sh, which calls run.sh with LANE and COMMAND.  Exit status: COMMAND's; 1 if the machine gave no
# answer in time, 77 if something is missing here.
#
# EXECD_VM_TIMEOUT (seconds, 1200), EXECD_VM_KERNEL (the newest /boot/vmlinuz-*-cloud-amd64), EXECD_VM_MEMORY (MiB,
# 3072), EXECD_VM_ACCEL (kvm where the processor and /dev/kvm allow it, else tcg: emulation, slow),
# EXECD_VM_SLOW (how many times slower than here; by acceleration).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
repo=$(readlink -f "$here/../..")
. "$here/built.sh"
. "$here/qemu.sh"
[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
lane=$1
shift
build=${EXECD_BUILD:-$repo/build/release}

# What the guest needs: packages, or commands whose packages it needs.
NEEDS="bash coreutils dash util-linux mount procps findutils grep sed tar gcc libc6-dev redis-server
    python3-pytest python3-requests python3-yaml crun iproute2 kmod libevent-dev libhiredis-dev libcurl4-openssl-dev libcjson-dev
    libseccomp-dev libconfig-dev libssl-dev libyaml-dev /usr/bin/node $(command -v javac || echo /usr/bin/javac)"

find_machine
command -v mke2fs >/dev/null || missing mke2fs "apt-get install e2fsprogs"
release=${kernel##*/vmlinuz-}

case $accel in
    kvm*) slow=${EXECD_VM_SLOW:-1} ;;
    *) slow=${EXECD_VM_SLOW:-8} ;;
esac

# ---- the guest's files ----------------------------------------------------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/execd-vm-XXXXXX")
clean() {
    end_machine
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# shellcheck disable=SC2086
disk=$("$here/machine.py" "$repo/build/vm" $NEEDS)

# payload: what is tested, at the path that it has here, and what is to be done with it
put() { # put PATH...: into the payload, with parents
    tar -C / -cf - "${@#/}" | tar -C "$work/payload" -xf -
}
mkdir -p "$work/payload"
cp "$here/guest.sh" "$work/payload/guest.sh"
put "$repo/tests" "$repo/etc"
for extra in "$repo/deploy" "$repo/tools"; do
    [ ! -e "$extra" ] || put "$extra"
done
mapfile -t programs < <(built "$build" | sed "s:^:$build/:")
put "${programs[@]}"
{
    echo "cd $(printf %q "$repo")"
    for name in $(compgen -e | grep -E '^(EXECD_|PYTEST_|ASAN_OPTIONS$|UBSAN_OPTIONS$|PYTHONDONTWRITEBYTECODE$)' |
        grep -v '^EXECD_VM_'); do
        printf 'export %s=%q\n' "$name" "${!name}"
    done
    printf 'export EXECD_BUILD=%q EXECD_ATTACKS_SLOW=%q PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1\n' "$build" "$slow"
    printf 'exec tests/lanes/run.sh'
    printf ' %q' "$lane" "$@"
    echo
} >"$work/payload/command"
size=$(($(du -sm "$work/payload" | cut -f 1) * 5 / 4 + 8))
mke2fs -q -F -t ext4 -m 0 -O ^has_journal -L payload -d "$work/payload" "$work/payload.ext4" "${size}M" >/dev/null

# initramfs: busybox and the drivers of the disks, in the order in which they need each other
mkdir -p "$work/initramfs/bin" "$work/initramfs/modules"
cp "$busybox" "$work/initramfs/bin/busybox"
cp "$here/init.sh" "$work/initramfs/init"
chmod 755 "$work/initramfs/init"
for driver in virtio_pci virtio_blk; do
    modprobe -S "$release" --show-depends "$driver"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r file; do
    cp "$file" "$work/initramfs/modules/"
    basename "$file" >>"$work/initramfs/modules/order"
done
make_initramfs "$work/initramfs" "$work/initramfs.cpio"

# ---- boot ----------------------------------------------------------------------------------------

limit=${EXECD_VM_TIMEOUT:-1200}
log=$repo/build/vm/console-$lane.log
marker=$'VM-BEGIN\r\n'
echo "vm: $release, $accel, payload of $size MiB, within $limit s"

# What came after VM-BEGIN and was not shown yet, as it comes, and without what follows the result.
show() {
    local begin size
    begin=$(grep -abom 1 '^VM-BEGIN' "$log" | cut -d : -f 1 || true)
    [ -n "$begin" ] || return 0
    [ "$shown" -gt 0 ] || shown=$((begin + ${#marker}))
    size=$(sed '/^VM-RESULT/,$d' "$log" | wc -c)
    [ "$size" -gt "$shown" ] || return 0
    tail -c "+$((shown + 1))" "$log" | head -c "$((size - shown))" | tr -d '\r'
    shown=$size
}
begun() { grep -qa '^VM-BEGIN' "$log"; }
TMPDIR=$work run_machine "$log" "$limit" 90 -m "${EXECD_VM_MEMORY:-3072}" -initrd "$work/initramfs.cpio" \
    -drive "file=$disk,format=raw,if=virtio,snapshot=on,cache=unsafe" \
    -drive "file=$work/payload.ext4,format=raw,if=virtio,cache=unsafe" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off"

result=$(tr -d '\r' <"$log" | sed -n 's/^VM-RESULT: \([0-9]*\)$/\1/p' | tail -n 1)
if [ -z "$result" ]; then
    echo "---- the end of $log ----" >&2
    tail -n 60 "$log" >&2
    no_result "$limit"
    exit 1
fi
exit "$result"
