"""Each form of URL that `amt serve` has, with each player that is installed: mpv, ffplay, VLC, GStreamer. The source plays all the time.

    our relay ══ amt serve │ HTTP │ the players, all at once
"""

import shutil
import subprocess
import time

from lib import http_streams, loopback, video
from lib.loopback import PORT
from lib.patience import PATIENCE
from lib.player_programs import as_somebody, settings
from lib.station import Station
from lib.topology import SSM

NEEDS = {"program"}
SECONDS = 120
# An IPv6 channel has a relay that is asked over IPv4.
SOURCES = {4: "10.1.0.1", 6: "fd00:1::1"}
FRAMES = 30


def commands(case, folder, url: str) -> dict[str, tuple[list[str], dict[str, int]]]:
    """For each program: its command, and what it says how often when it plays; nothing: it ends by itself, with 0."""
    pipeline = (f"souphttpsrc location={url} ! decodebin name=d  d. ! queue ! videoconvert ! fakesink name=seen silent=false"
                "  d. ! queue ! audioconvert ! fakesink name=heard silent=false")
    out = {
        "mpv": (["mpv", f"--frames={FRAMES}", url], {}),
        "ffplay": (["ffplay", url], {"A-V:": 1}),
        "gst-launch-1.0": (["gst-launch-1.0", "-v", *pipeline.split()], {"seen: last-message = chain": FRAMES, "heard: last-message = chain": FRAMES}),
    }
    prefix = as_somebody(case, folder)
    if prefix is not None:
        out["vlc"] = ([*prefix.split(), "vlc", "--no-color", url], {"Received first picture": 1})
    return {name: one for name, one in out.items() if shutil.which(name)}


class Playing:
    def __init__(self, name: str, command: list[str], folder, env: dict):
        self.name, self._path = name, folder / f"{name}.log"
        with open(self._path, "wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def said(self) -> str:
        return self._path.read_text(encoding="utf-8", errors="replace")

    def plays(self, signs: dict[str, int]) -> bool:
        """It has played, and ended well; or it plays."""
        status, said = self._process.poll(), self.said()
        if signs and all(said.count(sign) >= times for sign, times in signs.items()):
            return True
        if status not in (None, 0) or (status == 0 and signs):
            raise AssertionError(f"{self.name} ended with {status}: {said[-2000:]}")
        return status == 0

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def run(case):
    with open(video.make_stream(case, SECONDS, name="Programs"), "rb") as file:
        whole = file.read()
    player = loopback.Player(case)
    port = http_streams.free_port()
    case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address], "serve").wait_ready()
    case.closing(Station(player.relay, SECONDS, {(source, SSM[family]): whole for family, source in SOURCES.items()}))
    v4, v6 = f"{SOURCES[4]}@{SSM[4]}:{PORT}", f"[{SOURCES[6]}]@[{SSM[6]}]:{PORT}"
    escaped = v6.replace("[", "%5B").replace("]", "%5D").replace("@", "%40").replace(":", "%3A")
    forms = [f"/amt/{v4}", f"/udp/{v4}", f"/rtp/{v4.replace('@', '%40')}", f"/amt/{v6}", f"/amt/{escaped}",
             f"/hls/{v4}/index.m3u8", f"/hls/{escaped}/index.m3u8"]
    tried = set()
    for number, form in enumerate(forms):
        folder = case.folder / f"form{number}"
        folder.mkdir()
        env = settings(folder, case.env)
        begun, left = time.monotonic(), {}
        for name, (command, signs) in commands(case, folder, f"http://127.0.0.1:{port}{form}").items():
            left[case.closing(Playing(name, command, folder, env))] = signs
        tried |= {one.name for one in left}
        took = {}
        end = begun + 60 * PATIENCE
        while left and time.monotonic() < end:
            for one in [one for one, signs in left.items() if one.plays(signs)]:
                took[one.name] = round(time.monotonic() - begun, 1)
                del left[one]
                one.close()
            time.sleep(0.05)
        case.check(not left, f"{form}: " + "; ".join(f"{one.name} does not play: {one.said()[-2000:]}" for one in left))
        case.figure(form, ", ".join(f"{name} {seconds} s" for name, seconds in took.items()))
    absent = {"mpv", "ffplay", "vlc", "gst-launch-1.0"} - tried
    case.check(tried, "no player is installed")
    case.note(f"tried: {', '.join(sorted(tried))}" + (f"; SKIPPED, not installed: {', '.join(sorted(absent))}" if absent else ""))
