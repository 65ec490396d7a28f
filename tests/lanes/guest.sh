# guest.sh - first process of the guest's own root (sourced by bash): a machine as systemd would have made it, then
# the payload's command.  "VM-BEGIN" and "VM-RESULT: status" tell vm.sh where the output for people is.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev shm /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=755 run /run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup /sys/fs/cgroup
ln -s /proc/self/fd /dev/fd 2>/dev/null
echo vm >/proc/sys/kernel/hostname
ip link set lo up
dmesg -n 1
stty -F /dev/ttyS0 cols 120 2>/dev/null
# What is tested is where it is on the machine that built it.
for top in /mnt/*/; do
    name=$(basename "$top")
    [ "$name" = lost+found ] && continue
    mkdir -p "/$name"
    mount --bind "$top" "/$name"
done
for c in memory pids cpu; do echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control; done
echo
echo VM-BEGIN
echo "Linux $(uname -r), $(nproc) processors, up $(cut -d ' ' -f 1 /proc/uptime) s"
setsid -w /bin/bash /mnt/command </dev/null 2>&1 | cat
status=${PIPESTATUS[0]}
echo "up $(cut -d ' ' -f 1 /proc/uptime) s"
echo "VM-RESULT: $status"
sync
echo o >/proc/sysrq-trigger
sleep 10
