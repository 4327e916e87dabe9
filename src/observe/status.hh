#pragma once
/// The status of a relay or gateway at one moment: for `amt status`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/counters.hh"
#include "engine/gateway/downstream.hh"
#include "gateway/group_meter.hh"
#include "io/replication_back_end.hh"
#include "membership/source_filter.hh"
#include "observe/status_query.hh"

namespace amt {

struct CounterStatus {
  const CounterInfo* info = nullptr;
  std::uint64_t value = 0;
};

/// All of `counters`, those that are zero too.
template <typename E>
void append_counters(std::vector<CounterStatus>& to, const Counters<E>& counters) {
  for (std::size_t i = 0; i < Counters<E>::kSize; ++i) {
    const E which = static_cast<E>(i);
    to.push_back({&counter_info(which), counters[which]});
  }
}

struct MembershipStatus {
  IpAddress group;
  SourceFilter filter{};
  /// Of a gateway's memberships.
  GroupUse use{};
};

struct TunnelStatus {
  Endpoint endpoint{};
  std::vector<MembershipStatus> groups{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t group_count = 0;
  Duration since{};                   ///< age
  Duration heard{};                   ///< since its last Update
  Duration expires{};                 ///< from now, unless an Update comes
  SendPath path = SendPath::kSocket;  ///< how its data leaves now
  std::size_t worker = 0;
  std::uint32_t number = 0;  ///< of that worker's
};

struct ChannelStatus {
  IpAddress group;
  std::optional<IpAddress> source;  ///< none: any
  std::uint64_t tunnels = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

/// One interface that a relay has its multicast from.
struct UpstreamStatus {
  std::string interface;
  bool up = false;
  std::string mode;  ///< "host" or "router"
  std::uint64_t joins_missing = 0;
  std::uint64_t queries = 0;  ///< router mode: received
  std::uint64_t reports = 0;  ///< router mode: sent
  std::uint64_t drops = 0;
};

/// One worker of a relay.
struct WorkerStatus {
  std::uint64_t tunnels = 0;
  std::uint64_t packets = 0;         ///< copies sent
  std::uint64_t bytes = 0;           ///< of inner datagrams
  std::uint64_t receive_drops = 0;   ///< by the kernel, for want of socket buffer
  std::uint64_t upstream_drops = 0;  ///< by the kernel, for want of room in the rings
};

/// All but its tunnels and channels (`relay_status_stream`).
struct RelayStatus {
  Duration uptime{};
  bool draining = false;  ///< takes no new gateways
  std::uint64_t channel_count = 0;
  std::vector<CounterStatus> counters;
  std::vector<UpstreamStatus> upstreams;
  std::vector<WorkerStatus> workers;
};

/// One relay that a gateway uses or asks.
struct GatewayRelayStatus {
  Endpoint relay;
  std::string state;  ///< "connected", "discovering", ...
  std::uint64_t groups = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

struct DownstreamStatus {
  DownstreamInfo info;
  std::vector<MembershipStatus> groups;
};

/// One interface on which a gateway receives natively.
struct NativeLanStatus {
  std::string interface;
  bool up = false;
  std::uint64_t groups = 0;
  std::uint64_t drops = 0;
};

/// The way that brings a gateway's channels.
struct ServedChannelStatus {
  Channel channel;
  std::string served_by;  ///< "tunnel", "native", "both" or "nobody"
};

struct NativeStatus {
  std::vector<NativeLanStatus> interfaces;
  std::vector<ServedChannelStatus> channels;
};

struct GatewayStatus {
  Duration uptime{};
  std::vector<CounterStatus> counters;
  std::vector<GatewayRelayStatus> relays;
  /// All that is wanted downstream, merged.
  std::vector<MembershipStatus> memberships;
  /// Only with --native.
  std::optional<NativeStatus> native = {};
  std::vector<DownstreamStatus> downstreams;
};

/// One JSON object on one line, as `amt status --json` prints it; of a relay without the last bracket, since its lists
/// follow. The role comes first.
[[nodiscard]] std::string status_head_json(const RelayStatus& status, bool with_counters);
[[nodiscard]] std::string to_json(const GatewayStatus& status, const StatusQuery& query);

}  // namespace amt
