"""`amt receive` with several channels: each into a file of its own in one folder, with a report of its own; one that is silent does not
end the others; RTP that was lost is repaired.

    our relay ══ amt receive │ folder
"""

import json

from lib import loopback
from lib.loopback import PORT, rtp, ts_packets
from lib.repair import repair
from lib.topology import url

NEEDS = {"program"}
GROUPS = (loopback.GROUP, "232.1.2.4", "232.1.2.5")


def name(group: str) -> str:
    return f"{loopback.SOURCE}_{group}_{PORT}.ts"


def run(case):
    player = loopback.Player(case)
    urls = [url(group, loopback.SOURCE) for group in GROUPS]
    folder = case.folder / "recordings"
    receiver = case.start(["receive", *urls[:2], f"{urls[2]}?relay={player.address}", "--relay", player.address, "-o", folder, "--stats", "json"],
                          "receive")
    for group in GROUPS:
        player.wait_joined(group=group)
    # One plain, one in RTP with a loss in each row, and nothing on the third.
    plain = [ts_packets(number) for number in range(50)]
    media = [ts_packets(number) for number in range(50)]
    for number, payload in enumerate(plain):
        player.send(payload, group=GROUPS[0], pause=0.001)
        if number % 5 != 2 or number < 5:
            player.send(rtp(number, media[number]), group=GROUPS[1])
        if number % 5 == 4:
            player.send(repair(number - 4, 1, 5, media, number), port=PORT + 4, group=GROUPS[1])
    case.wait_until(lambda: (folder / name(GROUPS[0])).stat().st_size == sum(map(len, plain)), 10, "the first recording")
    case.wait_until(lambda: (folder / name(GROUPS[1])).stat().st_size == sum(map(len, media)), 10, "the second, whole")
    receiver.terminate()
    case.check((folder / name(GROUPS[0])).read_bytes() == b"".join(plain), "its octets")
    case.check((folder / name(GROUPS[1])).read_bytes() == b"".join(media), "its octets, repaired")
    case.check((folder / name(GROUPS[2])).stat().st_size == 0, "nothing came")
    reports = [json.loads(line) for line in receiver.out.decode().splitlines()]
    case.check([one["channel"] for one in reports] == [f"{loopback.SOURCE}@{group}" for group in GROUPS], f"{reports}")
    case.check([one["received"] for one in reports] == [50, 41, 0] and reports[1]["repaired"] == 9, f"{reports}")
    case.check([one["other_port"] for one in reports] == [0, 0, 0], f"{reports}")

    # Again: recordings are not lost; a folder that is there takes a single channel, too.
    again = case.amt_once(["receive", *urls, "--relay", player.address, "-o", folder])
    case.check(again.returncode == 2 and name(GROUPS[0]) in again.stderr, f"{again}")
    other = case.folder / "other"
    other.mkdir()
    single = player.receive("-o", other, "--count", 2, name="single")
    player.wait_joined()
    for number in range(2):
        player.send(ts_packets(number))
    case.check(single.wait(10) == 0 and (other / name(loopback.GROUP)).read_bytes() == ts_packets(0) + ts_packets(1), single.err)
