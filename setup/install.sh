#!/bin/sh
# Install the Debian packages of the named groups, saying which and why. Does nothing when all are there.
#
#   setup/install.sh run      what onggi itself needs
#   setup/install.sh guest    what builds the tiny guest that boots in tests and in the demo
#   setup/install.sh test     what the tests need besides
set -eu

# name | why
packages() {
    case "$1" in
        run) cat << 'LIST' ;;
libvirt-daemon-system | the hypervisor's daemon, and the qemu:///system connection
libvirt-clients | virsh
qemu-system-x86 | runs virtual machines
qemu-utils | qemu-img, with which libvirt makes disk images
ovmf | UEFI firmware
dnsmasq-base | addresses and names on virtual networks
iptables | NAT on virtual networks
iproute2 | bridges
dbus | libvirtd talks to the rest of the system over it
git | the desired state lives in a git repository
osinfo-db | tells what an ISO image holds, and where images can be had
lvm2 | extends the volume groups of logical pools
gnupg | verifies commits that are signed with GPG keys
openssh-client | verifies commits that are signed with ssh keys; git over ssh
libvirt-dev | builds the Python binding of libvirt
libldap-dev | builds the Python binding of libldap
libsasl2-dev | builds the Python binding of libldap
gcc | builds the Python binding of libvirt
libc6-dev | builds the Python binding of libvirt
pkg-config | builds the Python binding of libvirt
python3-dev | builds the Python binding of libvirt
python3-venv | the virtual environment .venv
LIST
        guest) cat << 'LIST' ;;
busybox-static | the tiny guest's programs
cpio | packs the tiny guest's first file system
kmod | finds the drivers that the tiny guest needs
fdisk | partitions the tiny guest's disk
mtools | writes the tiny guest's boot partition without mounting it
syslinux | boots the tiny guest by BIOS
syslinux-common | boots the tiny guest by BIOS
syslinux-efi | boots the tiny guest by UEFI
LIST
        test) cat << 'LIST' ;;
genisoimage | CD images for the tests
openssh-server | git over ssh in the tests
chromium | opens consoles in the tests
procps | looks for processes that a test left behind
libosinfo-bin | osinfo-detect, which the tests compare with
xorriso | ISO images for the tests
sosreport | collects the debug reports of the tests
nfs-common | showmount, which asks NFS servers
nfs-ganesha | a real NFS server in the tests
nfs-ganesha-vfs | a real NFS server in the tests
rpcbind | a real NFS server in the tests
tgt | a real iSCSI server in the tests
libiscsi-bin | asks iSCSI servers where the kernel can't
open-iscsi | asks iSCSI servers
slapd | a real LDAP server in the tests
openssl | makes certificates, also for the tests
dnf | its repositories and updates in the tests
rpm | builds packages for the tests
createrepo-c | repositories of DNF for the tests
dpkg-dev | repositories of APT for the tests
virtinst | virt-install makes machines for the tests of export
qemu-system-arm | defines machines of another architecture in the tests of export
swtpm | an emulated TPM for the tests, whose state has to survive
swtpm-tools | makes the first state of an emulated TPM
mdevctl | keeps the mediated devices that the tests define
systemd | systemd-analyze, which knows what the documented units restrict
libseccomp2 | restricts system calls in the tests as those units do
mmdebstrap | builds the lab, a machine with what this one's kernel lacks
e2fsprogs | makes the lab's disk
tini | reaps the QEMU processes of the tests at once, where the first process of a container takes its time
make | runs all of this
LIST
        *)
            echo "install.sh: no such group: $1 (run, guest, test)" >&2
            exit 2
            ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" < /dev/null
}

[ $# -gt 0 ] || set -- run
wanted=$(for group in "$@"; do packages "$group"; done)

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
    echo "install.sh: this isn't Debian, so please install by hand what these packages hold:" >&2
    echo "$wanted" >&2
    exit 1
fi

missing=$(echo "$wanted" | while read -r name _; do is_installed "$name" || echo "$name"; done)
[ -n "$missing" ] || exit 0

# What is installed for the tests alone brings servers that nobody asked for on this machine: none is started.
POLICY=/usr/sbin/policy-rc.d
keep_services_off() {
    [ ! -e "$POLICY" ] || return 0
    trap 'as_root rm -f "$POLICY"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat > '$POLICY' && chmod 755 '$POLICY'"
}

echo "These Debian packages are missing and will be installed:"
for name in $missing; do
    echo "$wanted" | sed -n "s/^$name | \(.*\)/  $name: \1/p"
done
if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
    echo "install.sh: that needs root: run it as root, or have an administrator install these packages" >&2
    exit 1
fi

case " $* " in *" test "*) keep_services_off ;; esac

# The package lists are fetched only when they're missing or turn out to be too old.
# shellcheck disable=SC2086 # one word for each package
if ! apt_get install --no-install-recommends $missing; then
    echo "The package lists are missing or out of date: fetching them."
    apt_get update
    apt_get install --no-install-recommends $missing
fi
