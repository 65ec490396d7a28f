#!/bin/busybox sh
# First process of the guest: from the initramfs, which pivot_root(2) refuses, to a tmpfs.
/bin/busybox mkdir -p /new
/bin/busybox mount -t tmpfs -o size=1g,mode=755 root /new
/bin/busybox cp -a /root/. /new/
if [ -e /new/systemd_guest.py ]; then
    exec /bin/busybox switch_root /new /usr/lib/systemd/systemd
fi
exec /bin/busybox switch_root /new /guest.sh
