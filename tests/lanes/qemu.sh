# qemu.sh - a small virtual machine under qemu (sourced by vm.sh and ../vm/run.sh): what it takes, and a boot until its first
# sign of life and its end.

missing() { echo "vm: $1 is missing: $2" >&2; exit 77; }

# Sets `busybox`, `kernel` and `accel`; EXECD_VM_KERNEL and EXECD_VM_ACCEL have a say.
find_machine() {
    command -v qemu-system-x86_64 >/dev/null || missing qemu-system-x86_64 "apt-get install qemu-system-x86"
    command -v cpio >/dev/null || missing cpio "apt-get install cpio"
    busybox=$(command -v busybox || true)
    [ -n "$busybox" ] || missing busybox "apt-get install busybox-static"
    ! ldd "$busybox" >/dev/null 2>&1 || missing "a static busybox" "apt-get install busybox-static"
    kernel=${EXECD_VM_KERNEL:-$(find /boot -name 'vmlinuz-*-cloud-amd64' 2>/dev/null | sort -V | tail -n 1)}
    [ -n "$kernel" ] && [ -e "$kernel" ] || missing "a kernel" "apt-get install linux-image-cloud-amd64"
    [ -r "$kernel" ] || missing "the right to read $kernel" "run as root, or chmod a+r it"
    accel=${EXECD_VM_ACCEL:-tcg}
    if [ -z "${EXECD_VM_ACCEL:-}" ] && [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
        accel=kvm
    fi
}

machine=
end_machine() { [ -z "$machine" ] || kill "$machine" 2>/dev/null || true; }

# The folder below $1, as the guest's first root, into $2.
make_initramfs() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$2"; }

# SECONDS of a machine to itself, on one with more to do than it has processors for.
shared_seconds() { awk -v s="$1" -v n="$(nproc)" '{ print int(s * ($1 > n ? $1 / n : 1)) }' /proc/loadavg; }

# run_machine LOG LIMIT SIGN QEMU-ARGUMENTS...: boots and waits for the end, at most LIMIT seconds.  The caller's `begun` says whether
# LOG has the guest's first sign of life, for which SIGN seconds of a machine to itself are enough: an emulated machine with two processors hangs in
# its boot now and then, and is booted again then.  The caller's `show` is called all the while, with `shown` 0 at each boot.
# Sets `late` (yes: it had to be ended) and `status` (qemu's).
run_machine() {
    local log=$1 end=$((SECONDS + $2)) sign try begin
    sign=$(shared_seconds "$3")
    shift 3
    for try in 1 2 3; do
        shown=0 begin=$SECONDS
        : >"$log"
        qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -nographic -no-reboot -nic none -kernel "$kernel" "$@" \
            </dev/null >"$log" 2>&1 &
        machine=$!
        while kill -0 "$machine" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
            sleep 0.5
            show
            begun || [ $((SECONDS - begin)) -lt "$sign" ] || break
        done
        late=no
        if kill -0 "$machine" 2>/dev/null; then
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
}

# Why LOG has no result.
no_result() { # no_result LIMIT
    case $late,$(begun && echo begun) in
        yes,begun) echo "vm: no result within $1 s" >&2 ;;
        yes,) echo "vm: no sign of life" >&2 ;;
        *) echo "vm: the machine ended without a result" >&2 ;;
    esac
}
