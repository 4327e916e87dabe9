"""What the gateway set on its interface stays so, whatever others do: routes and addresses after `down` and `up` or after
somebody flushed them, rp_filter, the bridge. Programs that choose an interface by its address find it.

    source ── relay ══ gateway ── amt0 ── listener
"""

import socket
import struct

from lib.multicast import Listener
from lib.topology import ASM, PORT, SSM, Line

NEEDS = {"namespaces", "tun"}
IP_ADD_MEMBERSHIP = 35


def routes(space, family) -> str:
    return space.run("ip", f"-{family}", "route", "show", "table", "all", "dev", "amt0")


def has_all(space) -> bool:
    return "232.0.0.0/8" in routes(space, 4) and routes(space, 6).count("ff3e::/32") == 2


def addresses(space) -> str:
    return space.run("ip", "-o", "addr", "show", "dev", "amt0")


def by_address(case, line, address: str) -> None:
    """As a program of the 1990s: the interface is named by its address."""
    case.check(f" {address}/32 " in addresses(line.gateway), f"the interface has {address}: {addresses(line.gateway)}")
    listener = case.closing(Listener(line.gateway, "amt0", 4, PORT))
    listener.socket.setsockopt(socket.IPPROTO_IP, IP_ADD_MEMBERSHIP,
                               struct.pack("4s4s", socket.inet_aton(ASM[4]), socket.inet_aton(address)))
    case.wait_until(lambda: listener.count > 20, 10, f"data for a program that joined by {address}")
    listener.close()


def kept(case, line, gateway) -> None:
    space = line.gateway
    space.ip("link set amt0 down", "link set amt0 up")
    case.wait_until(lambda: has_all(space), 5, f"routes after down and up: {routes(space, 4)} {routes(space, 6)}")
    for family in (4, 6):
        space.run("ip", f"-{family}", "route", "flush", "dev", "amt0")
    case.wait_until(lambda: has_all(space), 5, "routes after a flush")
    case.check("the route 232.0.0.0/8 was gone and is set again" in gateway.err, "which is told")
    space.ip("addr flush dev amt0")
    case.wait_until(lambda: "192.0.0.8/32 scope link" in addresses(space), 5, f"the address: {addresses(space)}")
    for which in ("all", "amt0"):
        space.sysctl(f"net.ipv4.conf.{which}.rp_filter", 1)
    # All others are checked against routes now, strictly; on amt0 loosely is the least.
    case.wait_until(lambda: space.run("cat", "/proc/sys/net/ipv4/conf/amt0/rp_filter").strip() == "2", 5, "rp_filter")
    space.sysctl("net.ipv4.conf.all.rp_filter", 0)
    case.wait_until(lambda: space.run("cat", "/proc/sys/net/ipv4/conf/amt0/rp_filter").strip() == "0", 5, "rp_filter off")


def down(case, line, gateway) -> None:
    """An interface that is down wants nothing; what programs have joined is asked for again when it is up."""
    listeners = [line.listener(family, SSM[family], [line.source_address(family)]) for family in (4, 6)]
    case.wait_until(lambda: all(one.count > 20 for one in listeners), 10, "data")
    line.gateway.ip("link set amt0 down")
    case.wait_until(lambda: not gateway.snapshot()["memberships"], 5, "down: nothing is wanted")
    before = [one.count for one in listeners]
    line.gateway.ip("link set amt0 up")
    case.wait_until(lambda: all(one.count > 20 + was for one, was in zip(listeners, before)), 10, "up: data again")
    for one in listeners:
        one.close()


def bridged(case, line) -> None:
    space = line.gateway
    done = case.amt_once(["gateway", "--relay", "10.2.0.1", "--bridge", "br7"], space)
    case.check(done.returncode == 2 and "--bridge br7: needs --tap" in done.stderr, f"{done.stderr}")
    done = case.amt_once(["gateway", "--relay", "10.2.0.1", "--tap", "--bridge", "br7"], space)
    case.check(done.returncode == 1 and "--bridge br7: there is no such interface" in done.stderr, f"{done.stderr}")
    space.ip("link add br7 type bridge", "link set br7 up")
    gateway = line.start_gateway(4, "--tap", "--bridge", "br7", "--address", "198.18.9.1/32", name="bridged")
    case.check("master br7" in space.run("ip", "link", "show", "amt0"), "a port of the bridge")
    case.check("198.18.9.1/32" in addresses(space) and "192.0.0.8" not in addresses(space), f"{addresses(space)}")
    space.ip("link set amt0 nomaster")
    case.wait_until(lambda: "master br7" in space.run("ip", "link", "show", "amt0"), 5, "again")
    gateway.terminate()
    # Somebody made the interface before: it is taken over, and stays.
    space.ip("tuntap add dev amt0 mode tap")
    line.start_gateway(4, "--tap", name="takes-over").terminate()
    case.check(space.has_link("amt0"), "a persistent interface outlives the gateway")


def run(case):
    line = Line(case)
    line.start_relay()
    gateway = line.start_gateway(4)
    for family in (4, 6):
        line.stream(family, SSM[family], rate=100)
    line.stream(4, ASM[4], rate=100)
    case.check(has_all(line.gateway), "routes at the start")
    by_address(case, line, "192.0.0.8")
    kept(case, line, gateway)
    down(case, line, gateway)
    gateway.terminate()
    gateway = line.start_gateway(4, "--address", "198.18.9.1/32", name="addressed")
    by_address(case, line, "198.18.9.1")
    gateway.terminate()
    bridged(case, line)
