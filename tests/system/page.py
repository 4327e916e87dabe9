"""The page of a relay and of a gateway in headless Chromium: no console message, no request to anywhere else, nothing that axe-core
finds, plots that move, search, sort, pages, keyboard; both themes and a phone. Arguments: a folder writes screenshots there, a
number is that of the gateways.

    source ── relay (HTTP) ══ amt bench (gateways), amt gateway (HTTP)
"""

import pathlib
import re

from lib import browser
from lib.patience import PATIENCE
from lib.scenario import Skipped, tun_problem
from lib.topology import SSM, Line

NEEDS = {"namespaces"}
GATEWAYS = 60
# Each has a socket, and a process 20 000 descriptors on many machines.
GATEWAYS_AT_ONCE = 15_000
QUIET = "232.9.9.9"
OCTETS_MAX, PAINT_SECONDS_MAX = 1_000_000, 1.0
ADDRESS = "http://127.0.0.1:8080/"

def check_quality(case, page) -> None:
    for scheme in ("light", "dark"):
        page.show(1200, 1400, scheme)
        case.check(page.findings() == [], f"axe-core, {scheme}: {page.findings()}")
    page.show(390, 844, "light", phone=True)
    case.check(page.evaluate("document.documentElement.scrollWidth <= 390"), "fits a phone")
    case.check(page.findings() == [], f"axe-core, on a phone: {page.findings()}")
    page.show(1200, 1400, "light")
    case.check(page.loaded_octets() < OCTETS_MAX, f"{page.loaded_octets()} octets")
    case.check(page.paint_seconds() < PAINT_SECONDS_MAX * PATIENCE, f"first paint after {page.paint_seconds()} s")
    case.figure("first paint", page.paint_seconds(), f"s, {page.loaded_octets()} octets")


def check_silence(case, page) -> None:
    case.check(page.messages == [], f"console: {page.messages}")
    foreign = [url for url in page.requests if not url.startswith((ADDRESS, "about:"))]
    case.check(foreign == [], f"foreign requests: {foreign}")


def digits(text: str) -> int:
    """What stands between thousands is the browser's matter."""
    return int("0" + re.sub(r"\D", "", text))


def open_page(case, page) -> None:
    page.call("Page.navigate", url=ADDRESS)
    case.wait_until(lambda: page.evaluate("document.getElementById('state')?.textContent") == "All is well.", 20, "the state", poll=0.2)
    case.wait_until(lambda: page.evaluate("document.querySelectorAll('svg.plot path')[0]?.getAttribute('d')"), 20, "a plot", poll=0.2)


def relay_page(case, page, gateways: int) -> None:
    open_page(case, page)
    before = page.evaluate("document.querySelectorAll('svg.plot path')[1].getAttribute('d')")
    case.wait_until(lambda: page.evaluate("document.querySelectorAll('svg.plot path')[1].getAttribute('d')") != before, 10, "it moves", poll=0.2)
    case.wait_until(lambda: digits(page.evaluate("document.getElementById('figures').textContent.split('gateways')[0]")) == gateways, 60,
                    "figures", poll=0.5)
    rows = "document.querySelectorAll('#tunnels tbody tr').length"
    case.wait_until(lambda: page.evaluate(rows) == 25, 10, "a page of gateways", poll=0.2)
    page.evaluate("[...document.querySelectorAll('#tunnels .pages button')][1].click()")
    case.wait_until(lambda: digits(page.evaluate("document.querySelector('#tunnels .pages span').textContent")) == int(f"2650{gateways}"),
                    10, "26 to 50 of all", poll=0.2)
    page.evaluate("document.querySelector('#tunnels th button').click()")
    case.wait_until(lambda: page.evaluate("document.querySelector('#tunnels th').getAttribute('aria-sort')") == "ascending", 10, "by address", poll=0.2)
    # By keyboard alone.
    page.evaluate("document.getElementById('search-text').focus()")
    page.call("Input.insertText", text="203.0.113.9")
    page.press("Enter")
    case.wait_until(lambda: page.evaluate("document.querySelector('#tunnels > p').textContent") == "No gateway is like that.", 10, "found nothing", poll=0.2)
    page.evaluate(f"document.getElementById('search-text').value = '{SSM[4]}'; document.getElementById('search').requestSubmit()")
    case.wait_until(lambda: page.evaluate(rows) == 25, 10, "found by group", poll=0.2)
    page.evaluate("document.getElementById('span-day').click()")
    case.wait_until(lambda: page.evaluate("document.querySelector('#plots .scale span').textContent") == "60 min ago", 10, "the day", poll=0.2)
    page.evaluate("document.getElementById('span-hour').click()")
    check_quality(case, page)
    check_silence(case, page)


def take_screenshots(case, page, folder: pathlib.Path) -> None:
    page.evaluate("document.getElementById('search-text').value = ''; document.getElementById('search').requestSubmit()")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    # A minute of plots.
    case.wait_until(lambda: page.evaluate("document.querySelector('#plots .scale span').textContent") == "65 s ago", 90, "plots", poll=0.5)
    for name, width, height, scheme, phone in (("page-light", 960, 1040, "light", False), ("page-dark", 960, 1040, "dark", False),
                                               ("page-phone", 390, 844, "light", True)):
        page.show(width, height, scheme, phone)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        (folder / f"{name}.png").write_bytes(page.screenshot())


def gateway_page(case, line) -> None:
    if problem := tun_problem():
        case.note(f"gateway not shown: {problem}")
        return
    line.start_gateway(4, "--http", "127.0.0.1:8080")
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    case.wait_until(lambda: listener.count > 20, 10, "data")
    page = case.closing(browser.Browser(case, line.gateway))
    open_page(case, page)
    case.wait_until(lambda: "yes" in (page.evaluate("document.querySelector('#memberships tbody')?.textContent") or ""), 10, "it comes", poll=0.2)
    case.check("connected" in page.evaluate("document.querySelector('#relays tbody').textContent"), "the relay")
    case.check(not page.evaluate("document.getElementById('tunnels-section').checkVisibility()"), "no relay's lists")
    check_quality(case, page)
    check_silence(case, page)


def start_gateways(case, line, count: int) -> None:
    """Those beyond GATEWAYS want a channel that nobody sends."""
    groups = [(SSM[4], min(count, GATEWAYS))]
    while rest := count - sum(number for _, number in groups):
        groups.append((QUIET, min(rest, GATEWAYS_AT_ONCE)))
    for number, (group, size) in enumerate(groups):
        address = f"10.2.0.{100 + number}"
        line.gateway.ip(f"addr add {address}/24 dev g0")
        case.start(["bench", "--relay", line.relay_address(4), "--local", address, "--gateways", size, "--group",
                    f"{line.source_address(4)}@{group}", "--duration", 600], f"bench{number}", line.gateway)


def run(case):
    if reason := browser.missing():
        raise Skipped(reason)
    gateways = next((int(one) for one in case.arguments if one.isdigit()), GATEWAYS)
    line = Line(case)
    line.start_relay("--max-tunnels", 2 * gateways, "--max-tunnels-per-address", 2 * gateways, "--max-channels-per-address", 2 * gateways,
                     "--max-requests-per-address", 0, "--max-updates-per-address", 0, "--http", "127.0.0.1:8080")
    start_gateways(case, line, gateways)
    line.stream(4, SSM[4], rate=200, sizes=(1300,))
    page = case.closing(browser.Browser(case, line.relay))
    relay_page(case, page, gateways)
    for folder in (one for one in case.arguments if not one.isdigit()):
        take_screenshots(case, page, pathlib.Path(folder))
    gateway_page(case, line)
