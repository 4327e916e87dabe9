"""What a scenario is given besides a test's case: the kernel's devices, and the lines that tell what passed."""

import dataclasses
import pathlib
import subprocess
import time

from lib import process
from lib.multicast import Listener, sequence_report

MARK = "interop: "
# Emulation is slow, and the kernel's gateway asks in steps of two seconds.
PATIENCE = 30.0


def say(text: str) -> None:
    print(MARK + text, flush=True)


@dataclasses.dataclass
class Tally:
    """Packets that arrived whole, octet by octet as sent."""
    packets: int = 0
    octets: int = 0
    lost: int = 0
    reordered: int = 0

    def add(self, listener: Listener) -> None:
        """Counts what a listener of one stream got; nothing of it may be damaged or repeated. In order it is, but behind
        the kernel's gateway, which hands packets to whatever processor is at hand."""
        report = sequence_report(listener.numbers())
        by_kernel = listener.interface == KernelGateway.device
        if listener.damaged or report["duplicated"] or (report["reordered"] and not by_kernel):
            raise AssertionError(f"{listener.damaged} damaged, {report}")
        self.packets += listener.count
        self.octets += listener.octets
        self.lost += report["lost"]
        self.reordered += report["reordered"]

    def say(self, name: str, also: str = "", *, ours=True) -> None:
        """`ours`: one end is our program, and no packet may be lost. Between kernels that depends on the machine."""
        verdict = "FAIL" if (ours and self.lost) or not self.packets else "PASS"
        notes = [f"{self.reordered} out of order"] * bool(self.reordered) + [also] * bool(also)
        say(f"{verdict} {name}: {self.packets} packets, {self.octets} octets, {self.lost} lost"
            + "".join("; " + note for note in notes))


def collect(case, listener: Listener, packets: int, what: str) -> float:
    """Until so many packets are there; seconds until the first."""
    start = time.monotonic()
    case.wait_until(lambda: listener.count >= packets, PATIENCE + packets / 20,
                    f"{packets} packets of {what}, got {listener.count}")
    return listener.arrivals[0][0] - start


class KernelGateway:
    """`ip link add ... type amt mode gateway`: programs join on its interface as on ours."""

    device = "amtg"

    def __init__(self, host, local: str, relay: str):
        self.host = host
        host.ip(f"link add {self.device} type amt mode gateway local {local} discovery {relay} dev g0",
                f"link set {self.device} up")

    def remove(self) -> None:
        self.host.ip(f"link del {self.device}")


class KernelRelay:
    """`ip link add ... type amt mode relay`, and smcroute, which routes multicast from r0 to it."""

    device = "amtr"

    def __init__(self, case, host, local: str, groups: list[tuple[str, str | None]], tunnels=8):
        self.host = host
        self._config = case.folder / "smcroute.conf"
        lines = ["phyint r0 enable", f"phyint {self.device} enable"]
        for group, source in groups:
            of = f" source {source}" if source else ""
            lines += [f"mgroup from r0 group {group}{of}", f"mroute from r0 group {group} to {self.device}"]
        self._config.write_text("\n".join(lines) + "\n", encoding="ascii")
        host.ip(f"link add {self.device} type amt mode relay local {local} dev r1 relay_port 2268 max_tunnels {tunnels}",
                f"link set {self.device} up")
        self._daemon = process.Process(["smcrouted", "-n", "-N", "-f", str(self._config), "-i", "interop",
                                        "-P", str(case.folder / "smcroute.pid"), "-u", str(case.folder / "smcroute.sock"),
                                        "-l", "info"], case.folder, "smcroute", host)
        case.closing(self)

    def restart(self) -> None:
        """It forgets all its tunnels."""
        self.host.ip(f"link set {self.device} down", f"link set {self.device} up")

    def log(self) -> str:
        return self._daemon.err

    def close(self) -> None:
        self._daemon.kill()


def dmesg() -> list[str]:
    """What the kernel complained of."""
    done = subprocess.run(["/bin/busybox", "dmesg"], capture_output=True, text=True, check=False)
    bad = ("BUG:", "WARNING:", "Oops", "general protection", "Call Trace", "unregister_netdevice: waiting")
    return [line for line in done.stdout.splitlines() if any(word in line for word in bad)]


def transmitted(host, device: str) -> int:
    """Packets that left a device."""
    with host.enter():
        # /sys shows the namespace that mounted it; this file is of the reader's own.
        for line in pathlib.Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines():
            if line.split(":")[0].strip() == device:
                return int(line.split(":")[1].split()[9])
    raise AssertionError(f"{device} is not in /proc/net/dev")
