#!/bin/bash
# The sandbox on a kernel with cgroup v2 only, in a small virtual machine.
#
# Usage: run.sh BUILD_DIR [--as root|user|both|systemd]
#
# Makes an initramfs in BUILD_DIR/vm from a static busybox, the built programs, the libraries they
# need and a small Python, boots Debian's cloud kernel with it under qemu (emulation, where
# there is no /dev/kvm), and runs guest.sh there; `--as systemd` runs the units under systemd instead.  Exit
# status: 0 if every step of the guest succeeded, 1 if one failed or the machine gave no answer in time, 77 if something is missing here.
#
# EXECD_VM_TIMEOUT (seconds, 600), EXECD_VM_KERNEL (the newest /boot/vmlinuz-*-cloud-amd64), EXECD_VM_ACCEL (kvm
# where it is to be had, else tcg).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
repo=$(readlink -f "$here/../..")
. "$repo/tests/lanes/qemu.sh"
as=both
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ -d "$1" ] || { echo "vm: $1 is no build directory: ./dev build makes build/release" >&2; exit 2; }
build=$(readlink -f "$1")
shift
while [ $# -gt 0 ]; do
    case $1 in
        --as) as=${2:-}; shift 2 || exit 2 ;;
        *) echo "vm: unknown argument \`$1\`" >&2; exit 2 ;;
    esac
done
case $as in root | user | both | systemd) ;; *) echo "vm: --as root, user, both or systemd" >&2; exit 2 ;; esac

find_machine
command -v setpriv >/dev/null || missing setpriv "apt-get install util-linux"
tests=("$build"/tests/unit/cgroup/cgroup{,_end}_test "$build"/tests/unit/cell/cell_seccomp{,_run}_test
       "$build"/tests/unit/jail/jail_{cell,warm,warm_limits}_test)
for f in "${tests[@]}" "$build"/execd-jailer "$build"/execd-init "$build"/execd-probe "$build"/execd-zygote; do
    [ -x "$f" ] || { echo "vm: $f was not built" >&2; exit 1; }
done

# ---- the guest's files ----------------------------------------------------------------------

vm=$build/vm
root=$vm/initramfs/root # becomes / of the guest
rm -rf "$vm"
mkdir -p "$vm/initramfs/bin" "$root"/{proc,sys,dev,tmp,run,etc,opt/execd/plugins,usr/bin,usr/lib,usr/lib64,var/lib}
for d in bin lib lib64; do ln -s "usr/$d" "$root/$d"; done
chmod 1777 "$root/tmp"

put() { # put FILE [AS]: a file at its own place (below /usr), with what it links to
    local to=${2:-$(readlink -f "$1")}
    mkdir -p "$root/$(dirname "$to")"
    cp -L "$1" "$root/$to"
    libraries "$1"
}
libraries() { # what FILE is linked against
    local lib
    { ldd "$1" 2>/dev/null || true; } | sed -nE 's/.*=> (\/[^ ]+) .*/\1/p; s/^[[:space:]]*(\/[^ ]+) \(0x.*/\1/p' |
        while read -r lib; do
            local at=/usr${lib#/usr}
            [ -e "$root$at" ] || { mkdir -p "$root$(dirname "$at")"; cp -L "$lib" "$root$at"; }
        done
}

cp "$busybox" "$vm/initramfs/bin/busybox"
cp "$busybox" "$root/usr/bin/busybox"
for a in $("$busybox" --list); do
    [ "$a" = busybox ] || ln -sf busybox "$root/usr/bin/$a"
done
for f in /usr/bin/setpriv /bin/sh /usr/bin/env /usr/bin/cat /usr/bin/sleep; do
    rm -f "$root/usr/bin/$(basename "$f")"
    put "$f" "/usr/bin/$(basename "$f")"
done
for f in "${tests[@]}" "$build"/execd-jailer "$build"/execd-init "$build"/execd-probe "$build"/execd-zygote "$build"/execd "$build"/execctl; do
    [ ! -x "$f" ] || put "$f" "/opt/execd/$(basename "$f")"
done
for f in "$build"/plugins/lang-python.so; do
    [ ! -e "$f" ] || put "$f" "/opt/execd/plugins/$(basename "$f")"
done
[ ! -d "$build"/warm ] || cp -rL "$build"/warm "$root/opt/execd/warm"
if command -v redis-server >/dev/null; then
    put "$(command -v redis-server)" /usr/bin/redis-server
fi
if [ -x /usr/bin/python3 ]; then
    python=$(basename "$(readlink -f /usr/bin/python3)")
    put /usr/bin/python3 "/usr/bin/$python"
    ln -sf "$python" "$root/usr/bin/python3"
    (cd /usr/lib && find "$python" \( -name test -o -name idlelib -o -name tkinter -o -name ensurepip -o -name lib2to3 \
        -o -name pydoc_data -o -name 'config-*' -o -name turtledemo -o -name distutils \) -prune -o -type f -print |
        cpio --quiet -pdmL "$root/usr/lib")
    for f in /usr/lib/"$python"/lib-dynload/*.so; do libraries "$f"; done
fi
# Found by dlopen, so no ldd names them.
for f in libgcc_s.so.1 libnss_files.so.2; do
    at=$(find /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu -name "$f" 2>/dev/null | head -n 1)
    [ -z "$at" ] || put "$at" "/usr/lib/x86_64-linux-gnu/$f"
done
printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\nexecd:x:999:999:execd:/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nuser:x:1000:\nexecd:x:999:\n' >"$root/etc/group"
mkdir -p "$root/etc/alternatives"
[ "$as" != systemd ] || . "$here/systemd_files.sh"
cp "$here/guest.sh" "$root/guest.sh"
cp "$here/smoke.py" "$root/smoke.py"
cp "$here/init.sh" "$vm/initramfs/init"
chmod 755 "$vm/initramfs/init" "$root/guest.sh"
ldconfig -r "$root" 2>/dev/null || true
make_initramfs "$vm/initramfs" "$vm/initramfs.cpio"
rm -rf "$vm/initramfs"

# ---- boot ----------------------------------------------------------------------------------------

limit=${EXECD_VM_TIMEOUT:-600}
log=$vm/console.log
echo "vm: $(basename "$kernel"), initramfs of $(($(stat -c %s "$vm/initramfs.cpio") >> 20)) MiB, as $as, within $limit s"

trap end_machine EXIT
begun() { [ "$shown" -gt 0 ]; }
show() { # the lines for people that were not shown yet
    tr -d '\r' <"$log" | sed -n 's/^.*VM: //p' | tail -n "+$((shown + 1))"
    shown=$(grep -ac 'VM: ' "$log" || true)
}
run_machine "$log" "$limit" 60 -m 1536 -initrd "$vm/initramfs.cpio" -append "console=ttyS0 quiet panic=-1 execd_as=$as"

result=$(tr -d '\r' <"$log" | sed -n 's/^.*VM-RESULT: \([0-9]*\)$/\1/p' | tail -n 1)
if [ "$result" = 0 ] && [ "$status" = 0 ] && [ "$late" = no ]; then
    echo "vm: every step succeeded"
    exit 0
fi
echo "---- the end of $log ----" >&2
tail -n 60 "$log" >&2
if [ -z "$result" ]; then
    no_result "$limit"
else
    echo "vm: $result steps failed (whole console: $log)" >&2
fi
exit 1
