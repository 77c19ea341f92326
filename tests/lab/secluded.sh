# A libvirtd that is root's, as the machine's own is, and sees no more of the machine than its folder: $1.
#
# It is started in namespaces of its own, which end with it: its network, the processes that it starts, and the mounts
# that put the folder's parts where libvirt keeps its state. Its network has one end of a cable that goes nowhere, with
# the name and the address that the test driver tells of.
set -eu
folder=$1

mount --make-rprivate /
mount -t sysfs sysfs /sys # tells of this network

ip link set lo up
ip link add eth1 type veth peer name nowhere
ip address add 192.168.0.5/24 dev eth1
for each in eth1 nowhere; do ip link set "$each" up; done

for part in etc run cache log qemu network dnsmasq boot mdev; do mkdir "$folder/$part"; done
cat > "$folder/etc/libvirtd.conf" << END
auth_unix_rw = "none"
unix_sock_dir = "$folder/run"
log_outputs = "3:file:$folder/log/libvirtd.log"
END
cat > "$folder/etc/qemu.conf" << END
cgroup_controllers = [ ]
security_driver = "none"
stdio_handler = "file"
END
mount --bind "$folder/etc" /etc/libvirt
mkdir -p "$folder/mdev/scripts.d/callouts" "$folder/mdev/scripts.d/notifiers" /etc/mdevctl.d
mount --bind "$folder/mdev" /etc/mdevctl.d # where mdevctl keeps what is defined
mkdir -p /run/libvirt
mount --bind "$folder/run" /run/libvirt
for part in cache log; do mount --bind "$folder/$part" "/var/$part/libvirt"; done
for part in qemu network dnsmasq boot; do
    mkdir -p "/var/lib/libvirt/$part"
    mount --bind "$folder/$part" "/var/lib/libvirt/$part"
done

# It would end together with the machine's bus. This shell stays, for it is the one that reaps orphans here.
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$folder/no-bus"
libvirtd -f "$folder/etc/libvirtd.conf" -p "$folder/run/pid"
