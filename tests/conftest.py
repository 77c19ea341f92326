"""What every test may use. The fixtures live in `tests/lab`, one subject in each module."""

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.lab.guest_image",
    "tests.lab.cloud_image",
    "tests.lab.libvirtd",
    "tests.lab.repositories",
]

# No test is timed, properties included: the machine may be busy. What hangs ends by pytest's own limit.
settings.register_profile("onggi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("onggi")
