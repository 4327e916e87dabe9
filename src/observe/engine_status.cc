#include "observe/engine_status.hh"

#include <algorithm>
#include <memory>

#include "sys/clock.hh"

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

void append_native(GatewayStatus& status, const GatewayEngine& engine, const NativeFirst& native) {
  status.counters.push_back({"native_packets", native.packets()});
  NativeStatus& part = status.native.emplace();
  engine.for_each_native_lan([&part](const NativeLan& lan) {
    const NativeLan::Statistics one = lan.statistics();
    part.interfaces.push_back({.interface = lan.interface(), .up = one.up, .groups = one.groups, .drops = one.drops});
  });
  native.for_each_channel([&part](const Channel& channel, ServedBy served) {
    part.channels.push_back({channel, std::string(to_string(served))});
  });
  const auto place = [](const auto& one) { return std::pair(one.group, one.source); };
  std::ranges::sort(part.channels, {}, [&](const ServedChannelStatus& one) { return place(one.channel); });
  std::ranges::sort(status.memberships, {}, &MembershipStatus::group);
}

/// On the worker's thread.
RelayStatus worker_status(RelayWorker& worker) {
  const Instant now = monotonic_now();
  const Relay& relay = worker.relay();
  RelayStatus status;
  append(status.counters, relay.counters());
  append(status.counters, relay.rejects());
  const RelayWorker::Published& published = worker.published();
  UpstreamCapture::Statistics captured;
  for (const RelayWorker::Published::Capture& one : published.captures) {
    status.upstreams.push_back({.interface = {}, .mode = {}, .drops = one.dropped.value()});
    captured += {one.dropped.value(), one.malformed.value(), one.segmented.value()};
  }
  status.counters.push_back({"socket_receive_drops", published.receive_drops.value()});
  status.counters.push_back({"upstream_drops", captured.dropped});
  status.counters.push_back({"upstream_malformed", captured.malformed});
  status.counters.push_back({"upstream_segmented", captured.segmented});
  const XdpSender* const xdp = worker.xdp();
  status.counters.push_back({"xdp_frames", published.xdp_frames.value()});
  status.counters.push_back({"xdp_drops", published.xdp_drops.value()});
  status.workers.push_back({.tunnels = relay.tunnel_count(),
                            .packets = relay.counters()[RelayCounter::kDataPacketsSent],
                            .bytes = relay.counters()[RelayCounter::kDataBytesSent],
                            .receive_drops = published.receive_drops.value(),
                            .upstream_drops = captured.dropped});

  relay.for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& router, Instant expires) {
    TunnelStatus entry;
    entry.endpoint = tunnel.endpoint;
    entry.packets = tunnel.packets;
    entry.bytes = tunnel.bytes;
    entry.expires = std::max(expires - now, Duration::zero());
    if (xdp != nullptr && xdp->carries(tunnel.local, tunnel.endpoint)) entry.path = "xdp";
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

/// What the owner of the upstream interfaces knows of them.
void append_upstreams(RelayStatus& status, const RelayEngine& engine) {
  std::uint64_t joins_missing = 0;
  std::size_t number = 0;
  engine.for_each_upstream([&](const Upstream& interface) {
    const Upstream::Statistics one = interface.statistics();
    if (number == status.upstreams.size()) status.upstreams.emplace_back();
    UpstreamStatus& entry = status.upstreams[number++];
    entry.interface = interface.interface();
    entry.mode = interface.mode() == UpstreamMode::kHost ? "host" : "router";
    entry.joins_missing = one.joins_missing;
    entry.queries = one.queries;
    entry.reports = one.reports;
    joins_missing += one.joins_missing;
  });
  status.counters.push_back({"upstream_joins_missing", joins_missing});
}

}  // namespace

void collect_relay_status(RelayEngine& engine, std::function<void(const RelayStatus&)> done) {
  // Each worker writes its own; they are read when all have.
  const auto parts = std::make_shared<std::vector<RelayStatus>>(engine.worker_count());
  const auto missing = std::make_shared<std::size_t>(engine.worker_count());
  const auto finish = [&engine, parts, missing, done = std::move(done)] {
    if (--*missing != 0) return;
    RelayStatus status = std::move(parts->front());
    for (std::size_t i = 1; i < parts->size(); ++i) merge(status, std::move((*parts)[i]));
    RelayStatus control;
    append(control.counters, engine.counters());
    for (std::size_t i = 0; i < control.counters.size(); ++i) status.counters[i].value += control.counters[i].value;
    status.uptime = monotonic_now() - engine.started();
    append_upstreams(status, engine);
    done(status);
  };
  for (std::size_t i = 0; i < engine.worker_count(); ++i) {
    engine.ask_worker(
        i, [parts](RelayWorker& worker) { (*parts)[worker.index()] = worker_status(worker); }, finish);
  }
}

GatewayStatus gateway_status(const GatewayEngine& engine, Instant now) {
  const RelaySet& relays = engine.relays();
  GatewayStatus status;
  status.uptime = now - relays.started();
  append(status.counters, relays.counters());
  append(status.counters, relays.rejects());
  status.counters.push_back({"socket_receive_drops", relays.receive_drops()});
  const NativeFirst* const native = engine.native();
  status.counters.push_back(
      {"duplicates_dropped", relays.duplicates() + (native != nullptr ? native->duplicates() : 0)});
  append_downstreams(status, engine);
  const auto append_membership = [&status](const IpAddress& group, const SourceFilter& filter) {
    status.memberships.push_back({group, filter});
  };
  if (native == nullptr) {
    relays.for_each_membership(append_membership);
  } else {
    native->for_each_wanted(append_membership);
    append_native(status, engine, *native);
  }
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
