"""The README's lines for players and recorders, as they stand, with the real programs where they are installed; the channel is
MPEG-TS in RTP, and its packets come in disorder.

    our relay ══ amt receive │ ffplay, ffmpeg, GStreamer, mpv, VLC
"""

import os
import pathlib
import shutil
import subprocess
import threading
import time

from lib import loopback
from lib.loopback import rtp
from lib.player_programs import as_somebody, settings
from lib.scenario import Skipped

NEEDS = {"program"}
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
DOCUMENTED = "amt receive amt://198.51.100.10@232.1.2.3:5001"
SECONDS = 8
# Every ninth packet comes behind the next one.
DISORDER = 9
# What a player says, on standard error or output, once it plays.
PLAYING = {"ffplay": "Video: mpeg2video", "mpv": "mpeg2video", "vlc": "Received first picture",
           "gst-launch-1.0": "Setting pipeline to PLAYING"}
# Players start with the next key frame, which comes twice a second here.
OCTETS = 7 * 188


def commands() -> list[str]:
    lines = [line.strip() for line in README.read_text(encoding="utf-8").splitlines() if line.strip().startswith(DOCUMENTED)]
    return [line.split("     #")[0].strip() for line in lines if "|" in line or "-o" in line]


def video(case) -> list[bytes]:
    out = case.folder / "video.ts"
    done = subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-t", str(SECONDS),
                           "-c:v", "mpeg2video", "-b:v", "800k", "-g", "12", "-f", "mpegts", str(out)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, env=case.env)
    case.check(done.returncode == 0, done.stderr)
    whole = out.read_bytes()
    return [rtp(number, whole[at:at + OCTETS]) for number, at in enumerate(range(0, len(whole), OCTETS))]


def run(case):
    if shutil.which("ffmpeg") is None:
        raise Skipped("ffmpeg is not installed")
    datagrams = video(case)
    for at in range(DISORDER, len(datagrams) - 1, DISORDER):
        datagrams[at], datagrams[at + 1] = datagrams[at + 1], datagrams[at]
    player = loopback.Player(case)
    tried, absent = [], []
    for number, line in enumerate(commands()):
        program = line.split("|")[1].split()[0] if "|" in line else "amt"
        if program != "amt" and shutil.which(program) is None:
            absent.append(program)
            continue
        folder = case.folder / f"line{number}"
        folder.mkdir()
        env = settings(folder, case.env)
        words = line.replace(DOCUMENTED, f"{case.amt} receive --duration {SECONDS + 5} --relay {player.address} {loopback.URL}")
        if program == "vlc":
            prefix = as_somebody(case, folder)
            if not prefix and os.geteuid() == 0:
                absent.append("vlc (only root is here)")
                continue
            words = words.replace("| vlc", f"| {prefix}vlc")
        log = open(folder / "log", "wb")
        shell = subprocess.Popen(["sh", "-c", words], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                 start_new_session=True)
        try:
            player.wait_joined()
            over = threading.Event()

            def play():
                for number, datagram in enumerate(datagrams):
                    # A pair that is swapped leaves at once: apart by more than 100 ms, as on a busy machine, it is too late.
                    if number % DISORDER != 1:
                        time.sleep(max(0.0, start + number * SECONDS / len(datagrams) - time.monotonic()))
                    if over.is_set():
                        return
                    player.send(datagram)
            playing = threading.Thread(target=play)
            start = time.monotonic()
            playing.start()

            def said() -> str:
                return (folder / "log").read_text(encoding="utf-8", errors="replace")
            if program in PLAYING:
                case.wait_until(lambda: PLAYING[program] in said(), 20, f"{program} plays")
                case.figure(f"{program}: first packet to its stream", time.monotonic() - start, "s")
                over.set()
            playing.join()
            if program in ("ffmpeg", "amt"):
                shell.wait(30)
                recorded = next(folder.glob("recording.*"))
                shown = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames",
                                        "-of", "csv=p=0", str(recorded)], capture_output=True, text=True, timeout=60, check=False)
                case.check(shown.stderr == "" and shown.stdout.startswith("mpeg2video,"), f"{recorded.name}: {shown}")
                frames = int(shown.stdout.strip().rstrip(",").split(",")[1])
                case.check(frames >= 25 * (SECONDS - 2), f"{recorded.name}: {frames} frames")
                case.figure(f"{program}: frames recorded of {25 * SECONDS}", frames)
            tried.append(program)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, 15)
                shell.wait(10)
            log.close()
        case.wait_until(lambda: not player.relay.tunnels, 5, "left")
    case.check("amt" in tried and "ffmpeg" in tried, f"tried {tried}")
    case.note(f"tried: {', '.join(tried)}" + (f"; not installed: {', '.join(absent)}" if absent else ""))
