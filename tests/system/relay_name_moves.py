"""A relay that was given by name, and that name by and by stands for another address: when the relay does not answer any
more, the gateway looks its name up again. A name that no resolver knows yet is waited for at the start.

    gateway ══ relay 10.2.0.1 and 10.2.0.77 (doubles)
"""

import subprocess

from lib import fake_relay
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}
NAME = "relay.test"


def run(case):
    line = Line(case)
    line.relay.ip("addr add 10.2.0.77/24 dev r1")
    hosts = case.folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n", encoding="ascii")
    resolver = case.folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
    first = case.closing(fake_relay.FakeRelay(line.relay, "10.2.0.1"))
    second = case.closing(fake_relay.FakeRelay(line.relay, "10.2.0.77"))

    gateway = case.daemon(["gateway", "--relay", NAME], "gateway", line.gateway, ready=False)
    case.wait_until(lambda: f"waiting for the address of the relay {NAME}" in gateway.err, 10, "no resolver yet")
    hosts.write_text(f"127.0.0.1 localhost\n10.2.0.1 {NAME}\n", encoding="ascii")
    gateway.wait_ready(20)
    listener = line.listener(4, ASM[4])
    case.wait_until(lambda: first.tunnels, 10, "the first relay is used")
    hosts.write_text(f"127.0.0.1 localhost\n10.2.0.77 {NAME}\n", encoding="ascii")
    first.answers_requests = first.answers_discovery = False
    # It is missed by the next Request only, unless something asks sooner: a new group does.
    other = line.listener(4, "239.9.9.9")
    # Without that trouble it would be looked up in five minutes.
    case.wait_until(lambda: second.tunnels, 40, "the second relay is used", poll=0.2)
    case.check(f"relay {NAME} is now at 10.2.0.77:2268" in gateway.err, "which is told")
    for one in (listener, other):
        one.close()
