"""A host whose default is strict reverse-path filtering (net.ipv4.conf.default.rp_filter = 1, all = 0 or 1): the gateway
sets its own interface right, and touches no other. At its end the interface is gone. What the host filters all the same (all = 1
and no route to the source) is told with the mend.

    source ── relay ══ gateway (rp_filter 1) ── amt0 ── listener
"""

from lib.topology import SSM, Line

NEEDS = {"namespaces", "tun"}


def no_route(case, line):
    line.gateway.sysctl("net.ipv4.conf.all.rp_filter", 1)
    line.gateway.ip("route del default")
    gateway = line.start_gateway(4, name="no-route")
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    case.wait_until(lambda: "amt0: this host drops what the tunnel brings, by reverse-path filtering" in gateway.err, 25,
                    "what is filtered is told")
    case.check("net.ipv4.conf.all.rp_filter=0" in gateway.err and listener.count == 0, f"with the mend: {gateway.err}")
    line.gateway.sysctl("net.ipv4.conf.all.rp_filter", 0)
    case.wait_until(lambda: listener.count >= 50, 10, "the mend that was named helps")
    gateway.terminate()


def run(case):
    line = Line(case)
    line.start_relay()
    line.gateway.sysctl("net.ipv4.conf.default.rp_filter", 1)
    line.gateway.sysctl("net.ipv4.conf.g0.rp_filter", 1)
    gateway = line.start_gateway(4)
    line.stream(4, SSM[4], rate=200)
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    case.wait_until(lambda: listener.count >= 100, 10, "data in spite of rp_filter")

    def rp_filter(name):
        return line.gateway.run("cat", f"/proc/sys/net/ipv4/conf/{name}/rp_filter").strip()
    case.check(rp_filter("default") == "1" and rp_filter("g0") == "1", "other interfaces keep theirs")
    case.figure("rp_filter", f"amt0 {rp_filter('amt0')}, g0 {rp_filter('g0')}, default {rp_filter('default')}")
    gateway.terminate()
    case.check(not line.gateway.has_link("amt0"), "amt0 is gone")
    case.check("amt0" not in line.gateway.run("ip", "route", "show", "table", "all"), "and its routes")
    no_route(case, line)
