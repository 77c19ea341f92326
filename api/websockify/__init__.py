"""/websockify: screens for clients that know a machine's name for its ticket, as Kimchi's proxy took it."""
