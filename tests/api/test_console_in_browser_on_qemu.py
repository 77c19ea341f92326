"""A machine's screen and serial console in a real browser: the real agent, the real hypervisor, a real guest."""

from __future__ import annotations

import base64
import io
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import libvirt
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, StorageState, expect

from reconciler.identity.logins import Logins
from reconciler.identity.pam import PamAccounts, PamChildren
from reconciler.identity.role import Role
from tests.api.live import LiveApi, live_api
from tests.lab.accounts import PASSWORD, a_group, a_pam_service, an_account
from tests.lab.browser import HANGS_MS, Person, a_person, chromium
from tests.lab.libvirtd import PREFIX, STORAGE, HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.lab.web import web

__all__ = ["web"]

pytestmark = pytest.mark.qemu

expect.set_options(timeout=HANGS_MS)

STATE = "[role=status]"
DIFFERS = 2  # of 255, between a colour on the screen and in the picture of it: both are of the same bytes


@dataclass
class Lab:
    """An agent that asks PAM who somebody is, one running guest, an administrator and somebody who only looks."""

    api: LiveApi
    domain: libvirt.virDomain
    admin: str
    viewer: str

    @property
    def console(self) -> str:
        return f"/console/{self.domain.name()}"

    def picture(self) -> Image.Image:
        """Of the screen, as libvirt makes it."""
        stream, received = self.domain.connect().newStream(), bytearray()
        self.domain.screenshot(stream, 0)
        stream.recvAll(lambda _stream, data, _: received.extend(data), None)
        stream.finish()
        return Image.open(io.BytesIO(received)).convert("RGB")


@pytest.fixture(scope="module")
def lab(qemu_system: str, guest_image: Path, tmp_path_factory: pytest.TempPathFactory, web: Path) -> Iterator[Lab]:
    with ExitStack() as stack:
        hand = libvirt.open(qemu_system)
        stack.callback(hand.close)
        domain = stack.enter_context(a_guest(hand, guest_image))
        folder = tmp_path_factory.mktemp("agent")
        repository = Repository(folder / "repository")
        repository.commit({}, "Begin")
        deciders, lookers = stack.enter_context(a_group()), stack.enter_context(a_group())
        admin, viewer = stack.enter_context(an_account(deciders)), stack.enter_context(an_account(lookers))
        accounts = PamAccounts(PamChildren(stack.enter_context(a_pam_service())))
        stack.callback(accounts.close)
        logins = Logins(accounts, {Role.ADMIN: [deciders], Role.VIEWER: [lookers]})
        api = stack.enter_context(live_api(repository, folder / "state", qemu_system, logins=logins))
        with SerialConsole(qemu_system, domain.name()) as line:
            line.wait_until_ready(300)
        yield Lab(api, domain, admin.name, viewer.name)


