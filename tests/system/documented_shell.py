"""What the README and the guides show beside `amt` itself, as it stands: shell commands, lines of configuration, scripts, lists,
keys, zones, each by the program that reads it. No block of code is left over: one that no test knows fails here.

    one host; 192.52.193.1 is on its lo while its relay wants gateways
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from lib import packets
from lib.documented import PAGES, ROOT, blocks, commands_of, inline, lines_of
from lib.multicast import RawSource
from lib.own_etc import own_etc, write_example

NEEDS = {"namespaces"}
# Who executes these, by the first word.
OTHER_TESTS = {
    "documented_commands.py": ("amt",),
    "documented_tools.py": ("ip", "nft", "phyint", "mgroup", "mroute", "make", "ffplay"),
    "documented_players.py": ("mpv", "vlc", "gst-launch-1.0", "ffmpeg"),
    # The packages' own test installs them and starts them in a guest.
    "../packages/inside.py": ("apt",),
}
ROLES = {"guide-operators.md": "relay", "guide-sites.md": "gateway", "serve.md": "serve"}
UNITS = ROOT / "packaging/systemd"
BROKEN = ("max-rate = \"8X\"", "systemctl enable --now amt-rellay", "echo 'upstraem = [\"eth0\"]' >>/etc/amt/relay.toml",
          "tools/setup.zsh", "jq -r 'select(.event ==' events.json", "frobnicate --now")


class Host:
    def __init__(self, case):
        self.case, self.space, self.count = case, case.host("host"), {}
        self.space.ip("link add eth0 type veth peer name eth0x", "link set eth0x up", "link set eth0 up",
                      "addr add 192.0.2.2/24 dev eth0", "route add default via 192.0.2.1",
                      "link add eth1 type veth peer name eth1x")
        own_etc(case, hosts="192.0.2.1 relay.example.net", resolver="192.0.2.53")
        for folder in ("/var/cache", "/var/log"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)

    def go(self, command: list[str], what: str, **options) -> str:
        with self.space.enter():
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                                  cwd=self.case.folder, env={**self.case.env, **options})
        self.case.check(done.returncode == 0, f"{what}: status {done.returncode}: {done.stderr}{done.stdout[-500:]}")
        return done.stdout

    def shell(self, line: str) -> str:
        return self.go(["sh", "-ec", line], line)

    def check_config(self, role: str, config, *options) -> None:
        if role == "serve":  # it has nothing that looks at a file alone
            serve = self.case.start([role, "--config", config], role, self.space)
            serve.wait_ready()
            serve.terminate()
            return
        self.go([self.case.amt, role, "--check-config", "--config", str(config), *map(str, options)], f"{role}: {config}")

    def has(self, program: str) -> bool:
        if shutil.which(program) is None:
            self.case.note(f"{program} is not installed")
        return shutil.which(program) is not None

    def written(self, name: str, lines: list[str]) -> pathlib.Path:
        path = self.case.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


# Whole blocks
def configuration(host: Host, page, lines) -> None:
    host.check_config(ROLES[page.name], host.written("lines.toml", lines))


def events(host: Host, _, lines) -> None:
    for line in lines:
        json.loads(line)
    host.written("events.json", lines)


def script(host: Host, _, lines) -> None:
    """--announce: the address is on lo while the relay wants gateways."""
    path = host.written("announce", lines)
    path.chmod(0o755)

    def shown() -> bool:
        return "192.52.193.1" in host.go(["ip", "addr", "show", "dev", "lo"], "ip")
    for state, there in (("ready", True), ("drain", False), ("ready", True), ("stop", False)):
        host.go([str(path), state], f"announce {state}")
        host.case.check(shown() == there, f"announce {state}: the address")


def keys(host: Host, _, lines) -> None:
    path = host.written("keys", lines)
    path.chmod(0o600)
    (host.case.folder / "none.toml").touch()
    host.check_config("relay", host.case.folder / "none.toml", "--local", "192.0.2.2", "--secret-file", path)


def prometheus(host: Host, _, lines) -> None:
    if not host.has("promtool"):
        return
    shutil.copy(ROOT / "packaging/prometheus/amt.rules.yml", host.case.folder)
    host.go(["promtool", "check", "config", str(host.written("prometheus.yml", lines))], "promtool")


def playlist(host: Host, _, lines) -> None:
    serve = host.case.start(["serve", "--playlist", host.written("channels.m3u", lines)], "serve", host.space)
    serve.wait_ready()
    listed = host.go(["curl", "-s", "http://127.0.0.1:4022/playlist.m3u"], "the list")
    names = [line.split(",", 1)[1] for line in lines if line.startswith("#EXTINF")]
    host.case.check(names and all(name in listed for name in names) and listed.count("http://") == len(names), listed)
    serve.terminate()


def zone(host: Host, _, lines) -> None:
    if not host.has("kzonecheck"):
        return
    head = ["$TTL 60", "@ SOA ns hostmaster 1 60 60 60 60", "@ NS ns", "ns A 192.0.2.53", "relay A 192.0.2.1"]
    path = host.written("zone", head + lines)
    host.go(["kzonecheck", "-o", "example.net.", str(path)], "kzonecheck")


def frr(host: Host, _, lines) -> None:
    if host.has("vtysh"):
        said = host.go(["vtysh", "-C", "-f", str(host.written("frr.conf", lines))], "vtysh")
        host.case.check("Unknown" not in said, f"FRR: {said}")


def bird(host: Host, _, lines) -> None:
    if host.has("bird"):
        host.go(["bird", "-p", "-c", str(host.written("bird.conf", lines))], "bird")


BLOCKS = {r"interface \w+$": frr, r"router id ": bird, r"\{\"time\"": events, r"#!/bin/sh": script, r"# amt keys": keys, r"scrape_configs:": prometheus, r"#EXTM3U": playlist,
          r"_amt\._udp\.": zone}


# Lines
def setting(host: Host, page, line) -> None:
    configuration(host, page, [line])


def appended(host: Host, _, line) -> None:
    """A line for a file in /etc/amt, which is a good file with it."""
    role = re.search(r"/etc/amt/(\w+)\.toml", line)[1]
    path = write_example(host.case, role)
    host.shell(line)
    host.check_config(role, path)


def secret(host: Host, _, line) -> None:
    host.shell(line)
    made = os.stat(re.search(r">\s*(/etc/amt/\S+)\)", line)[1])
    # 32 octets, or as many characters and the end of the line.
    host.case.check(made.st_size in (32, 33) and made.st_mode & 0o777 == 0o600, f"{line}: {made}")


def units(host: Host, _, line) -> None:
    """A unit that is enabled has a place; the packages' own test starts and restarts them in a guest."""
    words = shlex.split(line)
    name = words[-1]
    unit = UNITS / f"{name}.service.in"
    host.case.check(unit.exists(), f"{line}: there is no {unit.name}")
    if "enable" in words and host.has("systemctl"):
        root = host.case.folder / "root"
        (root / "usr/lib/systemd/system").mkdir(parents=True, exist_ok=True)
        (root / f"usr/lib/systemd/system/{name}.service").write_text(unit.read_text(encoding="utf-8"), encoding="utf-8")
        host.go(["systemctl", f"--root={root}", *(word for word in words[1:] if word != "--now")], line)
        wanted = [one for one in root.rglob("*.wants") if (one / f"{name}.service").is_symlink()]
        host.case.check(wanted, f"{line}: it would not start")


