"""What docs/security.md says in its tables is so: each limit's default as `amt relay --help` has it, and the octets that the
relay sends for those that it is sent, IP and UDP headers included, for an endpoint that has no tunnel.
"""

import pathlib
import random
import re
import time

from lib import amt
from lib.topology import Line

NEEDS = {"namespaces"}
GUIDE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/security.md"
HEADERS = {4: 28, 6: 48}
# `| Request, P=1 (MLD) | IPv6 | 56 | 154 | 2.75 |`
FACTOR_ROW = re.compile(r"^\| (.+?) \| IPv([46]) \| (\d+) \| (\d+) \| ([\d.]+) \|$", re.MULTILINE)
# `| `--max-tunnels` | 100000 | ... |`
LIMIT_ROW = re.compile(r"^\| `--([a-z-]+)` \| (.+?) \| ", re.MULTILINE)
# `--max-tunnels N  gateways in all (default: 100000)`, with its lines joined
HELP_ROW = re.compile(r"^ +--([a-z-]+)(?: \S+)? +.*?\(default: (.+?)\)$", re.MULTILINE)
# Until what a message draws has come, on a busy machine.
ANSWER_SECONDS = 0.3


def defaults(case) -> dict[str, str]:
    shown = case.amt_once(["relay", "--help"]).stdout
    return dict(HELP_ROW.findall(re.sub(r"\n {20,}", " ", shown)))


def measured(gateway, family: int, message: bytes) -> tuple[int, int]:
    """(octets sent, octets that came)."""
    before = len(gateway.messages)
    gateway.send(message)
    time.sleep(ANSWER_SECONDS)
    answers = [one.octets for _, _, one in gateway.messages[before:]]
    return HEADERS[family] + len(message), sum(HEADERS[family] + len(octets) for octets in answers)


def check_limits(case, guide: str) -> None:
    real, written = defaults(case), dict(LIMIT_ROW.findall(guide))
    wrong = {name: (value, real.get(name)) for name, value in written.items() if real.get(name) != value}
    case.check(not wrong, f"docs/security.md says, `amt relay --help` says: {wrong}")
    missing = {name for name in real if name.startswith("max-")} - set(written)
    case.check(not missing, f"docs/security.md does not have the limits {missing}")


def run(case):
    guide = GUIDE.read_text(encoding="utf-8")
    check_limits(case, guide)
    line = Line(case)
    line.start_relay()
    written = {(what, int(family)): (int(sent), int(came), float(factor))
               for what, family, sent, came, factor in FACTOR_ROW.findall(guide)}
    messages = {"Relay Discovery": amt.discovery,
                "Request, P=0 (IGMP)": lambda nonce: amt.request(nonce, False),
                "Request, P=1 (MLD)": lambda nonce: amt.request(nonce, True)}
    wrong = []
    for family in (4, 6):
        for what, message in messages.items():
            # An endpoint of its own for each: what was asked before does not colour the answer.
            gateway = line.fake_gateway(family)
            sent, came = measured(gateway, family, message(random.randrange(1 << 20, 1 << 32)))
            gateway.close()
            row = (sent, came, round(came / sent, 2))
            case.figure(f"{what} over IPv{family}", f"{sent} octets draw {came}", f"factor {row[2]:.2f}")
            if written.get((what, family)) != row:
                wrong.append(f"| {what} | IPv{family} | {sent} | {came} | {row[2]:.2f} |")
    case.check(not wrong, "docs/security.md should say:\n" + "\n".join(wrong))
