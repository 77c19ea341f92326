"""What a running machine of QEMU's saw of a change: asked of QEMU's monitor, without an operating system in it."""
