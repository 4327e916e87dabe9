#include "observe/engine_status.hh"

#include <algorithm>

#include "observe/host_counters.hh"
#include "observe/row_order.hh"
#include "sys/clock.hh"
#include "sys/log_queue.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

void append_downstreams(GatewayStatus& status, const GatewayEngine& engine) {
  engine.for_each_downstream([&status](const Downstream& downstream) {
    DownstreamStatus entry{downstream.info(), {}};
    downstream.for_each_group([&entry](const IpAddress& group, const SourceFilter& filter) {
      entry.groups.push_back({.group = group, .filter = filter});
    });
    status.downstreams.push_back(std::move(entry));
  });
}

void append_native(GatewayStatus& status, const GatewayEngine& engine) {
  NativeStatus& part = status.native.emplace();
  engine.for_each_native_lan([&part](const NativeLan& lan) {
    const NativeLan::Statistics one = lan.statistics();
    part.interfaces.push_back({.interface = lan.interface(), .up = one.up, .groups = one.groups, .drops = one.drops});
  });
  engine.relays().client().for_each_channel([&part](const Channel& channel, ServedBy served) {
    part.channels.push_back({channel, std::string(to_string(served))});
  });
  const auto place = [](const auto& one) { return std::pair(one.group, one.source); };
  std::ranges::sort(part.channels, {}, [&](const ServedChannelStatus& one) { return place(one.channel); });
  std::ranges::sort(status.memberships, {}, &MembershipStatus::group);
}

/// Counters of events that each worker counts.
bool is_same_for_all(RelayCounter counter) { return counter == RelayCounter::kSecretsChanged; }

template <typename E, typename IsSame>
void add_all(Counters<E>& sum, const Counters<E>& part, IsSame is_same) {
  for (std::size_t i = 0; i < Counters<E>::kSize; ++i) {
    const E which = static_cast<E>(i);
    if (!is_same(which)) {
      sum.add(which, part[which]);
    } else if (part[which] > sum[which]) {
      sum.add(which, part[which] - sum[which]);
    }
  }
}

/// `counted`: as the sum of all workers was made of it.
WorkerStatus worker_status(const RelayWorker& worker, const Counters<RelayCounter>& counted) {
  WorkerStatus status;
  status.tunnels = worker.relay().tunnel_count();
  status.packets = counted[RelayCounter::kDataPacketsSent];
  status.bytes = counted[RelayCounter::kDataBytesSent];
  status.receive_drops = worker.published().receive_drops.value();
  for (const auto& capture : worker.published().captures) status.upstream_drops += capture.dropped.value();
  return status;
}

void append_workers(RelayStatus& status, Counters<RelayHostCounter>& host, const RelayEngine& engine) {
  Counters<RelayCounter> counters = engine.counters();
  Counters<RelayReject> rejects;
  UpstreamCapture::Statistics captured;
  for (std::size_t i = 0; i < engine.worker_count(); ++i) {
    const RelayWorker& worker = engine.worker(i);
    const RelayWorker::Published& published = worker.published();
    const Counters<RelayCounter> counted = worker.relay().counters();
    add_all(counters, counted, is_same_for_all);
    add_all(rejects, worker.relay().rejects(), [](RelayReject) { return false; });
    for (const auto& one : published.captures) {
      captured += {one.dropped.value(), one.malformed.value(), one.segmented.value()};
    }
    host.add(RelayHostCounter::kSocketReceiveDrops, published.receive_drops.value());
    host.add(RelayHostCounter::kXdpFrames, published.xdp_frames.value());
    host.add(RelayHostCounter::kXdpDrops, published.xdp_drops.value());
    host.add(RelayHostCounter::kOrderCopies, published.order_copies.value());
    host.add(RelayHostCounter::kOrderRefusals, published.order_refusals.value());
    status.workers.push_back(worker_status(worker, counted));
  }
  host.add(RelayHostCounter::kUpstreamDrops, captured.dropped);
  host.add(RelayHostCounter::kUpstreamMalformed, captured.malformed);
  host.add(RelayHostCounter::kUpstreamSegmented, captured.segmented);
  host.add(RelayHostCounter::kLogLinesLost, log_queue().lost_in_all());
  append_counters(status.counters, counters);
  append_counters(status.counters, rejects);
}

