"""What the tests of the API share."""

from tests.api.live import api
from tests.stories.hosts import hand

__all__ = ["api", "hand"]
