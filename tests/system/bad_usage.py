"""Wrong use: one clear line (two at most) on stderr that names the option or key and the value, status 2 for arguments and
configuration, 1 for what the machine refuses; nothing half-configured is left behind.

    one host, no peers
"""

import os
import socket

from lib.scenario import tun_problem

NEEDS = {"namespaces"}


def complaint(case, what: str, done, statuses: set[int], mentions) -> None:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    shown = f"{what}: status {done.returncode}, stdout {done.stdout!r}, stderr {done.stderr!r}"
    case.check(done.returncode in statuses, f"expected status {statuses}: {shown}")
    case.check(1 <= len(lines) <= 2, f"one or two lines on stderr: {shown}")
    case.check(not done.stdout, f"nothing on stdout: {shown}")
    for word in mentions:
        case.check(word.lower() in done.stderr.lower(), f"the message names {word!r}: {shown}")


def usage(folder) -> list[tuple[list[str], list[str]]]:
    """(arguments, words of the message): all status 2."""
    relay, gateway, receive = ["relay", "--upstream", "lo"], ["gateway"], ["receive"]
    router = ["relay", "--interface", "amtr0", "--interface-address"]
    url = "amt://10.1.0.1@232.1.2.3:5000"
    missing = str(folder / "missing.toml")
    return [
        (["frobnicate"], ["frobnicate"]),
        ([*relay, "--no-such-option"], ["--no-such-option"]),
        ([*relay, "--local", "300.1.2.3"], ["local", "300.1.2.3"]),
        ([*relay, "--local", "relay.example"], ["local", "relay.example"]),
        ([*relay, "--local", "239.1.1.1"], ["local", "239.1.1.1"]),
        ([*relay, "--local"], ["--local"]),
        ([*relay, "--discovery", "::zz"], ["discovery", "::zz"]),
        ([*relay, "--relay-port", "70000"], ["relay-port", "70000"]),
        ([*relay, "--relay-port", "-1"], ["relay-port", "-1"]),
        ([*relay, "--relay-port", "abc"], ["relay-port", "abc"]),
        ([*relay, "--robustness", "0"], ["robustness", "0"]),
        ([*relay, "--robustness", "8"], ["robustness", "8"]),
        ([*relay, "--query-interval", "0"], ["query-interval", "0"]),
        ([*relay, "--query-interval", "31745"], ["query-interval", "31745"]),
        ([*relay, "--query-interval", "5s5"], ["query-interval", "5s5"]),
        ([*relay, "--max-tunnels", "-5"], ["max-tunnels", "-5"]),
        ([*relay, "--workers", "0"], ["workers", "0", "256"]),
        ([*relay, "--workers", "257"], ["workers", "257"]),
        ([*relay, "--gateway-fields", "sometimes"], ["gateway-fields", "sometimes"]),
        ([*relay, "--log-level", "loud"], ["log-level", "loud"]),
        ([*relay, "--config", missing], [missing]),
        ([*relay, "--interface", "amtr0"], ["--interface", "--upstream"]),
        (["relay", "--interface-address", "198.18.0.1/30"], ["interface-address", "198.18.0.1/30", "--interface"]),
        ([*router, "198.18.0.1/32"], ["interface-address", "198.18.0.1/32", "room", "31"]),
        ([*router, "fe80::1/128"], ["interface-address", "fe80::1/128", "room", "127"]),
        ([*router, "198.18.0.1"], ["interface-address", "198.18.0.1", "LENGTH"]),
        ([*router, "198.18.0.3/30"], ["interface-address", "198.18.0.3/30", "broadcast"]),
        ([*router, "239.1.1.1/24"], ["interface-address", "239.1.1.1/24", "unicast"]),
        ([*gateway, "--relay", "10.0.0.1", "--gateway-port", "65536"], ["gateway-port", "65536"]),
        ([*gateway, "--relay", "10.0.0.1", "--route", "232.0.0.0/33"], ["route", "232.0.0.0/33"]),
        ([*gateway, "--relay", "10.0.0.1", "--interface", "a-name-that-is-too-long"], ["interface", "a-name-that-is-too-long"]),
        ([*gateway, "--discovery", "1.2.3"], ["discovery", "1.2.3"]),
        ([*gateway, "--discover-order", "dnssd,mdns"], ["discover-order", "dnssd,mdns", "driad"]),
        ([*gateway, "--dns-sd-domain", "example..net"], ["dns-sd-domain", "example..net"]),
        ([*gateway, "--relay", "10.0.0.1", "--downstream", "lo"], ["--downstream", "lo"]),
        # P-b: the router part is not run on the upstream's own interface.
        ([*gateway, "--relay", "10.0.0.1", "--downstream", "amt0"], ["--downstream", "amt0"]),
        ([*gateway, "--relay", "10.0.0.1", "--robustness", "8"], ["robustness", "8"]),
        (receive, ["url"]),
        ([*receive, "http://example.org/"], ["http://example.org/"]),
        ([*receive, "amt://192.0.2.1:5000", "--relay", "10.0.0.1"], ["192.0.2.1"]),
        ([*receive, "amt://10.1.0.1@2001:db8::1"], ["amt://"]),
        ([*receive, "amt://2001:db8::10@ff3e::1:5001"], ["an IPv6 group takes square brackets", "[ff3e::1]:5001"]),
        ([*receive, "amt://10.1.0.1@[ff3e::8000:1]:5000", "--relay", "10.0.0.1"], ["10.1.0.1"]),
        ([*receive, "amt://10.1.0.1@232.1.2.3:99999", "--relay", "10.0.0.1"], ["99999"]),
        ([*receive, url, "--relay", "10.0.0.1", "--count", "0x"], ["count", "0x"]),
        ([*gateway, "--relay", "10.0.0.300"], ["relay", "10.0.0.300"]),
        ([*gateway, "--relay", "relay_example..net"], ["relay", "relay_example..net"]),
        (["send", "10.0.0.1:5000", "--interface", "lo"], ["10.0.0.1"]),
        (["send", "239.1.1.1", "--interface", "lo"], ["239.1.1.1"]),
        (["send", "239.1.1.1:5000", "--interface", "lo", "--ttl", "256"], ["ttl", "256"]),
        (["bench", "--relay", "192.0.2.1", "--group", "239.1.1.1"], ["--relay", "192.0.2.1", "--yes-it-is-mine"]),
        (["bench", "--relay", "10.0.0.1", "--group", "10.1.1.1"], ["--group", "10.1.1.1"]),
    ]


