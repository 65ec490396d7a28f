# systemd_files.sh - sourced by run.sh for `--as systemd`: a systemd small enough for the guest, and our units.
#
# The units are those of the build, with /opt/execd in the place of the installed paths and nothing else changed.
[ -x /lib/systemd/systemd ] || missing systemd "apt-get install systemd"
for f in /lib/systemd/systemd /lib/systemd/systemd-shutdown /bin/systemctl /usr/bin/systemd-tmpfiles; do
    put "$f" "/usr/${f#/usr/}"
done
for f in sysinit basic shutdown umount final local-fs slices sockets paths timers network network-online multi-user; do
    put "/lib/systemd/system/$f.target" "/usr/lib/systemd/system/$f.target"
done
mkdir -p "$root"/etc/{systemd/system,execd} "$root"/var/{log,tmp} "$root"/usr/lib/tmpfiles.d
for f in "$build"/deploy/systemd/*.service; do
    sed -E -e 's|^ExecStart=\S+/bin/|ExecStart=/opt/execd/|' -e 's|--config \S+|--config /etc/execd/execd.conf|' "$f" >"$root/etc/systemd/system/$(basename "$f")"
done
cp "$repo/deploy/systemd/execd.tmpfiles" "$root/usr/lib/tmpfiles.d/execd.conf"
cp "$here/systemd_guest.py" "$root/systemd_guest.py"
echo guest >"$root/etc/hostname"
echo 00000000000000000000000000000001 >"$root/etc/machine-id"
printf 'NAME=guest\nID=guest\n' >"$root/etc/os-release"
cat >"$root/etc/systemd/system/guest.service" <<'UNIT'
[Unit]
Description=The test
DefaultDependencies=no
After=sysinit.target
[Service]
Type=oneshot
Environment=PATH=/usr/bin
ExecStart=/usr/bin/python3 /systemd_guest.py
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
ExecStopPost=/usr/bin/systemctl poweroff --force --force
TimeoutStartSec=infinity
UNIT
cat >"$root/etc/systemd/system/default.target" <<'UNIT'
[Unit]
Wants=guest.service
After=guest.service
UNIT
mkdir -p "$root/etc/systemd/system.conf.d"
printf '[Manager]\nDefaultTimeoutStartSec=240\nDefaultTimeoutStopSec=60\nLogTarget=kmsg\nLogLevel=warning\n' \
    >"$root/etc/systemd/system.conf.d/guest.conf"
for s in systemd-journald.service systemd-journald.socket systemd-udevd.service; do
    ln -s /dev/null "$root/etc/systemd/system/$s"
done
