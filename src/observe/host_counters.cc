#include "observe/host_counters.hh"

namespace amt {
namespace {

constexpr CounterTable<RelayHostCounter> kRelayCounters = {{
    {RelayHostCounter::kSocketReceiveDrops,
     drop_counter("socket_receive_drops", "messages", "AMT messages that found the socket's buffer full",
                  "Gateways repeat them. A flood of Requests does this; if not that, give the relay more processors "
                  "(--workers).")},
    {RelayHostCounter::kUpstreamDrops,
     drop_counter("upstream_drops", "datagrams",
                  "data that found the capture's buffer full before the relay came to look",
                  "The machine stalled for seconds, or overload began a moment ago. If it goes on: more processors "
                  "(--workers).")},
    {RelayHostCounter::kUpstreamMalformed,
     drop_counter("upstream_malformed", "datagrams", "captured frames without a whole IP datagram",
                  "Something upstream sends damaged frames. Capture them there.")},
    {RelayHostCounter::kUpstreamSegmented,
     own_counter("upstream_segmented", "datagrams", "merged packets that were cut")},
    {RelayHostCounter::kXdpFrames,
     own_counter("xdp_frames", "frames", "copies that left as frames of the relay's own (--data-path xdp)")},
    {RelayHostCounter::kXdpDrops, drop_counter("xdp_drops", "frames", "such frames that were lost",
                                               "The ring of the network card was full: the link is too slow for what "
                                               "is sent, or --data-path socket is better here.")},
    {RelayHostCounter::kOrderCopies,
     own_counter("order_copies", "frames", "copies that the kernel made for an order (--data-path orders)")},
    {RelayHostCounter::kOrderRefusals,
     own_counter("order_refusals", "frames", "copies for an order that a device did not take; the socket sent them")},
    {RelayHostCounter::kLogLinesLost, drop_counter("log_lines_lost", "lines", "log lines for which there was no room",
                                                   "The machine stalls, or stderr is not read.")},
    {RelayHostCounter::kUpstreamJoinsMissing,
     gauge_counter("upstream_joins_missing", "joins", "joins upstream that failed and are tried again",
                   "The log says why: mostly too few descriptors (LimitNOFILE=), or the interface is gone.")},
}};
static_assert(is_complete(kRelayCounters));

constexpr CounterTable<GatewayHostCounter> kGatewayCounters = {{
    {GatewayHostCounter::kSocketReceiveDrops,
     drop_counter(
         "socket_receive_drops", "datagrams", "datagrams from relays that found the socket's buffer full",
         "The machine stalls, or is too slow for what it asks for: raise net.core.rmem_max, or ask for less.")},
    {GatewayHostCounter::kLogLinesLost, drop_counter("log_lines_lost", "lines", "log lines for which there was no room",
                                                     "The machine stalls, or stderr is not read.")},
    {GatewayHostCounter::kDuplicatesDropped,
     own_counter("duplicates_dropped", "datagrams", "datagrams that had come already by another way")},
    {GatewayHostCounter::kInterfaceDrops,
     drop_counter("interface_drops", "datagrams", "datagrams that an interface of this host did not take",
                  "The interface is down, or programs read too slowly.")},
    {GatewayHostCounter::kDownstreamHopLimitExceeded,
     drop_counter("downstream_hop_limit_exceeded", "datagrams", "datagrams for a LAN whose TTL or Hop Limit is used up",
                  "Have the source send with a larger TTL: relay and gateway are one router each.")},
    {GatewayHostCounter::kDownstreamTooBig,
     drop_counter("downstream_too_big", "datagrams",
                  "datagrams for a LAN that may not be cut and are larger than its MTU",
                  "Have the source send smaller datagrams.")},
    {GatewayHostCounter::kDataDelivered, packet_counter("data_delivered", R"(direction="out")",
                                                        "datagrams given to interfaces of this host, once for each")},
    {GatewayHostCounter::kDataBytesDelivered,
     octet_counter("data_bytes_delivered", R"(direction="out")", "octets of these datagrams")},
    {GatewayHostCounter::kNativePackets,
     own_counter("native_packets", "datagrams", "datagrams that came natively and not through a tunnel")},
}};
static_assert(is_complete(kGatewayCounters));

}  // namespace

const CounterInfo& counter_info(RelayHostCounter counter) { return info_in(kRelayCounters, counter); }
const CounterInfo& counter_info(GatewayHostCounter counter) { return info_in(kGatewayCounters, counter); }

}  // namespace amt
