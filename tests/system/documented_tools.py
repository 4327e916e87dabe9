"""What the README and the guides show of other programs, as it stands: commands of the system's tools end well, `make` knows
its targets, FRR and smcroute take the lines that are for them, ffplay plays what a gateway brings. Options of `amt` that
are named in the text exist.

    source ── relay ══ amt gateway ── amt0
"""

import pathlib
import re
import shlex
import shutil
import subprocess

from lib import multicast, netns
from lib.scenario import Skipped

NEEDS = {"namespaces", "tun", "nft"}
ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")))
# Where conformance.md quotes code it shows none.
TOOLS = ("ip", "nft", "ss", "bridge", "sysctl", "getent", "tc", "ulimit", "modprobe")
# The whole machine's; what is not in a namespace of ours; shell builtins.
ELSEWHERE = ("sysctl kernel.", "modprobe", "ulimit")
BROKEN = ("ip route get 232.1.2.3 from nowhere", "nft insert rule inet filter inputt iifname \"amt0\" accept")
SOURCE, GROUP = "198.51.100.10", "232.1.2.3"


def code(page: pathlib.Path) -> list[str]:
    """Inline code, and lines of code blocks, which are indented here."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        block = re.match(r" {4,6}(?=\S)(?!\* )(.*)", line)
        found += [block.group(1)] if block else re.findall(r"`([^`]+)`", line)
    return [re.split(r"\s{2,}#", one)[0].strip().removeprefix("sudo ") for one in found]


def is_for_readers(text: str) -> bool:
    """Words in capitals stand for something of the reader's."""
    return any(re.fullmatch(r"[A-Z][A-Z_-]*", word) for word in re.split(r"[\s=:,@]+", text))


def tools() -> list[str]:
    found = []
    for page in PAGES:
        for text in code(page):
            words = text.split()
            # One word names the program, and `ip ...` of FRR has its own test.
            if len(words) < 2 or words[0] not in TOOLS or is_for_readers(text) or text.startswith(("ip pim", "ip igmp", "ip mroute")):
                continue
            if not text.startswith(ELSEWHERE) and text not in found and "..." not in text and "*" not in text:
                found.append(text)
    return found


def execute(case, host, line: str) -> bool:
    words = shlex.split(line)
    if words[0] == "nft":
        words = ["nft", line.removeprefix("nft ")]
    if words[0] == "getent":
        return True
    if shutil.which(words[0]) is None:
        case.note(f"{words[0]} is not installed: {line}")
        return False
    with host.enter():
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    case.check(done.returncode == 0, f"{line}: status {done.returncode}: {done.stderr}")
    return True


def network(case):
    source, relay, user = case.host("source"), case.host("relay"), case.host("user")
    netns.link(source, "s0", relay, "up0", [f"{SOURCE}/24"], ["198.51.100.1/24"])
    netns.link(relay, "r0", user, "eth0", ["192.0.2.1/24"], ["192.0.2.2/24"])
    user.ip("route add default via 192.0.2.1", "link add br0 type bridge", "link set br0 up", "link add amtg type bridge")
    case.daemon(["relay", "--local", "192.0.2.1", "--upstream", "up0"], "relay", relay)
    case.daemon(["gateway", "--relay", "192.0.2.1"], "gateway", user)
    user.run("nft", "-f", "-", text_input="table inet filter { chain input { type filter hook input priority 0; }; }\n")
    return source, user


def options_exist(case) -> int:
    helps, count = {}, 0
    for page in PAGES:
        for text in code(page):
            words = text.split("|")[0].split()
            if len(words) < 3 or words[0] != "amt" or not words[1].isalpha() or words[1] == "man":
                continue
            if words[1] not in helps:
                helps[words[1]] = case.amt_once([words[1], "--help"]).stdout
            for word in words[2:]:
                option = re.match(r"--[a-z-]+", word)
                count += option is not None
                case.check(not option or re.search(rf"{option.group(0)}\b", helps[words[1]]), f"{page.name}: {text}: no {word}")
    return count


