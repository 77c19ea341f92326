"""What the stories share."""

from tests.stories.hosts import hand, imageless_guest, line_with_pool, shared_line

__all__ = ["hand", "imageless_guest", "line_with_pool", "shared_line"]