def development(host: Host, _, line) -> None:
    """Scripts of this tree: they are there and can be run; most are other steps of CI."""
    words = [word for word in shlex.split(line) if "=" not in word]
    path = ROOT / words[0]
    host.case.check(os.access(path, os.X_OK), f"{line}: {path} cannot be run")
    if words[1:]:
        host.case.check((path.parent / words[1]).exists(), f"{line}: no {words[1]}")


def program(host: Host, _, line) -> None:
    """A C program of the guide or of the examples, as its line compiles it, with an installed library."""
    build = pathlib.Path(host.case.amt).parent
    if not (build / "cmake_install.cmake").exists() or not (build / "documents/written").exists():
        return host.case.note(f"not compiled, this program stands in no build folder with documents: {line}")
    name = shlex.split(line)[1].removesuffix(".c")
    [text] = re.findall(r"```c\n(.*?)```", (ROOT / "docs/library.md").read_text(encoding="utf-8"), re.DOTALL)
    example = ROOT / f"examples/{name}.c"
    (host.case.folder / f"{name}.c").write_text(text if name == "watch" else example.read_text(encoding="utf-8"), encoding="utf-8")
    top = host.case.folder / "installed"
    host.go(["cmake", "--install", str(build), "--prefix", str(top)], "cmake --install")
    [modules] = top.rglob("pkgconfig")
    host.go(["sh", "-ec", line], line, PKG_CONFIG_PATH=str(modules))
    host.case.check((host.case.folder / name).exists(), line)


def jq(host: Host, _, line) -> None:
    if host.has("jq"):
        host.case.check("192.0.2.7:40000\t" in host.shell(line), line)


