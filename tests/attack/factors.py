"""Octets that the relay sends for one that it is sent, message by message, as docs/security.md has them in its table: IP and UDP
headers included, for an endpoint that has no tunnel.
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
ROW = re.compile(r"\| (.+?) \| IPv([46]) \| (\d+) \| (\d+) \| ([\d.]+) \|")


def measured(gateway, family: int, message: bytes) -> tuple[int, int]:
    """(octets sent, octets that came)."""
    before = len(gateway.messages)
    gateway.send(message)
    time.sleep(0.3)
    answers = [one.octets for _, _, one in gateway.messages[before:]]
    return HEADERS[family] + len(message), sum(HEADERS[family] + len(octets) for octets in answers)


def run(case):
    line = Line(case)
    line.start_relay()
    written = {(what, int(family)): (int(sent), int(came), float(factor))
               for what, family, sent, came, factor in ROW.findall(GUIDE.read_text(encoding="utf-8"))}
    messages = {"Relay Discovery": lambda nonce: amt.discovery(nonce),
                "Request, P=0 (IGMP)": lambda nonce: amt.request(nonce, False),
                "Request, P=1 (MLD)": lambda nonce: amt.request(nonce, True)}
    wrong = []
    for family in (4, 6):
        for what, message in messages.items():
            # Its own endpoint each: what was asked before does not colour the answer.
            gateway = line.fake_gateway(family)
            sent, came = measured(gateway, family, message(random.randrange(1 << 20, 1 << 32)))
            gateway.close()
            row = (sent, came, round(came / sent, 2))
            case.figure(f"{what} over IPv{family}", f"{sent} octets draw {came}", f"factor {row[2]:.2f}")
            if written.get((what, family)) != row:
                wrong.append(f"| {what} | IPv{family} | {sent} | {came} | {row[2]:.2f} |")
    case.check(not wrong, "docs/security.md should say:\n" + "\n".join(wrong))
