"""Side-by-side measurements: `make bench`. Nothing here is a test, and no test is timed."""