def collector(host: Host, _, line) -> None:
    """nfdump's: of one gateway that has watched one channel it shows both."""
    if not host.has("nfcapd"):
        return
    words = shlex.split(line)
    if words[0] == "nfdump":
        return host.case.check(("192.0.2.2" if "next" in line else "232.1.2.3") in host.shell(line), line)
    pathlib.Path("/var/cache/nfdump").mkdir(exist_ok=True)
    running = host.case.program(words, "nfcapd", host.space)
    host.case.wait_until(lambda: ":4739 " in host.go(["ss", "-uln"], "ss"), 10, f"{line}: listens")
    relay = host.case.start(["relay", "--local", "192.0.2.2", "--upstream", "eth0", "--ipfix", "127.0.0.1:4739"], "relay", host.space)
    relay.wait_ready()
    receiver = host.case.start(["receive", "--relay", "192.0.2.2", "amt://192.0.2.9@232.1.2.3:5001", "-o", host.case.folder / "received"],
                               "receive", host.space)
    source = host.case.closing(RawSource(host.space, "eth0x"))

    def received() -> bool:
        source.send(packets.udp_datagram("192.0.2.9", "232.1.2.3", 5001, bytes(1000), ttl=9))
        return "first packet after" in receiver.err
    host.case.wait_until(received, 10, f"{line}: a flow")
    receiver.terminate()
    relay.terminate()
    running.signal(15)
    host.case.wait_until(lambda: list(pathlib.Path("/var/cache/nfdump").glob("nfcapd.[0-9]*")), 10, f"{line}: a file")


def firewall(host: Host, _, line) -> None:
    """The profile and the service are what packaging/firewall has; ufw and firewalld read them where they are installed, which
    no test does: this /etc is not the machine's, but a firewall that starts with it is."""
    folder = ROOT / "packaging/firewall"
    profile, service = re.search(r'ufw allow "([^"]+)"', line), re.search(r"--add-service=(\S+)", line)
    host.case.check(not profile or f"[{profile[1]}]" in (folder / "amtkit.ufw").read_text(encoding="utf-8"), line)
    host.case.check(not service or (folder / f"{service[1]}.xml").exists(), f"{line}: no such service")
    if line.startswith("ufw ") and host.has("ufw"):
        shutil.copy(folder / "amtkit.ufw", "/etc/ufw/applications.d/amtkit")
        host.shell(line)
    if line.startswith("firewall-cmd ") and host.has("firewall-offline-cmd"):
        shutil.copy(folder / "amt-relay.xml", "/etc/firewalld/services")
        host.shell(line.replace("firewall-cmd", "firewall-offline-cmd").replace(" --permanent", ""))


def debugger(host: Host, _, line) -> None:
    """What it debugs runs by itself, too."""
    words = shlex.split(line)
    host.case.check(words[:2] == ["gdb", "--args"] and words[2] == "build/release/amt", line)
    relay = host.case.start(words[3:], "debugged", host.space)
    relay.wait_ready()
    relay.terminate()


LINES = {r"[a-z-]+ = ": setting, r"echo ": appended, r"\(umask ": secret, r"systemctl ": units, r"tools/|AMT=|build/asan/": development,
         r"cc ": program, r"jq ": jq, r"nfcapd |nfdump ": collector, r"ufw |firewall-cmd ": firewall, r"gdb ": debugger}


def is_for_readers(line: str) -> bool:
    """Words in capitals stand for something of the reader's."""
    return bool(re.search(r"(^|[\s/_])[A-Z]{3,}[A-Z-]*(\s|$|/)", line))


def execute(host: Host, page, line: str) -> None:
    for command in commands_of(line):
        first = command.split()[0]
        by = next((test for test, words in OTHER_TESTS.items() if first in words), None)
        handler = next((handler for pattern, handler in LINES.items() if re.match(pattern, command)), None)
        host.case.check(by or handler, f"{page.name}: no test executes: {line}")
        name = by or handler.__name__
        host.count[name] = host.count.get(name, 0) + 1
        if not by and not is_for_readers(command):
            handler(host, page, command)


def run(case):
    host = Host(case)
    for test in OTHER_TESTS:
        case.check((ROOT / "tests/system" / test).exists(), test)
    # The events are there before jq reads them, the collector before nfdump.
    for page in PAGES:
        for block in blocks(page):
            whole = next((handler for pattern, handler in BLOCKS.items() if re.match(pattern, block[0])), None)
            if whole:
                whole(host, page, block)
                continue
            answered = block[0].startswith("$ ")
            for line in block[:1] if answered else lines_of(block):
                execute(host, page, line)
        for line in inline(page):
            if line.startswith(("ufw ", "firewall-cmd ")):
                execute(host, page, line)
    for name, count in sorted(host.count.items()):
        case.figure(f"commands executed by {name}", count)
    operators = ROOT / "docs/guide-operators.md"
    for line in BROKEN:
        try:
            execute(host, operators, line)
        except AssertionError:
            continue
        case.check(False, f"nothing is found wrong with: {line}")
