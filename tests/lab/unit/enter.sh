# Runs a program as the documented unit would: what follows the words WRITABLE… -- CAPABILITIES in a mount namespace.
#
# systemd does the same with ProtectSystem=strict, ReadWritePaths=, PrivateTmp=, DevicePolicy=closed,
# CapabilityBoundingSet= and NoNewPrivileges=. The rest, filters of system calls, is syscalls.py's.
set -eu
mount --make-rprivate /
for each in /tmp /var/tmp; do mount -t tmpfs tmpfs "$each"; done

findmnt --raw --noheadings --output TARGET | while read -r place; do
    case $place in
        /dev | /dev/* | /tmp | /var/tmp) ;;
        *) mount -o remount,bind,ro "$place" 2> /dev/null || mountpoint -q "$place" ;;
    esac
done
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then
        mount --bind "$1" "$1"
        mount -o remount,bind,rw "$1"
    fi
    shift
done
shift

devices=$(mktemp -d)
for each in null zero full random urandom tty; do
    touch "$devices/$each"
    mount --bind "/dev/$each" "$devices/$each"
done
mkdir "$devices/shm" "$devices/pts"
mount --bind /dev/shm "$devices/shm"
mount --bind /dev/pts "$devices/pts"
ln -s pts/ptmx "$devices/ptmx"
mount --rbind "$devices" /dev

bounding=$1
shift
exec setpriv --no-new-privs --bounding-set "$bounding" "$@"
