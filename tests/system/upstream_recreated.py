"""The relay's upstream interface is deleted and made anew: the relay says so, joins again, and forwards again.

    source ── relay ══ a gateway of ours
"""

from lib import netns, packets
from lib.topology import SSM, Line

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    relay = line.start_relay()
    families = (4, 6)
    gateways = {}
    for family in families:
        gateways[family] = line.fake_gateway(4)
        gateways[family].join_channel(SSM[family], [line.source_address(family)])

    def check_data(when):
        for family in families:
            stream = line.stream(family, SSM[family])
            gateways[family].data.clear()
            case.wait_until(lambda: gateways[family].data, 10, f"IPv{family} data {when}")
            case.check(packets.parse(gateways[family].data[0][2]).source == line.source_address(family), "the source's")
            stream.close()

    check_data("before")
    line.relay.ip("link del r0")
    case.wait_until(lambda: "upstream r0 is gone" in relay.err, 6, "the loss is told")
    netns.link(line.source, "s0", line.relay, "r0", ["10.1.0.1/16", "2001:db8:1::1/64"],
               ["10.1.255.254/16", "2001:db8:1::ffff/64"])
    case.wait_until(lambda: "upstream r0 is back" in relay.err, 6, "the return is told")
    check_data("after")
    case.check(relay.snapshot()["counters"]["upstream_joins_missing"] == 0, "all is joined")