/// The upstream interfaces as their owner knows them.
void append_upstreams(RelayStatus& status, Counters<RelayHostCounter>& host, const RelayEngine& engine) {
  std::uint64_t joins_missing = 0;
  engine.for_each_upstream([&](const Upstream& interface, std::size_t number) {
    const Upstream::Statistics one = interface.statistics();
    UpstreamStatus& entry = status.upstreams.emplace_back();
    for (std::size_t i = 0; i < engine.worker_count(); ++i) {
      entry.drops += engine.worker(i).published().captures[number].dropped.value();
    }
    entry.interface = interface.interface();
    const SysResult<LinkInfo> link = find_link(entry.interface);
    entry.up = link && link->running && !interface.is_lost();
    entry.mode = interface.mode() == UpstreamMode::kHost ? "host" : "router";
    entry.joins_missing = one.joins_missing;
    entry.queries = one.queries;
    entry.reports = one.reports;
    joins_missing += one.joins_missing;
  });
  host.add(RelayHostCounter::kUpstreamJoinsMissing, joins_missing);
}

}  // namespace

RelayStatus relay_status(const RelayEngine& engine) {
  RelayStatus status;
  status.uptime = monotonic_now() - engine.started();
  status.draining = engine.is_draining();
  Counters<RelayHostCounter> host;
  status.channel_count = engine.channel_count();
  append_workers(status, host, engine);
  append_upstreams(status, host, engine);
  append_counters(status.counters, host);
  return status;
}

std::vector<CounterStatus> gateway_counters(const GatewayEngine& engine) {
  const RelaySet& relays = engine.relays();
  const Client& client = relays.client();
  Counters<GatewayHostCounter> host;
  host.add(GatewayHostCounter::kSocketReceiveDrops, relays.receive_drops());
  host.add(GatewayHostCounter::kLogLinesLost, log_queue().lost_in_all());
  host.add(GatewayHostCounter::kDuplicatesDropped, client.duplicates());
  host.add(GatewayHostCounter::kNativePackets, client.native_packets());
  engine.for_each_downstream([&host](const Downstream& downstream) {
    const DownstreamInfo info = downstream.info();
    host.add(GatewayHostCounter::kInterfaceDrops, info.drops);
    host.add(GatewayHostCounter::kDownstreamHopLimitExceeded, info.hop_limit_exceeded);
    host.add(GatewayHostCounter::kDownstreamTooBig, info.too_big);
    host.add(GatewayHostCounter::kDataDelivered, info.packets);
    host.add(GatewayHostCounter::kDataBytesDelivered, info.bytes);
  });
  std::vector<CounterStatus> counters;
  append_counters(counters, client.counters());
  append_counters(counters, client.rejects());
  append_counters(counters, host);
  // Of a gateway that receives nothing natively there is no such number.
  if (!engine.is_native()) counters.pop_back();
  return counters;
}

std::size_t membership_count(const GatewayEngine& engine) {
  std::size_t count = 0;
  engine.relays().client().for_each_membership([&count](const IpAddress&, const SourceFilter&) { ++count; });
  return count;
}

GatewayStatus gateway_status(const GatewayEngine& engine, Instant now) {
  const RelaySet& relays = engine.relays();
  GatewayStatus status;
  status.uptime = now - relays.started();
  const Client& client = relays.client();
  status.counters = gateway_counters(engine);
  append_downstreams(status, engine);
  client.for_each_membership([&](const IpAddress& group, const SourceFilter& filter) {
    status.memberships.push_back({group, filter, engine.group_use(now, group)});
  });
  if (engine.is_native()) append_native(status, engine);
  client.for_each_relay([&](const Endpoint& relay, const Gateway& gateway) {
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

Result<std::unique_ptr<StatusStream>, std::string> gateway_status_stream(const GatewayEngine& engine,
                                                                         const StatusQuery& query) {
  if (query.sort && !membership_order(*query.sort)) {
    return Unexpected<std::string>("sort: memberships have address, packets, bytes, idle");
  }
  return std::make_unique<WholeStatus>(to_json(gateway_status(engine, monotonic_now()), query));
}

}  // namespace amt