CONFIGURATIONS = [
    ("no TOML", "local = [", ["bad.toml"]),
    ("unknown key", 'lokal = "10.0.0.1"\n', ["lokal"]),
    ("wrong type", "query-interval = \"often\"\n", ["query-interval"]),
    ("out of range", "robustness = 9\n", ["robustness", "9"]),
    ("bad address", 'local = ["10.0.0.256"]\n', ["local", "10.0.0.256"]),
]


def run(case):
    host = case.host("host")
    host.ip("addr add 10.9.0.1/32 dev lo")

    def amt(*arguments, timeout=15):
        return case.amt_once(arguments, namespace=host, timeout=timeout)
    table = usage(case.folder)
    for arguments, mentions in table:
        complaint(case, " ".join(arguments), amt(*arguments), {2}, mentions)
    case.figure("wrong arguments refused", len(table))

    config = case.folder / "bad.toml"
    for what, text, mentions in CONFIGURATIONS:
        config.write_text(text, encoding="utf-8")
        complaint(case, f"config, {what}", amt("relay", "--upstream", "lo", "--config", str(config)), {2}, mentions)
    case.figure("wrong configurations refused", len(CONFIGURATIONS))

    # What the machine refuses
    control = str(case.folder / "control.sock")
    complaint(case, "no such interface", amt("relay", "--local", "10.9.0.1", "--upstream", "nosuch0", "--control", control),
              {1}, ["waiting for --upstream nosuch0", "no such interface"])
    for option in ("--downstream", "--bridge"):
        complaint(case, "no such interface",
                  amt("gateway", "--relay", "10.9.0.1", "--tap", option, "nosuch0", "--control", control),
                  {1}, [f"waiting for {option} nosuch0", "there is no such interface (there are lo"])
    complaint(case, "address not of this host", amt("relay", "--local", "10.77.0.1", "--upstream", "lo", "--control", control),
              {1}, ["10.77.0.1"])
    with host.enter():
        holder = case.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        holder.bind(("10.9.0.1", 2268))
    complaint(case, "port in use", amt("relay", "--local", "10.9.0.1", "--upstream", "lo", "--control", control),
              {1}, ["2268", "in use"])
    # setpriv: root without CAP_NET_BIND_SERVICE
    done = case.amt_once(["relay", "--local", "10.9.0.1", "--upstream", "lo", "--relay-port", 80, "--control", control],
                         namespace=host, prefix=["setpriv", "--bounding-set", "-all,+net_raw", "--inh-caps", "-all"])
    complaint(case, "privileged port", done, {1}, ["80", "privileges"])
    complaint(case, "a name that nobody knows",
              amt("receive", "amt://10.1.0.1@232.1.2.3:5000", "--relay", "relay.invalid", timeout=30), {1}, ["relay.invalid"])
    tune = str(case.folder / "missing" / "tune.ts")
    done = amt("receive", "amt://10.1.0.1@232.1.2.3:5000", "--relay", "10.9.0.1", "-o", tune)
    complaint(case, "a folder that is not there", done, {1}, [tune])
    case.check("module" not in done.stderr, f"no advice for another trouble: {done.stderr}")
    complaint(case, "nobody to ask for status", amt("status", "--control", control + ".none"), {1}, [control + ".none"])
    case.check(not os.path.exists(control), "no control socket left")
    leftovers = {line.split(":")[1].strip() for line in host.run("ip", "-o", "link").splitlines()} - {"lo"}
    case.check(not {name for name in leftovers if name.startswith("amt")}, f"no interface left: {leftovers}")

    if tun_problem():
        case.note("interface name taken: not shown, this user can make no TUN interface")
    else:
        taken = case.host("taken")
        taken.run("ip", "link", "add", "amt0", "type", "veth", "peer", "name", "other0")
        done = case.amt_once(["gateway", "--relay", "10.0.0.1", "--control", control], namespace=taken)
        complaint(case, "interface name taken", done, {1}, ["amt0"])
        case.check(taken.has_link("amt0"), "the other amt0 is untouched")
        for options in ([], ["--tap"]):
            done = case.amt_once(["gateway", "--relay", "10.0.0.1", "--interface", "lo", *options, "--control", control],
                                 namespace=taken)
            complaint(case, "the loopback interface", done, {1}, ["lo", "--interface", "exists"])
        with host.enter():
            other = case.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            other.bind(("0.0.0.0", 40001))
        complaint(case, "gateway port in use",
                  amt("gateway", "--relay", "10.9.0.1", "--gateway-port", "40001", "--control", control), {1}, ["40001", "in use"])
        case.check(not host.has_link("amt0"), "no interface left")

    # Help is no error
    for command in ("relay", "gateway", "receive", "serve", "send", "announce", "status", "reload", "drain", "bench", "demo"):
        done = amt(command, "--help")
        case.check(done.returncode == 0 and f"amt {command}" in done.stdout, f"{command} --help: {done}")
        case.check(not done.stderr, f"{command} --help: {done.stderr}")
    done = amt("--help")
    case.check(done.returncode == 0 and "relay" in done.stdout and "gateway" in done.stdout, f"--help: {done}")
    done = amt("--version")
    case.check(done.returncode == 0, f"--version: {done}")
