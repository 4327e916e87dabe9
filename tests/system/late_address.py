"""An address or an interface that comes a moment after the start is waited for (DHCP, PPP, duplicate address detection); one
that does not come is an error, and the service manager tries again.

    relay ── gateway
"""

from lib.topology import Line

NEEDS = {"namespaces", "tun"}


def interfaces(case, line):
    relay = case.daemon(["relay", "--local", "10.2.0.1", "--upstream", "ppp0"], "relay-ppp", line.relay, ready=False)
    case.wait_until(lambda: "waiting for --upstream ppp0" in relay.err, 5, "the relay waits for its upstream")
    line.relay.ip("link add ppp0 type veth peer name ppp0x", "link set ppp0 up", "link set ppp0x up")
    relay.wait_ready(10)
    relay.terminate()
    gateway = case.daemon(["gateway", "--relay", "10.2.0.1", "--tap", "--downstream", "lan0", "--bridge", "br0"], "gateway-lan",
                          line.gateway, ready=False)
    case.wait_until(lambda: "waiting for --downstream lan0" in gateway.err, 5, "the gateway waits for its LAN")
    line.gateway.ip("link add lan0 type veth peer name lan0x", "link set lan0 up", "addr add 192.168.9.1/24 dev lan0")
    case.wait_until(lambda: "waiting for --bridge br0" in gateway.err, 5, "and for its bridge")
    line.gateway.ip("link add br0 type bridge")
    gateway.wait_ready(10)
    gateway.terminate()


def run(case):
    line = Line(case)
    interfaces(case, line)
    relay = case.daemon(["relay", "--local", "10.2.0.55"], "relay", line.relay, ready=False)
    case.wait_until(lambda: "waiting for --local 10.2.0.55" in relay.err, 5, "the relay waits")
    line.relay.ip("addr add 10.2.0.55/24 dev r1")
    relay.wait_ready(10)
    relay.terminate()
    # As the kernel has it while it looks for duplicates.
    for device in ("all", "r1"):
        line.relay.sysctl(f"net.ipv6.conf.{device}.accept_dad", 1)
    line.relay.sysctl("net.ipv6.conf.r1.dad_transmits", 3)
    line.relay.ip("addr add 2001:db8:2::55/64 dev r1")
    relay = case.daemon(["relay", "--local", "2001:db8:2::55", "--upstream", "r0"], "relay-dad", line.relay, ready=False)
    relay.wait_ready(20)
    case.check("waiting for --local 2001:db8:2::55" in relay.err, "the relay waits for the end of the detection")
    relay.terminate()

    gateway = case.daemon(["gateway", "--relay", "10.2.0.1", "--local", "10.2.0.66"], "gateway", line.gateway, ready=False)
    case.wait_until(lambda: "waiting for --local 10.2.0.66" in gateway.err, 5, "the gateway waits")
    line.gateway.ip("addr add 10.2.0.66/24 dev g0")
    gateway.wait_ready(10)
    gateway.terminate()

    done = case.amt_once(["relay", "--local", "203.0.113.9"], line.relay, timeout=30)
    case.check(done.returncode == 1 and "203.0.113.9" in done.stderr, f"status {done.returncode}: {done.stderr}")
    # A host whose DHCP server is slow: systemd tries again after status 1, and not after 2 (RestartPreventExitStatus).
    done = case.amt_once(["relay"], case.host("offline"), timeout=60)
    case.check(done.returncode == 1 and "default route" in done.stderr, f"status {done.returncode}: {done.stderr}")
    waiting = case.daemon(["relay", "--local", "203.0.113.9"], "stopped", line.relay, ready=False)
    case.wait_until(lambda: "waiting for" in waiting.err, 5, "it waits")
    waiting.terminate()
