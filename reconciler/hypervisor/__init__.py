"""The only place that talks to libvirt. Everybody else gets a `Hypervisor`, plain values and sentences."""

from reconciler.hypervisor.hypervisor import Hypervisor

__all__ = ["Hypervisor"]
