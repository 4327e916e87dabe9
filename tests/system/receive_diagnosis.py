"""What `amt receive` says when nothing comes: a relay that refuses, a source that pauses, packets of somebody else.

    our relay ══ amt receive
"""

import json

from lib import amt, loopback, packets
from lib.loopback import GROUP, ts_packets
from lib.topology import PORT, url

NEEDS = {"program"}


def run(case):
    player = loopback.Player(case)
    relay = player.relay

    def silent(name, *options, channel=loopback.URL):
        receiver = player.receive("-o", case.folder / name, "--timeout", 3, *options, name=name, channel=channel)
        return receiver

    # Full: named as such, with one relay and with several.
    relay.limit = True
    for name, more in (("full", ()), ("both_full", ("--relay", loopback.address(77)))):
        receiver = silent(name, *more)
        case.check(receiver.wait(20) == 1, receiver.err)
        told = [one for one in receiver.err.splitlines() if "nothing arrived" in one]
        case.check(len(told) == 1 and "refuses new gateways (L flag)" in told[0] and "no relay does" not in told[0],
                   f"a full relay is named as such: {receiver.err}")
    relay.limit = False

    # It answers, and nothing comes; what comes is not of this channel.
    receiver = silent("quiet")
    case.check(receiver.wait(20) == 1 and "answers, but nothing that is wanted comes through it" in receiver.err, receiver.err)
    case.check("ffmpeg's RTP has 1472 unless pkt_size=1316" in receiver.err, f"the likely cause is named: {receiver.err}")
    receiver = silent("other")
    player.wait_joined()
    for endpoint in list(relay.tunnels):
        relay.send_to(endpoint, amt.data(packets.udp_datagram("10.1.0.77", GROUP, PORT, b"x" * 100, ttl=9)))
    case.check(receiver.wait(20) == 1 and "of other groups or sources" in receiver.err, receiver.err)

    # A pause is a pause, not a loss that a counter modulo 16 makes up.
    receiver = player.receive("--stats", "json", "--count", 60, name="pause", channel=url(GROUP, loopback.SOURCE))
    player.wait_joined()
    for number in range(30):
        player.send(ts_packets(number), pause=0.01)
    case.wait_until(lambda: "data stopped" in receiver.err, 20, "the pause is told")
    for number in range(1001, 1031):
        player.send(ts_packets(number), pause=0.01)
    case.check(receiver.wait(10) == 0, receiver.err)
    case.check("answers; the source may have paused" in receiver.err and "data comes again, after" in receiver.err, receiver.err)
    line = next(one for one in receiver.err.splitlines() if one.startswith("{"))
    told = json.loads(line)
    case.check(told["lost"] == 0 and told["pauses"] == 1 and told["paused_seconds"] > 4, f"a pause is no loss: {told}")
    case.figure("pause", told["paused_seconds"], "s")
