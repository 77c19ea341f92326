"""The tests: real parts, the state of the world asserted. `tests.lab` is the machine that they run on.

Their pools lie in folders for temporary files, or on the test driver nowhere at all: any place is allowed by default.
"""

from reconciler.settings import bounds

OWN_POOL_FOLDERS = ("/",)
bounds.POOL_FOLDERS = OWN_POOL_FOLDERS  # type: ignore[misc]  # of each process that runs tests