def make_targets(case) -> int:
    count = 0
    for page in (*PAGES, ROOT / "tests/fuzz/README.md"):
        for text in code(page):
            if not re.fullmatch(r"make( [a-z-]+| [A-Z_]+=('[^']*'|\"[^\"]*\"|\S+))*", text) or "..." in text:
                continue
            # The program need not be built for that.
            done = subprocess.run(["make", "-n", *shlex.split(text)[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
            case.check(done.returncode == 0, f"{page.name}: {text}: {done.stderr}")
            count += 1
    return count


def routing_daemons(case, host) -> None:
    """The configuration lines of router-mode.md."""
    text = (ROOT / "docs/router-mode.md").read_text(encoding="utf-8")
    sections = {name: "\n".join(line[4:] for line in body.splitlines() if line.startswith("    "))
                for name, body in re.findall(r"^## (FRR|smcroute)[^\n]*\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)}
    case.check(all(sections.get(name) for name in ("FRR", "smcroute")), f"{sections}")
    config = case.folder / "frr.conf"
    config.write_text(sections["FRR"] + "\n", encoding="ascii")
    vtysh = shutil.which("vtysh")
    if vtysh:
        done = subprocess.run([vtysh, "-C", "-f", str(config)], capture_output=True, text=True, timeout=20, check=False)
        case.check(done.returncode == 0 and "Unknown" not in done.stdout + done.stderr, f"FRR: {done}")
        config.write_text(sections["FRR"].replace("ip pim", "ip pin") + "\n", encoding="ascii")
        done = subprocess.run([vtysh, "-C", "-f", str(config)], capture_output=True, text=True, timeout=20, check=False)
        case.check(done.returncode != 0 or "Unknown" in done.stdout + done.stderr, f"FRR takes a broken line: {done}")
    else:
        case.note("vtysh is not installed")
    smcrouted = shutil.which("smcrouted")
    if not smcrouted:
        case.note("smcroute is not installed")
        return
    host.ip("link add amtr0 type veth peer name amtrx", "link set amtr0 up", "link set amtrx up")
    config.write_text(sections["smcroute"] + "\n", encoding="ascii")
    case.program([smcrouted, "-n", "-N", "-f", str(config), "-P", str(case.folder / "pid"), "-u", str(case.folder / "sock")],
                 "smcrouted", host)
    case.wait_until(lambda: "232.1.2.3" in host.run("ip", "mroute"), 10, "smcroute has the route")
    case.check("amtr0" in host.run("ip", "mroute"), host.run("ip", "mroute"))


def ffplay(case, source, user) -> None:
    line = next(one for one in code(ROOT / "README.md") if one.startswith("ffplay "))
    if shutil.which("ffplay") is None:
        raise Skipped("ffplay is not installed")
    video = case.folder / "video.ts"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-t", "30", "-c:v",
                    "mpeg2video", "-b:v", "800k", "-g", "12", "-f", "mpegts", str(video)], check=True, timeout=60)
    case.start(["send", f"{GROUP}:5001", "--interface", "s0", "--source", SOURCE, video], "send", source)
    env = {**case.env, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy", "HOME": str(case.folder)}
    log = case.folder / "ffplay.log"
    with user.enter(), open(log, "wb") as to:
        player = subprocess.Popen(shlex.split(line), stdin=subprocess.DEVNULL, stdout=to, stderr=to, env=env)
    try:
        case.wait_until(lambda: "Video: mpeg2video" in log.read_text(errors="replace"), 20, f"{line}: plays")
    finally:
        player.kill()
        player.wait()


def run(case):
    case.figure("options in the text that exist", options_exist(case))
    case.figure("make's targets that exist", make_targets(case))
    source, user = network(case)
    sender = case.closing(multicast.Source(source, "s0", 4, address=SOURCE))
    case.closing(multicast.Stream(sender, "232.1.1.1", 5001, rate=50))
    # Before there is an amt0, and when it is to go.
    hosts = {"ip tuntap": case.host("bare"), "ip link del": case.host("doomed")}
    hosts["ip link del"].ip("link add amt0 type bridge")
    done = []
    for line in tools():
        host = next((one for begin, one in hosts.items() if line.startswith(begin)), user)
        if execute(case, host, line):
            done.append(line)
    case.check(len(done) > 8, f"only {done}")
    case.figure("commands of other programs executed", len(done), "; ".join(done))
    for line in BROKEN:
        try:
            execute(case, user, line)
        except AssertionError:
            continue
        case.check(False, f"nothing is found wrong with: {line}")
    ffplay(case, source, user)
    routing_daemons(case, user)
