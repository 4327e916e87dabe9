"""Programs that own a host's network, with the gateway's interface among what they find: systemd-networkd, which is told to
manage amt0 and to give it an address, or NetworkManager starts, and starts again. Routes and addresses of the gateway stay,
and data goes on.

    source ── relay ══ gateway ── amt0 (networkd, NetworkManager) ── listener
"""

import os
import pathlib
import shutil
import subprocess

from lib.scenario import Skipped
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces", "tun"}
NETWORKD = "/lib/systemd/systemd-networkd"
ADDED = "198.18.77.1/24"
# The sysfs of the host's own namespace, not to be written: networkd takes the machine for a container, which has no udev.
IN_CONTAINER = ["unshare", "-m", "sh", "-c", 'mount -t sysfs -o ro sysfs /sys && exec "$@"', "sh"]


def has_all(space) -> bool:
    shown = {family: space.run("ip", f"-{family}", "route", "show", "table", "all", "dev", "amt0") for family in (4, 6)}
    return "232.0.0.0/8" in shown[4] and shown[6].count("ff3e::/32") == 2


def addresses(space) -> str:
    return space.run("ip", "-o", "addr", "show", "dev", "amt0")


def tmpfs(path: str) -> None:
    pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)


class Owner:
    def __init__(self, case, line, *command: str):
        self.case, self.line, self.command, self.starts = case, line, command, 0

    def start(self):
        self.starts += 1
        self.process = self.case.program([*IN_CONTAINER, *self.command], f"owner{self.starts}", self.line.gateway)

    def has_taken(self) -> bool:
        """Whether it has done with amt0 what it wants to."""
        return ADDED.split("/")[0] in addresses(self.line.gateway)

    def stop(self):
        self.process.terminate()


class Manager(Owner):
    def has_taken(self) -> bool:
        """It finds amt0 made by somebody else, and says "connected (externally)"."""
        with self.line.gateway.enter():
            done = subprocess.run(["nmcli", "-t", "-f", "DEVICE,STATE", "device"], capture_output=True, text=True, timeout=30,
                                  check=False)
        return "amt0:connected" in done.stdout


def networkd(case, line) -> Owner:
    """Told to manage amt0: an address of its own, none of IPv6, and what it did not make is dropped (ManageForeignRoutes)."""
    if os.geteuid() != 0 or not os.access(NETWORKD, os.X_OK):
        raise Skipped("no systemd-networkd for this user")
    tmpfs("/etc/systemd/network")
    pathlib.Path("/etc/systemd/network/10-amt.network").write_text(
        f"[Match]\nName=amt0\n[Network]\nAddress={ADDED}\nLinkLocalAddressing=no\n", encoding="ascii")
    made = subprocess.run(["install", "-d", "-o", "systemd-network",
                           *(f"/run/systemd/netif{one}" for one in ("", "/links", "/leases", "/lldp"))],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Skipped(f"systemd-networkd cannot have its user here: {made.stderr.strip()}")
    return Owner(case, line, NETWORKD)


def network_manager(case, line) -> Owner:
    """As it is after its installation."""
    for program in ("NetworkManager", "nmcli", "dbus-daemon"):
        if shutil.which(program) is None:
            raise Skipped(f"{program} is not installed")
    if os.geteuid() != 0:
        raise Skipped("NetworkManager needs root")
    for path in ("/etc/NetworkManager", "/var/lib/NetworkManager"):
        tmpfs(path)
    pathlib.Path("/etc/NetworkManager/NetworkManager.conf").write_text(
        "[main]\nplugins=keyfile\ndhcp=internal\ndns=none\nrc-manager=unmanaged\n", encoding="ascii")
    pathlib.Path("/run/dbus").mkdir(exist_ok=True)
    case.program(["dbus-daemon", "--system", "--nofork", "--nopidfile"], "dbus", line.gateway)
    case.wait_until(lambda: os.path.exists("/run/dbus/system_bus_socket"), 10, "the bus")
    return Manager(case, line, "NetworkManager", "--no-daemon")


OWNERS = {"networkd": networkd, "NetworkManager": network_manager}


def run(case):
    line = Line(case)
    owner = OWNERS[case.arguments[0]](case, line)
    line.start_relay()
    gateway = line.start_gateway(4)
    listeners = {}
    for family in (4, 6):
        line.stream(family, SSM[family], rate=100)
        line.stream(family, ASM[family], rate=100)
        listeners[family] = line.listener(family, SSM[family], [line.source_address(family)])
    case.wait_until(lambda: all(one.count > 20 for one in listeners.values()), 10, "data")

    for turn in ("starts", "starts again"):
        owner.start()
        case.wait_until(owner.has_taken, 15, f"the owner {turn}: it has amt0", poll=0.1)
        case.wait_until(lambda: has_all(line.gateway), 5, f"the owner {turn}: routes are there")
        case.wait_until(lambda: "192.0.0.8/32 scope link" in addresses(line.gateway), 5, f"{turn}: {addresses(line.gateway)}")
        before = {family: one.count for family, one in listeners.items()}
        case.wait_until(lambda: all(one.count > before[family] + 50 for family, one in listeners.items()), 10,
                        f"the owner {turn}: data goes on")
        # Programs that join now find the interface by its route, and are heard.
        for family in (4, 6):
            late = line.listener(family, ASM[family])
            case.wait_until(lambda: late.count > 20, 10, f"the owner {turn}: data for a program that joins now, IPv{family}")
            late.close()
        owner.stop()
        case.wait_until(lambda: has_all(line.gateway), 5, "routes after the owner's end")
    told = [text for text in gateway.err.splitlines() if "was gone and is set again" in text]
    case.figure(f"{case.arguments[0]}: what it took and the gateway set again", len(told), "; ".join(told)[:200])