@contextmanager
def a_guest(hand: libvirt.virConnect, image: Path) -> Iterator[libvirt.virDomain]:
    """The tiny guest, with a screen and a serial line; it is gone when it stops."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=STORAGE))
    objects = HostObjects(hand)
    try:
        folder.chmod(0o755)
        disk = Path(shutil.copy(image, folder))
        yield hand.createXML(
            f"<domain type='qemu'><name>{objects.name('vm')}</name><memory unit='MiB'>192</memory>"
            "<os><type arch='x86_64'>hvm</type></os><features><acpi/></features><devices>"
            f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{disk}'/>"
            "<target dev='vda' bus='virtio'/></disk><serial type='pty'/><console type='pty'/>"
            "<graphics type='vnc' port='-1' listen='127.0.0.1'/><video><model type='vga'/></video></devices></domain>"
        )
    finally:
        objects.remove_all()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@contextmanager
def somebody(browser: Browser, lab: Lab, **how: Any) -> Iterator[Person]:
    """At the agent's address. Afterwards they don't have the serial console any more, which has one reader."""
    consoles, machine = lab.api.serving.consoles, lab.domain.UUIDString()
    before = consoles.line(machine)
    with a_person(browser, lab.api.url, **how) as person:
        yield person
    until(lambda: consoles.line(machine) in (None, before), 60, "the serial console is free")


@pytest.fixture(scope="module")
def sessions(browser: Browser, lab: Lab) -> dict[str, StorageState]:
    """By whose they are: each has logged in once."""
    found = {}
    for name in (lab.admin, lab.viewer):
        with somebody(browser, lab) as person:
            log_in(person.page, lab, name)
            found[name] = person.session()
    return found


@pytest.fixture
def admin(browser: Browser, lab: Lab, sessions: dict[str, StorageState]) -> Iterator[Person]:
    """At the serial console."""
    with somebody(browser, lab, storage_state=sessions[lab.admin]) as person:
        open_console(person.page, lab, "serial")
        yield person


@pytest.fixture
def viewer(browser: Browser, lab: Lab, sessions: dict[str, StorageState]) -> Iterator[Person]:
    """At the screen."""
    with somebody(browser, lab, storage_state=sessions[lab.viewer]) as person:
        open_console(person.page, lab, "vnc")
        yield person


def log_in(page: Page, lab: Lab, name: str, kind: str = "serial") -> None:
    """By asking for a console, which leads to the login, which leads back."""
    page.goto(f"{lab.console}?kind={kind}")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{lab.console}?kind={kind}")
    expect(page.locator(STATE)).to_have_text("Connected")


def open_console(page: Page, lab: Lab, kind: str) -> None:
    page.goto(f"{lab.console}?kind={kind}")
    expect(page.locator(STATE)).to_have_text("Connected")


def typed(page: Page, line: str) -> None:
    """Into the terminal, as by hand."""
    page.get_by_role("textbox").focus()
    page.keyboard.type(f"{line}\n")


def shown(page: Page, words: str) -> None:
    """On the terminal."""
    expect(page.locator(".xterm-rows")).to_contain_text(words)


def paste(page: Page, text: str) -> None:
    page.get_by_role("button", name="Paste …").click()
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Type it").click()


def test_who_isnt_logged_in_is_led_to_the_login_and_back_and_a_wrong_password_leads_nowhere(
    browser: Browser, lab: Lab
) -> None:
    with somebody(browser, lab) as person:
        page = person.page
        page.goto(lab.console)
        page.wait_for_url("**/login?next=*")
        page.get_by_label("User name").fill(lab.admin)
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).not_to_be_empty()
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{lab.console}")
        expect(page).to_have_title(f"{lab.domain.name()} – screen")
        expect(page.get_by_role("heading")).to_have_text(lab.domain.name())


def test_after_the_login_nobody_is_led_to_another_server(browser: Browser, lab: Lab) -> None:
    with somebody(browser, lab) as person:
        person.page.goto("/login?next=//elsewhere.example/")
        person.page.get_by_label("User name").fill(lab.admin)
        person.page.get_by_label("Password").fill(PASSWORD)
        person.page.keyboard.press("Enter")
        person.page.wait_for_url(f"{lab.api.url}/docs")


def test_the_screen_shows_what_libvirts_picture_of_it_does(admin: Person, lab: Lab) -> None:
    lab.domain.suspend()  # so that nothing moves between the two
    try:
        open_console(admin.page, lab, "vnc")
        picture = lab.picture()
        assert len(picture.getcolors()) > 1, "the guest has written something on it"

        def is_the_same() -> bool:
            data = admin.page.evaluate("document.querySelector('.place canvas').toDataURL()")
            screen = Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB")
            if screen.size != picture.size:
                return False
            return max(most for _, most in ImageChops.difference(screen, picture).getextrema()) <= DIFFERS

        until(is_the_same, 120, "the screen in the browser is that of the picture")
    finally:
        lab.domain.resume()


def test_what_is_typed_into_the_serial_console_is_answered(admin: Person, lab: Lab) -> None:
    page = admin.page
    typed(page, "echo the answer is $((6 * 7))")
    shown(page, "the answer is 42")
    paste(page, "echo pasted $((2 + 3))\n")
    shown(page, "pasted 5")
    typed(page, r"printf '\033[38;2;255;100;0mcolour\033[0m \033]0;evil\007 %s\n' $((40 + 4))")
    shown(page, "colour")
    shown(page, "44")
    colour = page.locator(".xterm-rows span", has_text="colour").last
    expect(colour).to_have_css("color", "rgb(255, 100, 0)")
    expect(page).to_have_title(f"{lab.domain.name()} – serial console")


def test_a_text_is_typed_on_the_screen_key_by_key(admin: Person, lab: Lab) -> None:
    typed(admin.page, 'read -r heard < /dev/tty1; echo heard: "$heard".')
    screen = admin.another_page()
    open_console(screen, lab, "vnc")
    paste(screen, "Grüße")
    expect(screen.get_by_role("alert")).to_contain_text("ü ß")
    screen.get_by_role("button", name="Cancel").click()
    paste(screen, "It's <b>3 & 4</b>?\n")
    shown(admin.page, "heard: It's <b>3 & 4</b>?.")


def test_the_keys_that_a_browser_keeps_reach_the_guest_by_buttons(admin: Person, lab: Lab) -> None:
    typed(admin.page, '{ echo open: $((1 + 1)); read -r heard; } < /dev/tty2; echo heard: "$heard".')
    shown(admin.page, "open: 2")  # there is no second screen before somebody has it
    screen = admin.another_page()
    open_console(screen, lab, "vnc")
    screen.keyboard.press("Control+Alt+Home")  # back to the bar, without a mouse
    screen.keyboard.press("Enter")
    screen.get_by_role("button", name="Ctrl+Alt+F2", exact=True).click()
    screen.keyboard.type("second\n", delay=40)  # as fast as an emulated keyboard takes it
    shown(admin.page, "heard: second.")
    screen.keyboard.press("Control+Alt+Home")
    screen.keyboard.press("Enter")
    screen.get_by_role("button", name="Ctrl+Alt+F1", exact=True).click()


def test_who_only_looks_types_nothing(admin: Person, viewer: Person, lab: Lab) -> None:
    expect(viewer.page.get_by_text("Read-only")).to_be_visible()
    expect(viewer.page.get_by_role("button", name="Paste …")).to_have_count(0)
    typed(admin.page, 'read -r heard < /dev/tty1; echo heard: "$heard".')
    viewer.page.locator(".place canvas").focus()
    viewer.page.keyboard.type("from the viewer\n")
    by_hand(viewer.page, lab, "vnc", KEY)
    screen = admin.another_page()
    open_console(screen, lab, "vnc")
    paste(screen, "from the administrator\n")
    shown(admin.page, "heard: from the administrator.")


# A viewer of RFB 3.8 that asks for no proof: the letter x, pressed.
KEY = [*b"RFB 003.008\n"], [1], [1], [4, 1, 0, 0, 0, 0, 0, ord("x"), 4, 0, 0, 0, 0, 0, 0, ord("x")]


def by_hand(page: Page, lab: Lab, kind: str, messages: tuple[list[int], ...]) -> None:
    """What a script says that doesn't keep to what the page does: each message once something came."""
    page.evaluate(
        """async ([machine, kind, messages]) => {
            const answer = await fetch(`/vms/${machine}/connect`, {
                method: 'POST', body: JSON.stringify({ kind }),
                headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest' },
            });
            const line = new WebSocket((await answer.json()).console.url, ['binary']);
            for (const message of messages) {
                await new Promise(resolve => { line.onmessage = resolve; });
                line.send(new Uint8Array(message));
            }
            await new Promise(resolve => { line.onclose = resolve; line.close(); });
        }""",
        [lab.domain.name(), kind, messages],
    )


