"""A real video through a real tunnel into a player that uses libamt: it shows the frames that were sent, picture by picture, also after
its relay was killed and came back. Argument: `gstreamer` (playbin and the element amtsrc), `vlc` (the access module), or an example that is built
against the installed library: `mpv` (libmpv by stream callbacks), `ffmpeg` (libavformat by AVIO).

    amt send ── relay (killed, restarted) ══ tunnel ══ player ── frames, compared with those that were sent
"""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from lib import video
from lib.installed import Installed
from lib.patience import PATIENCE
from lib.player_programs import VLC, as_somebody
from lib.scenario import Skipped
from lib.topology import PORT, SSM, Line, tunnels, url

NEEDS = {"namespaces"}
SECONDS, RATE = 12, 25
FRAME = 320 * 180 * 3 // 2
# From the relay's death on: what was on its way, until the player asks again, and until the next key frame comes.
LOST_SECONDS_MAX = 5


def decoded(case, stream) -> list[str]:
    """A hash of each picture."""
    done = subprocess.run(["ffmpeg", "-v", "quiet", "-i", str(stream), "-map", "0:v", "-fps_mode", "passthrough", "-pix_fmt", "yuv420p",
                           "-f", "rawvideo", "-"], stdin=subprocess.DEVNULL, capture_output=True, timeout=120 * PATIENCE, check=False,
                          env=case.env)
    return pictures(done.stdout)


def pictures(octets: bytes) -> list[str]:
    return [hashlib.md5(octets[at:at + FRAME]).hexdigest() for at in range(0, len(octets) - FRAME + 1, FRAME)]


class GStreamer:
    """playbin finds the element by the URL's scheme."""
    program, ends = "gst-launch-1.0", signal.SIGINT

    def __init__(self, case, build: pathlib.Path):
        self.case, self.plugin = case, build / "plugins/gstreamer/libgstamt.so"
        self.out = case.folder / "pictures.yuv"

    def command(self, channel: str) -> list[str]:
        sink = f"videoconvert ! video/x-raw,format=I420 ! filesink location={self.out} sync=false"
        return ["gst-launch-1.0", "-m", "playbin", f"uri={channel}", "flags=0x1", "audio-sink=fakesink", f"video-sink={sink}"]

    def env(self) -> dict:
        return {"GST_PLUGIN_PATH": str(self.plugin.parent), "GST_REGISTRY": str(self.case.folder / "gst-registry")}

    def shown(self) -> list[str]:
        return pictures(self.out.read_bytes())

    def check(self, said: str):
        self.case.check("amt-event, level" in said and "relay-changed" not in said, f"messages on the bus: {said[-1000:]}")


