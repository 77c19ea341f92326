"""The tests: real parts, the state of the world asserted. `tests.lab` is the machine that they run on."""
