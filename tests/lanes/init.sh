#!/bin/busybox sh
# First process of the guest, from the initramfs: drivers, disks, and over to guest.sh on them.
b=/bin/busybox
while read -r module; do $b insmod "/modules/$module"; done </modules/order
$b mkdir -p /dev /new
$b mount -t devtmpfs dev /dev
$b mount -t ext4 -o noatime /dev/vda /new
$b mount -t ext4 -o noatime /dev/vdb /new/mnt
exec $b switch_root /new /bin/bash -c '. /mnt/guest.sh'