class Vlc:
    """VLC records what it would play."""
    program, ends = "cvlc", signal.SIGTERM

    def __init__(self, case, build: pathlib.Path):
        self.case, self.plugin = case, build / "plugins/vlc/libamt_plugin.so"
        self.folder = case.folder / "vlc"
        (self.folder / "vlc").mkdir(parents=True)
        (self.folder / "vlc/vlcrc").write_text(VLC, encoding="ascii")
        self.out = self.folder / "recorded.ts"
        self.prefix = as_somebody(case, self.folder).split()
        if not self.prefix and os.geteuid() == 0:
            raise Skipped("only root is here, and VLC does nothing for root")

    def command(self, channel: str) -> list[str]:
        return [*self.prefix, "cvlc", "--no-plugins-cache", "--sout", f"#std{{access=file,mux=ts,dst={self.out}}}", channel]

    def env(self) -> dict:
        return {"VLC_PLUGIN_PATH": str(self.plugin.parent), "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}

    def shown(self) -> list[str]:
        return decoded(self.case, self.out)

    def check(self, said: str):
        self.case.check("amt" in said, "VLC says which module it uses")


class Example:
    """A program of examples/ that records what it would play."""
    ends = signal.SIGTERM
    source, packages, options = "", (), ()

    def __init__(self, case, build: pathlib.Path):
        del build
        self.case, self.out = case, case.folder / "recorded.ts"
        self.program = self.plugin = Installed(case).compiled(self.source, "amt", *self.packages, flags=["-pthread"])

    def command(self, channel: str) -> list[str]:
        return [str(self.program), channel, *(option.format(out=self.out) for option in self.options)]

    def env(self) -> dict:
        return {"HOME": str(self.case.folder)}

    def shown(self) -> list[str]:
        return decoded(self.case, self.out)

    def check(self, said: str):
        """Nothing more."""


class Mpv(Example):
    source, packages = "mpv_player.c", ("mpv",)
    options = ("vo=null", "ao=null", "terminal=yes", "stream-record={out}")


class Ffmpeg(Example):
    source, packages, options = "ffmpeg_record.c", ("libavformat", "libavcodec", "libavutil"), ("{out}",)


PLAYERS = {"gstreamer": GStreamer, "vlc": Vlc, "mpv": Mpv, "ffmpeg": Ffmpeg}


def compare(case, sent: list[str], shown: list[str]):
    """In order, nothing before the relay's death missing, and so much after it."""
    places = {picture: number for number, picture in enumerate(sent)}
    numbers = [places[picture] for picture in shown if picture in places]
    case.check(numbers == sorted(set(numbers)), "each picture once, in order")
    case.check(numbers and numbers[0] <= RATE, f"from the first key frames on: {numbers[:3]}")
    unbroken = next((at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1), len(numbers))
    case.check(unbroken >= RATE * SECONDS / 6, f"{unbroken} pictures without a gap before the relay died")
    gap = max((after - one for one, after in zip(numbers, numbers[1:])), default=0)
    case.figure("pictures shown as sent", f"{len(numbers)} of {len(sent)}")
    case.figure("longest gap", gap / RATE, "s")
    case.check(1 < gap <= LOST_SECONDS_MAX * RATE * PATIENCE, f"a gap of {gap} pictures")
    case.check(numbers[-1] >= len(sent) - 2 * RATE, f"until the end: {numbers[-1]} of {len(sent)}")


def wait_until_still(path: pathlib.Path):
    """What arrived is shown by then."""
    before = -1
    while (size := path.stat().st_size) != before:
        before = size
        time.sleep(PATIENCE)


def run(case):
    [kind] = case.arguments
    build = pathlib.Path(case.amt).resolve().parent
    player = PLAYERS[kind](case, build)
    if not player.plugin.exists() or shutil.which(player.program) is None:
        raise Skipped(f"{player.plugin.name} was not built, or {player.program} is not installed")
    stream = video.make_stream(case, SECONDS, name="Test card")
    sent = decoded(case, stream)
    case.check(len(set(sent)) == SECONDS * RATE, f"{len(set(sent))} different pictures to send")
    line = Line(case)
    relay = line.start_relay()
    channel = url(SSM[4], line.source_address(4)) + f"?relay={line.relay_address(4)}"
    environment = [f"{name}={value}" for name, value in {**player.env(), "LD_LIBRARY_PATH": str(build)}.items()]
    command = ["env", *environment, *player.command(channel)]
    running = case.program(command, kind, line.gateway)
    case.wait_until(lambda: tunnels(relay), 30, "the player's tunnel")
    sender = case.start(["send", f"{SSM[4]}:{PORT}", stream, "--interface", "s0", "--ttl", 8], "send", line.source)
    size = pathlib.Path(stream).stat().st_size
    case.wait_until(lambda: any(one["bytes"] > size / 3 for one in tunnels(relay).values()), SECONDS * 2, "a third of the video")
    relay.signal(signal.SIGKILL)
    relay.wait(5)
    relay = line.start_relay(name="relay-again")
    case.wait_until(lambda: tunnels(relay), 15, "the player's tunnel again")
    sender.wait(SECONDS * 4)
    wait_until_still(player.out)
    running.signal(player.ends)
    running.wait(10)
    case.wait_until(lambda: not tunnels(relay), 5, "left")
    player.check(running.out.decode(errors="replace") + running.err)
    compare(case, sent, player.shown())
