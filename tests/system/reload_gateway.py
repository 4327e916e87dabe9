"""SIGHUP and `amt reload` of a gateway: it goes on, its log becomes more talkative, what needs a restart is named, and a file that
cannot be used changes nothing.

    source ── relay ══ gateway (--config) ── listener
"""

import signal

from lib.topology import SSM, Line

NEEDS = {"namespaces"}


def run(case):
    case.need_tun()
    line = Line(case)
    line.start_relay()
    path = case.folder / "gateway.toml"
    options = f'relay = ["{line.relay_address(4)}"]\n'
    path.write_text(options, encoding="ascii")
    gateway = case.daemon(["gateway", "--config", path], "gateway", line.gateway)
    line.stream(4, SSM[4], rate=200)
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    case.wait_until(lambda: listener.count > 20, 10, "data")

    path.write_text(options + 'log-level = "debug"\nmtu = 1400\n', encoding="ascii")
    done = case.amt_once(["reload", "--control", gateway.control], line.gateway)
    case.check(done.returncode == 0 and "changed log-level; only a restart takes up mtu" in done.stdout, f"{done}")
    path.write_text(options + "mtu = 5\n", encoding="ascii")
    done = case.amt_once(["reload", "--control", gateway.control], line.gateway)
    case.check(done.returncode == 1 and "mtu 5" in done.stderr and done.stderr.count("\n") == 1, f"{done}")
    gateway.signal(signal.SIGHUP)
    case.wait_until(lambda: gateway.err.count("mtu 5") >= 2, 5, "the log says why nothing has changed")
    for word, status in (("mtu 5", 2), ("can be used", 0)):
        checked = case.amt_once(["gateway", "--config", path, "--check-config"], line.gateway)
        case.check(checked.returncode == status and word in checked.stdout + checked.stderr, f"{checked}")
        path.write_text(options, encoding="ascii")
    seen = listener.count
    case.wait_until(lambda: listener.count > seen + 20, 10, "the stream goes on")
    case.check(listener.damaged == 0 and gateway.status is None, "nothing else has happened")
    case.check(case.amt_once(["drain", "--control", gateway.control], line.gateway).returncode == 1, "a gateway does not drain")
