"""What the guides show of players, as it stands: they play what `amt serve` gives, and what comes through a pipe; recorders
record it. Their addresses are here. The README's lines for pipes, in RTP and in disorder: players.py.

    source 198.51.100.10 ── relay 192.0.2.1 ══ user: amt serve, amt receive │ players
"""

import os
import shutil
import signal
import subprocess

from lib import netns, video
from lib.documented import PAGES, blocks, commands_of, lines_of
from lib.own_etc import own_etc
from lib.player_programs import as_somebody, settings

NEEDS = {"namespaces"}
SOURCE, GROUP = "198.51.100.10", "232.1.2.3"
SECONDS = 60
# What each says once it plays.
PLAYING = {"ffplay": "Video: h264", "mpv": "h264", "vlc": "Received first picture", "gst-launch-1.0": "Setting pipeline to PLAYING"}
BROKEN = "ffplay http://127.0.0.1:4022/amt/198.51.100.10@232.1.2.77:5001"


def is_channel(command: str) -> bool:
    return "4022/amt/" in command or command.startswith("amt receive") and "|" in command


def documented() -> list[str]:
    """Players of the channel, whether by HTTP or behind a pipe."""
    found = []
    for page in PAGES:
        for block in blocks(page):
            for command in (one for line in lines_of(block) for one in commands_of(line)):
                player = command.split("|")[-1].split()[0]
                if player in (*PLAYING, "ffmpeg") and is_channel(command) and command not in found:
                    found.append(command)
    return found


def network(case):
    source, relay, user = case.host("source"), case.host("relay"), case.host("user")
    netns.link(source, "s0", relay, "up0", [f"{SOURCE}/24"], ["198.51.100.1/24"])
    netns.link(relay, "r0", user, "eth0", ["192.0.2.1/24", "192.52.193.1/32"], ["192.0.2.2/24"])
    user.ip("route add default via 192.0.2.1")
    own_etc(case, hosts="192.0.2.1 relay.example.net", resolver="192.0.2.53")
    case.daemon(["relay", "--local", "192.0.2.1", "--discovery", "192.52.193.1", "--upstream", "up0"], "relay", relay)
    file = video.make_stream(case, SECONDS, name="Test card")
    case.program(["sh", "-c", 'while "$@"; do :; done', "sh", case.amt, "send", f"{GROUP}:5001", file, "--interface", "s0", "--source",
                  SOURCE], "send", source)
    case.start(["serve", "--relay", "192.0.2.1"], "serve", user).wait_ready()
    return user


class Run:
    def __init__(self, case, user, number: int, command: str):
        self.command, self.folder = command, case.folder / f"line{number}"
        self.folder.mkdir()
        (self.folder / "amt").symlink_to(case.amt)
        env = settings(self.folder, case.env)
        env["PATH"] = f"{self.folder}:{env['PATH']}"
        words = command
        if "vlc" in command and os.geteuid() == 0:
            words = command.replace("vlc ", as_somebody(case, self.folder) + "vlc ")
        self.log = self.folder / "log"
        with user.enter(), open(self.log, "wb") as to:
            self.shell = subprocess.Popen(["sh", "-c", words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=to, stderr=to,
                                          env=env, start_new_session=True)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def is_good(self) -> bool:
        """A player plays; a recorder has a second of pictures."""
        if "ffmpeg" not in self.command:
            return PLAYING[self.command.split("|")[-1].split()[0]] in self.said()
        recorded = [one for one in self.folder.glob("recording.*") if one.stat().st_size > 50_000]
        if not recorded:
            return False
        shown = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", str(recorded[0])],
                               capture_output=True, text=True, check=False)
        return "h264" in shown.stdout

    def close(self) -> None:
        try:
            os.killpg(self.shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.shell.wait()


def execute(case, user, number: int, command: str, seconds=20) -> None:
    run_ = case.closing(Run(case, user, number, command))
    case.wait_until(run_.is_good, seconds, f"{command}: {run_.said()[-300:]}", poll=0.1)
    run_.close()


def run(case):
    user = network(case)
    (case.folder / "somebody").mkdir()
    # VLC does nothing for root, and not every root can be somebody else.
    has_vlc = os.geteuid() != 0 or as_somebody(case, case.folder / "somebody") != ""
    played = []
    for number, command in enumerate(documented()):
        player = command.split("|")[-1].split()[0]
        if shutil.which(player) is None or (player == "vlc" and not has_vlc):
            case.note(f"not played, {player} is not here: {command}")
            continue
        execute(case, user, number, command)
        played.append(command)
    case.check(len(played) >= 6, f"played {played}")
    case.figure("documented players that play", len(played), "; ".join(played))
    try:
        execute(case, user, 99, BROKEN, seconds=2)
    except AssertionError:
        return
    case.check(False, f"nothing is found wrong with: {BROKEN}")
