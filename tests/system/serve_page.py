"""The page of `amt serve` in headless Chromium: lists the channels of a playlist, plays picture and sound of a real stream that came
through a real tunnel, changes channel by mouse, by keyboard and by its address, shows stills and losses, and goes on after a restart of
the relay. With an argument: writes the screenshots of docs/serve.md into that folder.

    amt send, twice ── relay ══ amt serve │ HTTP │ Chromium
"""

import pathlib

from lib import browser, http_streams, video
from lib.scenario import Skipped
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces"}
ADDRESS = "http://127.0.0.1:4022/"
GROUPS = (SSM[4], "232.1.2.4")
PLAYER = pathlib.Path(__file__).resolve().parents[2] / "src/observe/serve_page/node_modules/mpegts.js"

# `shown` counts the frames that reach the screen, `begun` and `firstFrame` are of the newest channel.
COUNT_FRAMES = """
var shown = 0, begun = 0, firstFrame = 0;
const count = () => { ++shown; if (!firstFrame) firstFrame = performance.now(); video.requestVideoFrameCallback(count); };
video.requestVideoFrameCallback(count);
document.addEventListener('click', (event) => {
  if (!event.target.closest('button')) return;
  begun = performance.now();
  video.addEventListener('emptied', () => { firstFrame = 0; });
}, true);
"""
# How many colours the second channel's still has.
STILL_COLOURS = """(() => {
  const canvas = document.querySelectorAll('#channels button')[1].querySelector('canvas');
  if (!canvas) return 0;
  const octets = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(Array.from(new Uint32Array(octets.buffer))).size;
})()"""


def run(case):
    if reason := browser.missing():
        raise Skipped(reason)
    if not PLAYER.is_dir():
        raise Skipped("mpegts.js was not embedded (npm ci in src/observe/serve_page, then build)")
    files = [video.make_stream(case, 200, name=name, picture=name) for name in ("testsrc", "smptebars")]
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
    case.check(page.evaluate(buttons + "[0].querySelector('span').firstChild.textContent") == "First <b>channel</b>", "a name is text, not markup")

    def text(name: str) -> str:
        return page.evaluate(f"document.getElementById('{name}').textContent")

    def plays(what: str) -> None:
        """Fifty frames are shown from now on."""
        page.evaluate("shown = 0")
        case.wait_until(lambda: page.evaluate("shown") >= 50, 40, what, poll=0.2)

    def shoot(name: str, width: int, height: int, scheme: str, phone=False) -> None:
        page.show(width, height, scheme, phone)
        if case.arguments:
            (pathlib.Path(case.arguments[0]) / name).write_bytes(page.screenshot())

    page.evaluate(COUNT_FRAMES)
    page.evaluate("video.muted = true")
    page.evaluate(buttons + "[0].click()")
    plays("the first channel plays")
    case.figure("click to first frame, not received before", page.evaluate("firstFrame - begun"), "ms")
    case.check(page.evaluate("video.webkitAudioDecodedByteCount") > 0, "and sounds")
    case.check(page.evaluate("video.videoWidth") == 320, "its size")
    case.wait_until(lambda: "through the relay" in text("numbers") and "nothing was lost" in text("numbers"), 10, "numbers in words", poll=0.3)
    case.wait_until(lambda: "behind what has arrived" in text("numbers"), 10, "the delay", poll=0.3)
    # Somebody else watches the second one: it gets a still.
    other = case.closing(http_streams.Connection("127.0.0.1", 4022, namespace=line.gateway))
    other.get(f"/amt/{source}@{GROUPS[1]}:{PORT}")
    case.check(other.header()[0] == 200, "another viewer")
    case.closing(http_streams.Reader(other))
    case.wait_until(lambda: page.evaluate(STILL_COLOURS) > 5, 40, "a still of the second channel", poll=0.5)
    page.evaluate(buttons + "[1].click()")
    case.check(text("now") == "Second", "the other one")
    plays("the second channel plays")
    case.figure("click to first frame, received already", page.evaluate("firstFrame - begun"), "ms")
    case.wait_until(lambda: page.evaluate(buttons + "[0].querySelector('canvas') !== null"), 10, "the first one keeps its last picture", poll=0.3)
    shoot("serve-light.png", 1100, 640, "light")
    shoot("serve-dark.png", 1100, 640, "dark")
    # By keyboard: up to the first one, and in.
    for key in ("ArrowUp", "Enter"):
        page.press(key)
    case.wait_until(lambda: text("now") == "First <b>channel</b>", 10, "chosen by keyboard")
    plays("and it plays")
    page.press("m")
    case.check(not page.evaluate("video.muted"), "sound by keyboard")
    page.evaluate(f"document.getElementById('url').value = 'amt://{source}@{GROUPS[1]}:{PORT}'; document.querySelector('#ask button').click()")
    case.check(text("now") == f"{source}@{GROUPS[1]}:{PORT}", "asked for by its address")
    plays("and it plays")
    relay.kill()
    line.start_relay("--query-interval", 5, name="relay-again")
    had = page.evaluate("video.buffered.end(video.buffered.length - 1)")
    case.wait_until(lambda: page.evaluate("video.currentTime") > had + 3, 60, "it goes on after a restart of the relay", poll=0.5)
    plays("and is seen")
    shoot("serve-phone.png", 390, 844, "light", phone=True)
    case.check(page.evaluate("document.documentElement.scrollWidth <= 390"), "fits a phone")
    foreign = [url for url in page.requests if not url.startswith((ADDRESS, "about:", "data:", f"blob:{ADDRESS}"))]
    case.check(foreign == [], f"foreign requests: {foreign}")
    case.check(page.messages == [], f"console: {page.messages}")
    # What is wrong with an address is said in the server's words.
    page.evaluate("document.getElementById('url').value = 'amt://232.1.2.3'; document.querySelector('#ask button').click()")
    case.wait_until(lambda: "the URL must name the source" in text("problem"), 20, "a bad address is explained", poll=0.3)
