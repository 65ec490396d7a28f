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
[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
lane=$1
shift
build=${EXECD_BUILD:-$repo/build/release}

# What the guest needs: packages, or commands whose packages it needs.
NEEDS="bash coreutils dash util-linux mount procps findutils grep sed tar gcc libc6-dev redis-server
    python3-pytest python3-requests python3-yaml crun iproute2 kmod libevent-dev libhiredis-dev libcurl4-openssl-dev libcjson-dev
    libseccomp-dev libconfig-dev libssl-dev /usr/bin/node $(command -v javac || echo /usr/bin/javac)"

missing() { echo "vm: $1 is missing: $2" >&2; exit 77; }
command -v qemu-system-x86_64 >/dev/null || missing qemu-system-x86_64 "apt-get install qemu-system-x86"
command -v cpio >/dev/null || missing cpio "apt-get install cpio"
command -v mke2fs >/dev/null || missing mke2fs "apt-get install e2fsprogs"
busybox=$(command -v busybox || true)
[ -n "$busybox" ] || missing busybox "apt-get install busybox-static"
! ldd "$busybox" >/dev/null 2>&1 || missing "a static busybox" "apt-get install busybox-static"
kernel=${EXECD_VM_KERNEL:-$(find /boot -name 'vmlinuz-*-cloud-amd64' 2>/dev/null | sort -V | tail -n 1)}
[ -n "$kernel" ] && [ -e "$kernel" ] || missing "a kernel" "apt-get install linux-image-cloud-amd64"
[ -r "$kernel" ] || missing "the right to read $kernel" "run as root, or chmod a+r it"
release=${kernel##*/vmlinuz-}

accel=${EXECD_VM_ACCEL:-tcg}
if [ -z "${EXECD_VM_ACCEL:-}" ] && [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
    accel=kvm
fi
case $accel in
    kvm*) slow=${EXECD_VM_SLOW:-1} ;;
    *) slow=${EXECD_VM_SLOW:-8} ;;
esac

# ---- the guest's files ----------------------------------------------------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/execd-vm-XXXXXX")
machine=
clean() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null || true
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
(cd "$work/initramfs" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/initramfs.cpio"

# ---- boot ----------------------------------------------------------------------------------------

limit=${EXECD_VM_TIMEOUT:-1200}
sign=90 # seconds for the first sign of life: an emulated machine with two processors hangs in its boot now and then
end=$((SECONDS + limit))
log=$repo/build/vm/console-$lane.log
marker=$'VM-BEGIN\r\n'
echo "vm: $release, $accel, payload of $size MiB, within $limit s"

boot() {
    : >"$log"
    TMPDIR=$work qemu-system-x86_64 -accel "$accel" -cpu max -m "${EXECD_VM_MEMORY:-3072}" -smp 2 -nographic -no-reboot \
        -nic none -kernel "$kernel" -initrd "$work/initramfs.cpio" \
        -drive "file=$disk,format=raw,if=virtio,snapshot=on,cache=unsafe" \
        -drive "file=$work/payload.ext4,format=raw,if=virtio,cache=unsafe" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off" </dev/null >"$log" 2>&1 &
    machine=$!
}
alive() { kill -0 "$machine" 2>/dev/null; }
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
for try in 1 2 3; do
    shown=0 begin=$SECONDS
    boot
    while alive && [ "$SECONDS" -lt "$end" ]; do
        sleep 0.5
        show
        begun || [ $((SECONDS - begin)) -lt "$sign" ] || break
    done
    late=no
    if alive; then
        late=yes
        kill "$machine"
    fi
    status=0
    wait "$machine" || status=$?
    machine=
    show
    ! begun && [ "$SECONDS" -lt "$end" ] && [ "$try" -lt 3 ] || break
    echo "vm: no sign of life after $((SECONDS - begin)) s, booting again"
done

result=$(tr -d '\r' <"$log" | sed -n 's/^VM-RESULT: \([0-9]*\)$/\1/p' | tail -n 1)
if [ -z "$result" ]; then
    echo "---- the end of $log ----" >&2
    tail -n 60 "$log" >&2
    [ "$late" = yes ] && echo "vm: no result within $limit s" >&2 || echo "vm: the machine ended without a result" >&2
    exit 1
fi
exit "$result"
