#include "observe/engine_status.hh"

#include <algorithm>

#include "observe/row_order.hh"
#include "sys/clock.hh"
#include "sys/log_queue.hh"

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
      entry.groups.push_back({.group = group, .filter = filter});
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

/// What happens to the relay as a whole and is counted by each worker.
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

void append_workers(RelayStatus& status, const RelayEngine& engine) {
  Counters<RelayCounter> counters = engine.counters();
  Counters<RelayReject> rejects;
  UpstreamCapture::Statistics captured;
  std::uint64_t receive_drops = 0;
  std::uint64_t xdp_frames = 0;
  std::uint64_t xdp_drops = 0;
  for (std::size_t i = 0; i < engine.worker_count(); ++i) {
    const RelayWorker& worker = engine.worker(i);
    const RelayWorker::Published& published = worker.published();
    const Counters<RelayCounter> counted = worker.relay().counters();
    add_all(counters, counted, is_same_for_all);
    add_all(rejects, worker.relay().rejects(), [](RelayReject) { return false; });
    for (const auto& one : published.captures) {
      captured += {one.dropped.value(), one.malformed.value(), one.segmented.value()};
    }
    receive_drops += published.receive_drops.value();
    xdp_frames += published.xdp_frames.value();
    xdp_drops += published.xdp_drops.value();
    status.workers.push_back(worker_status(worker, counted));
  }
  append(status.counters, counters);
  append(status.counters, rejects);
  status.counters.push_back({"socket_receive_drops", receive_drops});
  status.counters.push_back({"upstream_drops", captured.dropped});
  status.counters.push_back({"upstream_malformed", captured.malformed});
  status.counters.push_back({"upstream_segmented", captured.segmented});
  status.counters.push_back({"xdp_frames", xdp_frames});
  status.counters.push_back({"xdp_drops", xdp_drops});
  status.counters.push_back({"log_lines_lost", log_queue().lost_in_all()});
}

/// What the owner of the upstream interfaces knows of them.
void append_upstreams(RelayStatus& status, const RelayEngine& engine) {
  std::uint64_t joins_missing = 0;
  std::size_t number = 0;
  engine.for_each_upstream([&](const Upstream& interface) {
    const Upstream::Statistics one = interface.statistics();
    UpstreamStatus& entry = status.upstreams.emplace_back();
    for (std::size_t i = 0; i < engine.worker_count(); ++i) {
      const auto& captures = engine.worker(i).published().captures;
      if (number < captures.size()) entry.drops += captures[number].dropped.value();
    }
    ++number;
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

RelayStatus relay_status(const RelayEngine& engine) {
  RelayStatus status;
  status.uptime = monotonic_now() - engine.started();
  append_workers(status, engine);
  append_upstreams(status, engine);
  return status;
}

GatewayStatus gateway_status(const GatewayEngine& engine, Instant now) {
  const RelaySet& relays = engine.relays();
  GatewayStatus status;
  status.uptime = now - relays.started();
  append(status.counters, relays.counters());
  append(status.counters, relays.rejects());
  status.counters.push_back({"socket_receive_drops", relays.receive_drops()});
  status.counters.push_back({"log_lines_lost", log_queue().lost_in_all()});
  const NativeFirst* const native = engine.native();
  status.counters.push_back(
      {"duplicates_dropped", relays.duplicates() + (native != nullptr ? native->duplicates() : 0)});
  append_downstreams(status, engine);
  const auto append_membership = [&](const IpAddress& group, const SourceFilter& filter) {
    status.memberships.push_back({group, filter, engine.group_use(now, group)});
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

Result<std::unique_ptr<StatusStream>, std::string> gateway_status_stream(const GatewayEngine& engine,
                                                                         const StatusQuery& query) {
  if (query.sort && !membership_order(*query.sort)) {
    return Unexpected<std::string>("sort: memberships have address, packets, bytes, idle");
  }
  return std::make_unique<WholeStatus>(to_json(gateway_status(engine, monotonic_now()), query));
}

}  // namespace amt
