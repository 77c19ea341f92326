#!/bin/sh
# Start libvirtd where none answers, and later end exactly what was started.
#
#   setup/hypervisor.sh start RECORD      note in the file RECORD what had to be started (empty: somebody's libvirtd answered)
#   setup/hypervisor.sh stop RECORD       end what RECORD lists, and remove it
#   setup/hypervisor.sh run COMMAND...    start, run the command, and stop; the status is the command's
#
# With systemd the unit is asked for; without it (a container, a small virtual machine) the daemons are started here.
set -eu

URI=qemu:///system
ANSWER_TIMEOUT_S=30

fail() {
    echo "hypervisor.sh: $*" >&2
    exit 1
}

answers() {
    timeout 10 virsh -q -c "$URI" uri > /dev/null 2>&1 < /dev/null
}

# Wait for a condition: wait_until SECONDS COMMAND...
wait_until() {
    tries=$(($1 * 10))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

gone() {
    ! kill -0 "$1" 2> /dev/null
}

active_networks() {
    virsh -q -c "$URI" net-list --name < /dev/null | grep . || true
}

# Wait for the pid that a daemon writes, and note it. The record's first line is ended last.
note_daemon() {
    wait_until 10 test -s "$2" || fail "$1 wrote no pid to $2: run it in the foreground to see why"
    echo "daemon $1 $(cat "$2")" >> "$record"
}

# Without udev nobody gives /dev/kvm to QEMU's group. libvirt then distrusts what it knows of QEMU, and probes it anew for
# every definition of a VM, which takes seconds.
kvm_is_closed() {
    [ -e /dev/kvm ] && ! { [ "$(stat -c %G /dev/kvm)" = kvm ] || [ -n "$(find /dev/kvm -perm -o=rw)" ]; }
}

open_kvm() {
    kvm_is_closed || return 0
    echo "kvm $(stat -c '%u:%g %a' /dev/kvm)" >> "$record"
    chgrp kvm /dev/kvm
    chmod 660 /dev/kvm
}

# The caller's folder for temporary files may be closed to the users that libvirt's helpers run as (swtpm's is tss).
service() {
    env -u TMPDIR "$@"
}

start_daemons() {
    open_kvm
    mkdir -p /run/lock  # where libvirt notes who uses a serial console
    if [ ! -S /run/dbus/system_bus_socket ] || ! dbus-send --system --print-reply --dest=org.freedesktop.DBus \
        / org.freedesktop.DBus.GetId > /dev/null 2>&1; then
        mkdir -p /run/dbus
        rm -f /run/dbus/pid
        service dbus-daemon --system --fork
        note_daemon dbus-daemon /run/dbus/pid
    fi
    # virtlogd first: libvirtd hands it the guests' console logs.
    if ! kill -0 "$(cat /run/virtlogd.pid 2> /dev/null || echo x)" 2> /dev/null; then
        rm -f /run/virtlogd.pid
        service virtlogd -d -p /run/virtlogd.pid
        note_daemon virtlogd /run/virtlogd.pid
    fi
    rm -f /run/libvirtd.pid
    service libvirtd -d -p /run/libvirtd.pid
    note_daemon libvirtd /run/libvirtd.pid
}

start() {
    : > "$record"
    if answers; then
        if kvm_is_closed; then
            echo "hypervisor.sh: QEMU's user can't open /dev/kvm, which makes each definition of a VM slow:" \
                "chgrp kvm /dev/kvm && chmod 660 /dev/kvm" >&2
        fi
        return
    fi
    command -v libvirtd > /dev/null || fail "libvirtd isn't installed: run \`make install-run\`"
    [ "$(id -u)" = 0 ] || fail "no libvirtd answers on $URI, and starting one needs root: run this with sudo, or start libvirtd"
    # Networks that outlived an earlier libvirtd aren't ours to stop.
    ls /run/libvirt/network 2> /dev/null | sed -n 's/\.xml$//p' | sed 's/^/network-before /' >> "$record"
    if [ -d /run/systemd/system ]; then
        systemctl start libvirtd.service
        echo "unit libvirtd.service" >> "$record"
    else
        start_daemons
    fi
    wait_until "$ANSWER_TIMEOUT_S" answers || fail "libvirtd was started but doesn't answer on $URI: see its log"
    echo "started $(sed -n -e 's/^daemon \([^ ]*\).*/\1/p' -e 's/^unit //p' "$record" | tr '\n' ' ')" >&2
}

# End one daemon and wait until it's gone; a stubborn one is killed.
end_daemon() {
    gone "$2" && return
    # The pid may have been given to another program meanwhile.
    [ "$(cat "/proc/$2/comm" 2> /dev/null)" = "$1" ] || return 0
    kill "$2"
    wait_until 15 gone "$2" || kill -9 "$2"
}

stop() {
    [ -e "$record" ] || return 0
    if grep -q -e ^unit -e ^daemon "$record"; then
        # A network that libvirtd started by itself (autostart) leaves a bridge and a dnsmasq behind otherwise.
        active_networks | while read -r network; do
            grep -qx "network-before $network" "$record" || virsh -q -c "$URI" net-destroy "$network" < /dev/null
        done
    fi
    sed '1!G;h;$!d' "$record" | while read -r what name detail; do
        case "$what" in
            unit) systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket "$name" 2> /dev/null || systemctl stop "$name" ;;
            daemon) end_daemon "$name" "$detail" ;;
            kvm) chown "$name" /dev/kvm && chmod "$detail" /dev/kvm ;;
        esac
    done
    rm -f "$record"
}

# The command's status goes through the trap; a signal ends the command first, because it reaches the whole group.
run() {
    record=$(mktemp -t onggi-hypervisor.XXXXXX)
    trap stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start
    "$@"
}

USAGE="usage: hypervisor.sh start RECORD | stop RECORD | run COMMAND..."
[ $# -ge 2 ] || fail "$USAGE"
verb=$1
shift
case "$verb" in
    start | stop)
        record=$1
        "$verb"
        ;;
    run) run "$@" ;;
    *) fail "$USAGE" ;;
esac
