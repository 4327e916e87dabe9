#include "observe/engine_status.hh"

#include <algorithm>

namespace amt {
namespace {

template <typename E>
void append(std::vector<CounterStatus>& to, const Counters<E>& counters) {
  std::ranges::move(counter_status(counters), std::back_inserter(to));
}

void append_downstreams(GatewayStatus& status, const GatewayEngine& engine) {
  engine.for_each_downstream([&status](const Downstream& downstream) {
    DownstreamStatus entry{downstream.info(), {}};
    downstream.for_each_group([&entry](const IpAddress& group, const SourceFilter& filter) {
      entry.groups.push_back({group, filter});
    });
    status.downstreams.push_back(std::move(entry));
  });
  std::uint64_t drops = 0;
  std::uint64_t hop_limit_exceeded = 0;
  std::uint64_t too_big = 0;
  for (const DownstreamStatus& downstream : status.downstreams) {
    drops += downstream.info.drops;
    hop_limit_exceeded += downstream.info.hop_limit_exceeded;
    too_big += downstream.info.too_big;
  }
  status.counters.push_back({"interface_drops", drops});
  status.counters.push_back({"downstream_hop_limit_exceeded", hop_limit_exceeded});
  status.counters.push_back({"downstream_too_big", too_big});
}

}  // namespace

RelayStatus relay_status(RelayEngine& engine, Instant now) {
  const Relay& relay = engine.relay();
  RelayStatus status;
  status.uptime = now - engine.started();
  append(status.counters, relay.counters());
  append(status.counters, relay.rejects());
  status.counters.push_back({"socket_receive_drops", engine.receive_drops()});
  Upstream::Statistics upstream;
  engine.for_each_upstream([&](Upstream& interface) {
    const Upstream::Statistics one = interface.statistics();
    status.upstreams.push_back({.interface = interface.interface(),
                                .mode = interface.mode() == UpstreamMode::kHost ? "host" : "router",
                                .joins_missing = one.joins_missing,
                                .queries = one.queries,
                                .reports = one.reports,
                                .drops = one.dropped});
    upstream.dropped += one.dropped;
    upstream.malformed += one.malformed;
    upstream.segmented += one.segmented;
    upstream.joins_missing += one.joins_missing;
  });
  status.counters.push_back({"upstream_drops", upstream.dropped});
  status.counters.push_back({"upstream_malformed", upstream.malformed});
  status.counters.push_back({"upstream_segmented", upstream.segmented});
  status.counters.push_back({"upstream_joins_missing", upstream.joins_missing});

  relay.for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& router, Instant expires) {
    TunnelStatus entry;
    entry.endpoint = tunnel.endpoint;
    entry.packets = tunnel.packets;
    entry.bytes = tunnel.bytes;
    entry.expires = std::max(expires - now, Duration::zero());
    router.for_each_group([&](const IpAddress& group, const SourceFilter& filter) {
      entry.groups.push_back({group, filter});
    });
    status.tunnels.push_back(std::move(entry));
  });
  relay.for_each_channel([&](const Relay::ChannelStatus& channel) {
    status.channels.push_back({.group = channel.channel.group,
                               .source = channel.channel.source,
                               .tunnels = channel.tunnels,
                               .packets = channel.packets,
                               .bytes = channel.bytes});
  });
  return status;
}

GatewayStatus gateway_status(const GatewayEngine& engine, Instant now) {
  const RelaySet& relays = engine.relays();
  GatewayStatus status;
  status.uptime = now - relays.started();
  append(status.counters, relays.counters());
  append(status.counters, relays.rejects());
  status.counters.push_back({"socket_receive_drops", relays.receive_drops()});
  status.counters.push_back({"duplicates_dropped", relays.duplicates()});
  append_downstreams(status, engine);
  relays.for_each_membership([&](const IpAddress& group, const SourceFilter& filter) {
    status.memberships.push_back({group, filter});
  });
  relays.for_each_relay([&](const Endpoint& relay, const Gateway& gateway) {
    std::uint64_t groups = 0;
    gateway.for_each_membership([&groups](const IpAddress&, const SourceFilter&) { ++groups; });
    status.relays.push_back({.relay = relay,
                             .state = std::string(to_string(gateway.phase())),
                             .groups = groups,
                             .packets = gateway.counters()[GatewayCounter::kDataReceived],
                             .bytes = gateway.counters()[GatewayCounter::kDataBytesReceived]});
  });
  return status;
}

}  // namespace amt
