"""Whether QEMU's user may read an image: what libvirt says of who that is, and every folder on the way."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.host.qemu_access import may_read, qemu_ids

CAPABILITIES = """<capabilities><host><secmodel><model>apparmor</model><baselabel type='kvm'>x</baselabel></secmodel>
<secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>+64055:+106</baselabel>
<baselabel type='qemu'>+64055:+106</baselabel></secmodel></host></capabilities>"""
SOMEBODY = (64055, 106)


def test_who_it_is_stands_in_libvirts_capabilities() -> None:
    assert qemu_ids(CAPABILITIES) == SOMEBODY
    assert qemu_ids("<capabilities><host/></capabilities>") is None
    assert qemu_ids(CAPABILITIES.replace("+64055:+106", "qemu:kvm")) is None
    assert qemu_ids("") is None


def test_every_folder_on_the_way_counts_and_so_does_a_link() -> None:
    root = Path("/run") / f"onggi-test-{os.getpid()}"  # pytest's own folders let nobody else in
    (root / "open/closed").mkdir(parents=True)
    try:
        image, hidden, link = root / "open/image.iso", root / "open/closed/image.iso", root / "link.iso"
        for path in (image, hidden):
            path.write_bytes(b"")
            path.chmod(0o644)
        for folder in (root, root / "open"):
            folder.chmod(0o755)
        hidden.parent.chmod(0o700)
        link.symlink_to(hidden)
        assert [may_read(str(path), SOMEBODY) for path in (image, hidden, link)] == [True, False, False]
        assert may_read(str(hidden), None) and may_read(str(hidden), (0, 0))
        image.chmod(0o640)
        assert not may_read(str(image), SOMEBODY)
        os.chown(image, -1, SOMEBODY[1])
        assert may_read(str(image), SOMEBODY)
        assert not may_read(f"{root}/none", SOMEBODY) and not may_read("\0", SOMEBODY)
    finally:
        for path in (link, hidden, image):
            path.unlink()
        for folder in (hidden.parent, root / "open", root):
            folder.rmdir()
