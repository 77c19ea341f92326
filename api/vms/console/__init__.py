"""/vms/{name}/console: a machine's screen or serial line, over a WebSocket."""
