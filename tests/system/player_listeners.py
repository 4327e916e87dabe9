"""Players as listeners on the gateway's interface, by the kernel's own reports: VLC, mpv, ffplay, ffmpeg, GStreamer join the group,
of one source where they can name it, and play.

    source (a video) ── relay ══ gateway ── amt0 ── players
"""

import os
import shutil
import signal
import subprocess

from lib import video
from lib.player_programs import as_somebody, settings
from lib.topology import ASM, PORT, SSM, Line, tunnels

NEEDS = {"namespaces", "tun"}
SECONDS = 60


def commands(line) -> list[tuple[str, str, list[str], str]]:
    """Group, source or "", command, and what it says once it plays."""
    source, six = line.source_address(4), line.source_address(6)
    by_url = f"udp://@{SSM[4]}:{PORT}?sources={source}"
    recorded = ["-map", "0:v", "-frames:v", "25", "-f", "null", "-"]
    graph = ["decodebin", "name=d", "d.", "!", "queue", "!", "videoconvert", "!", "fakesink", "name=seen", "silent=false"]
    return [
        (SSM[4], source, ["ffplay", by_url], "Video: h264"),
        (SSM[4], source, ["mpv", by_url], "h264"),
        (SSM[4], source, ["ffmpeg", "-i", by_url, *recorded], "frame=   25"),
        (SSM[6], six, ["ffmpeg", "-i", f"udp://@[{SSM[6]}]:{PORT}?sources={six}", *recorded], "frame=   25"),
        (SSM[4], source, ["vlc", f"udp://{source}@{SSM[4]}:{PORT}"], "Received first picture"),
        (ASM[4], "", ["vlc", f"udp://@{ASM[4]}:{PORT}"], "Received first picture"),
        (ASM[4], "", ["gst-launch-1.0", "-v", "udpsrc", f"address={ASM[4]}", f"port={PORT}", "multicast-iface=amt0", "!", *graph],
         "seen: last-message = chain"),
    ]


def wanted(relay) -> dict[str, tuple[str, list[str]]]:
    return {one["group"]: (one["mode"], one["sources"]) for tunnel in tunnels(relay).values() for one in tunnel["groups"]}


def play(case, line, relay, number: int, group: str, source: str, command: list[str], sign: str) -> None:
    folder = case.folder / f"player{number}"
    folder.mkdir()
    env = settings(folder, case.env)
    words = [*as_somebody(case, folder).split(), *command] if command[0] == "vlc" else command
    log = folder / "log"
    with line.gateway.enter(), open(log, "wb") as to:
        player = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=to, stderr=to, env=env, start_new_session=True)

    def said() -> str:
        return log.read_text(encoding="utf-8", errors="replace")
    try:
        case.wait_until(lambda: group in wanted(relay), 20, f"{command}: joined: {said()[-300:]}")
        expected = ("include", [source]) if source else ("exclude", [])
        case.check(wanted(relay)[group] == expected, f"{command}: {wanted(relay)}")
        case.wait_until(lambda: sign in said(), 20, f"{command}: plays: {said()[-300:]}")
    finally:
        os.killpg(player.pid, signal.SIGKILL)
        player.wait()
    case.wait_until(lambda: group not in wanted(relay), 10, f"{command}: left", poll=0.1)


def run(case):
    line = Line(case)
    relay = line.start_relay()
    # Players that name no interface find amt0 by the route to the group.
    line.start_gateway(4, "--route", "232.0.0.0/8", "--route", "ff3e::/32", "--route", "239.0.0.0/8")
    file = video.make_stream(case, SECONDS, name="Test card")
    for family, group in ((4, SSM[4]), (6, SSM[6]), (4, ASM[4])):
        target = f"[{group}]:{PORT}" if family == 6 else f"{group}:{PORT}"
        case.program(["sh", "-c", 'while "$@"; do :; done', "sh", case.amt, "send", target, file, "--interface", "s0", "--source",
                      line.source_address(family)], f"send-{group}", line.source)
    (case.folder / "somebody").mkdir()
    has_vlc = os.geteuid() != 0 or as_somebody(case, case.folder / "somebody") != ""
    played = []
    for number, (group, source, command, sign) in enumerate(commands(line)):
        if shutil.which(command[0]) is None or (command[0] == "vlc" and not has_vlc):
            case.note(f"not played, {command[0]} is not here")
            continue
        play(case, line, relay, number, group, source, command, sign)
        played.append(command[0])
    case.check("ffmpeg" in played, f"played {played}")
    case.figure("listeners that play", len(played), ", ".join(played))
