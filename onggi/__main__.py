"""The command `onggi`, also as `python -m onggi`."""

import sys

from reconciler.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
