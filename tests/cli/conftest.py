"""What the tests of the command line share."""

from tests.cli.command import onggi

__all__ = ["onggi"]
