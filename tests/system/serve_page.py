"""The page of `amt serve` in headless Chromium: lists the channels of a playlist, plays picture and sound of a real stream that came
through a real tunnel, changes channel, and goes on after a restart of the relay. With an argument: writes a screenshot into that folder.

    amt send, twice ── relay ══ amt serve │ HTTP │ Chromium
"""

import pathlib

from lib import browser, video
from lib.scenario import Skipped
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces"}
ADDRESS = "http://127.0.0.1:4022/"
GROUPS = (SSM[4], "232.1.2.4")
PLAYER = pathlib.Path(__file__).resolve().parents[2] / "src/observe/serve_page/node_modules/hls.js"


def run(case):
    if not browser.program():
        raise Skipped("no Chromium here (Debian package chromium; make browser installs it)")
    if not PLAYER.is_dir():
        raise Skipped("hls.js was not embedded (npm ci in src/observe/serve_page, then build)")
    files = [video.make_stream(case, 120, name=name, picture=name) for name in ("testsrc", "smptebars")]
    line = Line(case)
    relay = line.start_relay("--query-interval", 5)
    source = line.source_address(4)
    listed = case.folder / "channels.m3u"
    listed.write_text("#EXTM3U\n" + "".join(f"#EXTINF:-1 group-title=\"Test\",{name}\namt://{source}@{group}:{PORT}\n"
                                            for name, group in zip(("First <b>channel</b>", "Second"), GROUPS)), encoding="utf-8")
    case.start(["serve", "--relay", line.relay_address(4), "--playlist", listed], "serve", line.gateway).wait_ready()
    for number, (group, file) in enumerate(zip(GROUPS, files)):
        case.start(["send", f"{group}:{PORT}", file, "--interface", "s0", "--ttl", 8], f"send{number}", line.source)
    page = case.closing(browser.Browser(case, line.gateway))
    page.call("Page.navigate", url=ADDRESS)
    buttons = "document.querySelectorAll('#channels button')"
    case.wait_until(lambda: page.evaluate(buttons + ".length") == 2, 20, "the channels", poll=0.2)
    case.check(page.evaluate(buttons + "[0].firstChild.textContent") == "First <b>channel</b>", "a name is text, not markup")

    def frames() -> int:
        return page.evaluate("document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames") or 0

    def plays(what: str) -> None:
        before = frames()
        case.wait_until(lambda: frames() >= before + 50 or (before > 50 and 50 <= frames() < before), 40, what, poll=0.3)

    page.evaluate("document.getElementById('video').muted = true")
    page.evaluate(buttons + "[0].click()")
    plays("the first channel plays")
    case.check(page.evaluate("document.getElementById('video').webkitAudioDecodedByteCount") > 0, "and sounds")
    case.check(page.evaluate("document.getElementById('video').videoWidth") == 320, "its size")
    case.wait_until(lambda: "through the relay" in page.evaluate("document.getElementById('numbers').textContent"), 10, "numbers in words", poll=0.3)
    if case.arguments:
        page.show(1100, 620, "light")
        (pathlib.Path(case.arguments[0]) / "serve-page.png").write_bytes(page.screenshot())
    page.evaluate(buttons + "[1].click()")
    case.check(page.evaluate("document.getElementById('now').textContent") == "Second", "the other one")
    plays("the second channel plays")
    relay.kill()
    line.start_relay("--query-interval", 5, name="relay-again")
    before = page.evaluate("document.getElementById('video').currentTime")
    case.wait_until(lambda: page.evaluate("document.getElementById('video').currentTime") > before + 10, 60, "it goes on", poll=0.5)
    page.show(390, 844, "light", phone=True)
    case.check(page.evaluate("document.documentElement.scrollWidth <= 390"), "fits a phone")
    foreign = [url for url in page.requests if not url.startswith((ADDRESS, "about:", "data:", f"blob:{ADDRESS}"))]
    case.check(foreign == [], f"foreign requests: {foreign}")
    case.check(page.messages == [], f"console: {page.messages}")
