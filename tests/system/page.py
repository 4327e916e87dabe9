"""The page of a relay and of a gateway in headless Chromium: no console message, no request to anywhere else, plots that
move, search, sort, pages, keyboard; both themes and a phone. With an argument: writes screenshots into that folder.

    source ── relay (HTTP) ══ amt bench (gateways), amt gateway (HTTP)
"""

import pathlib

from lib import browser
from lib.scenario import Skipped, tun_problem
from lib.topology import SSM, Line

NEEDS = {"namespaces"}
GATEWAYS = 60
ADDRESS = "http://127.0.0.1:8080/"

# What a screen reader would be left without, and what a finger or a key would not find.
LACKS = """(() => {
  const bad = [];
  const name = (e) => e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length ? "label" : "");
  for (const e of document.querySelectorAll("button, a, input, svg[role=img], [role=region]")) if (!name(e)) bad.push(e.outerHTML.slice(0, 80));
  for (const e of document.querySelectorAll("section")) if (!document.getElementById(e.getAttribute("aria-labelledby"))) bad.push(e.outerHTML.slice(0, 80));
  for (const e of document.querySelectorAll("th")) if (e.scope !== "col") bad.push("th " + e.textContent);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) bad.push("an id twice");
  if (!document.documentElement.lang || document.querySelectorAll("h1").length !== 1) bad.push("lang or h1");
  return bad;
})()"""
CONTRAST = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return "rgb(255,255,255)"; };
  let least = [99, ""];
  for (const e of document.querySelectorAll("h1, h2, p, td, th, button, a, span, label, figcaption span")) {
    if (!e.textContent.trim() || !e.checkVisibility() || e.classList.contains("skip")) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least[0] && !e.disabled) least = [ratio, e.outerHTML.slice(0, 80)];
  }
  return least;
})()"""


def check_quality(case, page) -> None:
    for scheme in ("light", "dark"):
        page.show(1200, 1400, scheme)
        ratio, where = page.evaluate(CONTRAST)
        case.check(ratio >= 4.5, f"contrast {ratio:.1f} in {scheme}: {where}")
    case.check(page.evaluate(LACKS) == [], f"accessibility: {page.evaluate(LACKS)}")
    page.show(390, 844, "light", phone=True)
    case.check(page.evaluate("document.documentElement.scrollWidth <= 390"), "fits a phone")
    page.show(1200, 1400, "light")


def check_silence(case, page) -> None:
    case.check(page.messages == [], f"console: {page.messages}")
    foreign = [url for url in page.requests if not url.startswith((ADDRESS, "about:"))]
    case.check(foreign == [], f"foreign requests: {foreign}")


def open_page(case, page) -> None:
    page.call("Page.navigate", url=ADDRESS)
    case.wait_until(lambda: page.evaluate("document.getElementById('state')?.textContent") == "All is well.", 20, "the state", poll=0.2)
    case.wait_until(lambda: page.evaluate("document.querySelectorAll('svg.plot path')[0]?.getAttribute('d')"), 20, "a plot", poll=0.2)


def relay_page(case, page) -> None:
    open_page(case, page)
    before = page.evaluate("document.querySelectorAll('svg.plot path')[1].getAttribute('d')")
    case.wait_until(lambda: page.evaluate("document.querySelectorAll('svg.plot path')[1].getAttribute('d')") != before, 10, "it moves", poll=0.2)
    case.check("60 gateways" in page.evaluate("document.getElementById('figures').textContent"), "figures")
    rows = "document.querySelectorAll('#tunnels tbody tr').length"
    case.wait_until(lambda: page.evaluate(rows) == 25, 10, "a page of gateways", poll=0.2)
    page.evaluate("[...document.querySelectorAll('#tunnels .pages button')][1].click()")
    case.wait_until(lambda: "26 to 50 of 60" in page.evaluate("document.querySelector('#tunnels .pages span').textContent"), 10, "the next page", poll=0.2)
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


def run(case):
    if not browser.program():
        raise Skipped("no Chromium here (Debian package chromium; make browser installs it)")
    line = Line(case)
    line.start_relay("--max-tunnels-per-address", 1000, "--max-requests-per-address", 0, "--max-updates-per-address", 0,
                     "--http", "127.0.0.1:8080")
    case.start(["bench", "--relay", line.relay_address(4), "--gateways", GATEWAYS, "--group",
                f"{line.source_address(4)}@{SSM[4]}", "--duration", 600], "bench", line.gateway)
    line.stream(4, SSM[4], rate=200, sizes=(1300,))
    page = case.closing(browser.Browser(case, line.relay))
    relay_page(case, page)
    if case.arguments:
        take_screenshots(case, page, pathlib.Path(case.arguments[0]))
    gateway_page(case, line)
