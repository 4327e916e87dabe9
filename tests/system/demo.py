"""`amt demo`: shows a video through tunnels, says so when it was damaged, and leaves nothing behind.
Argument: `whole`, `lossy` (the receiver's host drops some packets), or `stopped` (SIGINT in the middle).
Where this user may make no TUN interface the demo shows `amt receive` alone, and fails saying so.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from lib.scenario import Skipped, tun_problem

NEEDS = {"namespaces"}
PNG = b"\x89PNG\r\n\x1a\n"
LOSSES = ("add table inet demo; add chain inet demo in { type filter hook input priority 0; }; "
          "add rule inet demo in udp sport 2268 numgen random mod 100 < 5 drop")


def left_processes(folder: pathlib.Path) -> list[str]:
    """Everything that the demo starts has its folder in its environment."""
    left = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "environ").read_bytes():
                left.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return left


def child(demo, *words: str) -> int | None:
    """The process that the demo started with all these words in its command line."""
    children = pathlib.Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text(encoding="ascii").split()
    for one in children:
        command = pathlib.Path(f"/proc/{one}/cmdline")
        if command.exists() and all(word.encode() in command.read_bytes() for word in words):
            return int(one)
    return None


def run(case):
    for tool in ("ffmpeg", "setpriv", "nft"):
        if not shutil.which(tool):
            raise Skipped(f"{tool} is not installed")
    folder, output = case.folder / "tmp", case.folder / "output"
    folder.mkdir()
    case.env["TMPDIR"] = str(folder)
    links = os.listdir("/sys/class/net")
    start = time.monotonic()
    demo = case.start(["demo", "--output", output], "demo")

    def says(text: str) -> bool:
        return text in demo.out.decode()
    what = case.arguments[0]
    tun = tun_problem() is None
    receptions = 4 if tun else 2
    if what == "stopped":
        case.wait_until(lambda: says("streaming"), 30, "the video plays")
        os.kill(demo.pid, signal.SIGINT)
        start = time.monotonic()
        case.check(demo.wait(5) == 0, f"status after SIGINT: {demo.err}")
        case.figure("SIGINT to end", (time.monotonic() - start) * 1000, "ms")
    elif what == "lossy":
        case.wait_until(lambda: says("streaming"), 30, "the video plays")
        receiver = child(demo, "receive", "ff3e")
        case.check(receiver, "amt receive is a child of the demo")
        subprocess.run(["nsenter", "-t", str(receiver), "-n", "nft", LOSSES], check=True)
        case.check(demo.wait(60) == 1, f"status when frames are missing: {demo.err}")
        case.check(demo.out.count(b"DIFFERENT: ") == 2, demo.out.decode())
        case.check(demo.out.count(b" 0 lost") == receptions - 2, demo.out.decode())
        case.check(says(f"{receptions - 2} of {receptions} receptions are perfect"), demo.out.decode())
    else:
        case.check(demo.wait(60) == (0 if tun else 1), f"{demo.err}\n{demo.out.decode()}")
        case.figure("took", time.monotonic() - start, "s")
        case.check(says(f"in all {receptions} receptions"), demo.out.decode())
        case.check(says("0 tunnels left") and not says("DIFFERENT"), demo.out.decode())
        case.check(tun or "/dev/net/tun" in demo.err, demo.err)
        for line in demo.out.decode().splitlines():
            if "join to first packet" in line or "equal" in line:
                case.note(line.strip())
        for message in ("Relay Discovery", "Relay Advertisement") if tun else ():
            case.check(says(message), message)
        for message in ("Request", "Membership Query", "Membership Update", "Multicast Data", "Teardown"):
            case.check(says(message), message)
        for family in ("ipv4", "ipv6"):
            picture = (output / f"received-{family}.png").read_bytes()
            case.check(picture.startswith(PNG) and len(picture) > 10_000, f"a picture: {len(picture)} octets")
            case.check((output / f"receive-{family}.ts").stat().st_size > 1_000_000, "the stream is kept")
    case.check(not list(folder.iterdir()), f"left in {folder}: {list(folder.iterdir())}")
    case.check(not left_processes(folder), f"left: {left_processes(folder)}")
    case.check(os.listdir("/sys/class/net") == links, f"left: {os.listdir('/sys/class/net')}")