def test_who_takes_a_serial_console_over_is_told_to_whom_it_was_taken_from(
    browser: Browser, admin: Person, lab: Lab, sessions: dict[str, StorageState]
) -> None:
    with somebody(browser, lab, storage_state=sessions[lab.admin]) as second:
        page = second.page
        page.goto(f"{lab.console}?kind=serial")
        expect(page.locator(STATE)).to_have_text("Not connected")
        expect(page.locator("#why")).to_contain_text(lab.admin)
        page.get_by_role("button", name="Take over").click()
        expect(page.locator(STATE)).to_have_text("Connected")
        expect(admin.page.locator(STATE)).to_have_text("Not connected")
        expect(admin.page.locator("#why")).to_contain_text(lab.admin)
        typed(page, "echo mine $((1 + 1))")
        shown(page, "mine 2")
    admin.page.get_by_role("button", name="Connect again").click()
    expect(admin.page.locator(STATE)).to_have_text("Connected")


def test_a_ticket_opens_a_console_once(admin: Person, lab: Lab) -> None:
    with admin.page.expect_websocket() as opened:
        open_console(admin.page, lab, "vnc")
    assert "ticket=" in opened.value.url
    again = """url => new Promise(resolve => {
        const line = new WebSocket(url, ['binary']);
        line.onopen = () => resolve('opened');
        line.onclose = event => resolve(event.code);
    })"""
    assert admin.page.evaluate(again, opened.value.url) == 1006
    admin.complaints.clear()  # of the connection that was refused


