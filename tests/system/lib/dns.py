"""Name servers for tests: knot with signed zones, unbound as the resolver before it, and a resolver that knows nothing
of DNSSEC."""

import json
import shutil
import signal
import socket
import struct
import subprocess

from . import background, process


def missing() -> str | None:
    """What of the programs is not there, or None."""
    for program in ("knotd", "keymgr", "unbound"):
        if shutil.which(program) is None and shutil.which(f"/usr/sbin/{program}") is None:
            return program
    return None


def amtrelay(precedence: int, relay: str | None, *, direct=True) -> str:
    """The AMTRELAY record as any name server takes it (RFC 3597): type 0 to 3 by what `relay` is, the D bit by `direct`."""
    if relay is None:
        kind, octets, direct = 0, b"", False
    elif relay.replace(".", "").isdigit():
        kind, octets = 1, socket.inet_pton(socket.AF_INET, relay)
    elif ":" in relay:
        kind, octets = 2, socket.inet_pton(socket.AF_INET6, relay)
    else:
        labels = relay.rstrip(".").split(".")
        kind, octets = 3, b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    data = bytes([precedence, (0x80 if direct else 0) | kind]) + octets
    return f"TYPE260 \\# {len(data)} {data.hex()}"


def services(domain: str, *relays: tuple[int, int, str], ttl=300) -> str:
    """DNS-SD records of `domain`, relative to their zone: an instance for each relay (priority, port, host)."""
    lines = []
    for number, (priority, port, host) in enumerate(relays):
        instance = rf"relay\032no\.{number}._amt._udp.{domain}"
        lines += [f"_amt._udp.{domain} {ttl} PTR {instance}", f"{instance} {ttl} SRV {priority} 0 {port} {host}"]
    return "\n".join(lines) + "\n"


def _program(name: str) -> str:
    return shutil.which(name) or f"/usr/sbin/{name}"


class Knot:
    """Authoritative for `zones` ({name: text of its records, signed or not}), at `address`."""

    def __init__(self, case, host, address: str, zones: dict[str, str], signed: set[str]):
        self.folder = case.folder / "knot"
        self.folder.mkdir()
        self.config = self.folder / "knot.conf"
        lines = [f'server:\n  rundir: "{self.folder}"\n  listen: {address}@53\n',
                 f'database:\n  storage: "{self.folder}"\n',
                 "policy:\n  - id: plain\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n", "zone:\n"]
        self.serial = 1
        for name, records in zones.items():
            path = self._write(name, records)
            sign = "    dnssec-signing: on\n    dnssec-policy: plain\n" if name in signed else ""
            lines.append(f'  - domain: {name}\n    file: "{path}"\n    zonefile-sync: -1\n'
                         f"    journal-content: none\n    zonefile-load: whole\n{sign}")
        self.config.write_text("".join(lines), encoding="ascii")
        self.process = process.Process([_program("knotd"), "-c", str(self.config)], case.folder, "knotd", host)
        case.closing(_Ending(self.process))

    def _write(self, name: str, records: str):
        path = self.folder / f"{name}zone"
        path.write_text(f"$ORIGIN {name}\n$TTL 300\n@ SOA ns.example. root.example. {self.serial} 3600 600 86400 300\n"
                        f"@ NS ns.example.\n{records}\n", encoding="ascii")
        return path

    def replace(self, zone: str, records: str) -> None:
        """Other records from now on."""
        self.serial += 1000
        self._write(zone, records)
        self.process.signal(signal.SIGHUP)

    def is_serving(self) -> bool:
        if self.process.status is not None:
            raise AssertionError(f"knotd ended: {self.process.err}{self.process.out.decode()}")
        return b"server started" in self.process.out or "server started" in self.process.err

    def trust_anchor(self, zone: str) -> str:
        """The zone's DS record, as a resolver reads it."""
        done = subprocess.run([_program("keymgr"), "-c", str(self.config), zone, "ds"], capture_output=True, text=True,
                              timeout=10, check=False)
        for line in done.stdout.splitlines():
            if " DS " in line and line.split()[-2] == "2":
                return line + "\n"
        raise AssertionError(f"no DS of {zone}: {done.stdout}{done.stderr}\n{self.process.err}")


class Unbound:
    """A resolver at `address` that asks `server` for everything and hands signatures on without looking at them."""

    def __init__(self, case, host, address: str, server: str, zones):
        folder = case.folder / "unbound"
        folder.mkdir()
        config = folder / "unbound.conf"
        stubs = "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: {server}\n' for zone in zones)
        open_zones = "".join(f'  local-zone: "{zone}" nodefault\n' for zone in (*zones, "10.in-addr.arpa."))
        config.write_text(
            f'server:\n  interface: {address}\n  access-control: 0.0.0.0/0 allow\n  do-daemonize: no\n  username: ""\n'
            f'  chroot: ""\n  directory: "{folder}"\n  pidfile: ""\n  use-syslog: no\n  module-config: "iterator"\n'
            f"  do-not-query-localhost: no\n  unblock-lan-zones: yes\n{open_zones}"
            f"remote-control:\n  control-enable: no\n{stubs}", encoding="ascii")
        self.process = process.Process([_program("unbound"), "-d", "-c", str(config)], case.folder, "unbound", host)
        case.closing(_Ending(self.process))


class SignedZones:
    """Knot on the source's host, unbound on the relay's; `options` lets `amt` find and trust the zones. The zone `wrong` is
    signed by a key that nobody trusts: its trust anchor is another zone's."""

    RESOLVER = "10.2.0.1"

    def __init__(self, case, line, zones: dict[str, str], *, wrong: str | None = None):
        self.knot = Knot(case, line.source, "10.1.0.1", zones, set(zones))
        Unbound(case, line.relay, self.RESOLVER, "10.1.0.1", zones)
        case.wait_until(self.knot.is_serving, 10, "knot serves")
        anchors = case.folder / "anchors"
        right = [self.knot.trust_anchor(zone) for zone in zones if zone != wrong]
        if wrong:
            first = next(zone for zone in zones if zone != wrong)
            right.append(self.knot.trust_anchor(first).replace(first, wrong))
        anchors.write_text("".join(right), encoding="ascii")
        self.options = ["--resolver", self.RESOLVER, "--trust-anchor", str(anchors)]

        def answers():
            done = case.amt_once(["discover", "10.1.255.1", "--json", *self.options], line.gateway, timeout=60)
            return json.loads(done.stdout)["driad"]["problem"] == "no such name"
        case.wait_until(answers, 20, "the resolver answers")


class _Ending:
    def __init__(self, one):
        self.one = one

    def close(self):
        self.one.kill()


def _question_end(message: bytes) -> int:
    at = 12
    while message[at] != 0:
        at += 1 + message[at]
    return at + 5


class PlainResolver(background.SocketReader):
    """Answers type AMTRELAY with `rdata` for every name, anything else with no data; no EDNS, no signatures."""

    AMTRELAY = 260

    def __init__(self, host, address: str, rdata: bytes):
        with host.enter():
            reading = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            reading.bind((address, 53))
        super().__init__(reading)
        self.rdata = rdata
        self.start()

    def handle(self, octets: bytes, peer) -> None:
        end = _question_end(octets)
        kind = struct.unpack("!H", octets[end - 4:end - 2])[0]
        found = kind == self.AMTRELAY
        head = octets[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if found else 0, 0, 0)
        answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(self.rdata)) + self.rdata if found else b""
        self.socket.sendto(head + octets[12:end] + answer, peer)
