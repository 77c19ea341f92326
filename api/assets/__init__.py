"""What browsers load: our scripts and styles, and the packages that they use, as `make web` has built them."""