def test_who_loads_the_page_anew_has_the_serial_console_again(admin: Person) -> None:
    admin.page.reload()
    expect(admin.page.locator(STATE)).to_have_text("Connected")


def test_a_console_ends_with_its_session(browser: Browser, lab: Lab) -> None:
    with somebody(browser, lab) as person:
        page = person.page
        log_in(page, lab, lab.admin)
        page.evaluate("fetch('/logout', { method: 'POST', headers: { 'X-Requested-With': 'XMLHttpRequest' } })")
        expect(page.locator(STATE)).to_have_text("Not connected")
        expect(page.locator("#why")).not_to_be_empty()
        page.get_by_role("button", name="Connect again").click()
        page.wait_for_url("**/login?next=*")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_the_pages(
    browser: Browser, lab: Lab, sessions: dict[str, StorageState], theme: Literal["light", "dark"]
) -> None:
    with somebody(browser, lab, color_scheme=theme, storage_state=sessions[lab.admin]) as person:
        page = person.page
        page.goto("/login")
        assert found_by_axe(page) == []
        open_console(page, lab, "serial")
        assert found_by_axe(page) == []
        page.get_by_role("button", name="Paste …").click()
        assert found_by_axe(page) == []
        open_console(page, lab, "vnc")
        page.locator("summary").click()
        assert found_by_axe(page) == []
        page.goto("/console/there%20is%20none")
        expect(page.get_by_role("button", name="Connect again")).to_be_focused()
        assert found_by_axe(page) == []


def found_by_axe(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in violations for node in each["nodes"]]


def test_a_machines_name_is_text(admin: Person) -> None:
    name = "<img src=x onerror=alert(1)><h1>‮evil"
    admin.page.goto("/console/%3Cimg%20src=x%20onerror=alert(1)%3E%3Ch1%3E%E2%80%AEevil")
    expect(admin.page.locator(STATE)).to_have_text("Not connected")
    expect(admin.page.get_by_role("heading")).to_have_text(name)
    expect(admin.page.locator("#why")).to_contain_text("<img src=x")
    assert admin.page.locator("img").count() == 0
    assert admin.page.title().startswith(name)


class _Elsewhere(BaseHTTPRequestHandler):
    page = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        pass


def test_no_other_page_has_a_console_or_the_login_in_a_frame(admin: Person, lab: Lab) -> None:
    frames = "".join(f"<iframe src='{lab.api.url}{path}'></iframe>" for path in (lab.console, "/login"))
    handler = type("Framing", (_Elsewhere,), {"page": frames.encode()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = admin.another_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        framed = [frame for frame in page.frames if frame != page.main_frame]
        assert len(framed) == 2
        for frame in framed:
            assert frame.url == "chrome-error://chromewebdata/"
            assert frame.locator("input, canvas, .place").count() == 0
        server.shutdown()
    assert all("frame" in each for each in admin.complaints)
    admin.complaints.clear()
