"""What operating system an ISO image holds, and where systems can be had: all of it from osinfo's own database."""

from reconciler.observed.osinfo.database import Database
from reconciler.observed.osinfo.definitions import UNKNOWN
from reconciler.observed.osinfo.distros import Distro, distributions
from reconciler.observed.osinfo.images import Images, IsoFacts

__all__ = ["UNKNOWN", "Database", "Distro", "Images", "IsoFacts", "distributions"]
