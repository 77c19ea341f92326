"""What the tests of the API share."""

from tests.api.live import api
from tests.api.machines import templates
from tests.stories.hosts import hand

__all__ = ["api", "hand", "templates"]
