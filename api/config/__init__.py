"""/config: this onggi, what the host can do, and where installation images can be had."""
