"""What every test may use. The fixtures live in `tests/lab`, one subject in each module."""

pytest_plugins = [
    "tests.lab.guest_image",
    "tests.lab.cloud_image",
    "tests.lab.libvirtd",
    "tests.lab.repositories",
]
