#pragma once
/// One downstream interface of the gateway's proxy (RFC 4605 §3, §4; P-a): where listeners are.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "base/counters.hh"
#include "base/state_record.hh"
#include "engine/runtime/named_descriptors.hh"
#include "membership/source_filter.hh"

namespace amt {

/// One number of a downstream interface.
struct DownstreamCounter {
  std::string_view protocol;  ///< of a LAN: "igmp" or "mld"; else empty
  const CounterInfo* info = nullptr;
  std::uint64_t value = 0;

  /// In status: `igmp_reject_no_router_alert`.
  [[nodiscard]] std::string name() const {
    return std::string(protocol).append(protocol.empty() ? "" : "_").append(info->name);
  }
};
template <typename E>
void append_counters(std::vector<DownstreamCounter>& to, std::string_view protocol, const Counters<E>& counters) {
  for (std::size_t i = 0; i < Counters<E>::kSize; ++i) {
    const E which = static_cast<E>(i);
    to.push_back({protocol, &counter_info(which), counters[which]});
  }
}

/// For status reports.
struct DownstreamInfo {
  std::string interface;
  std::string kind;  ///< "tun", "tap" or "lan"
  bool up = true;
  /// By family, IPv4 first: this gateway is the querier, and so forwards (P-g); the querier's address, where known.
  std::array<bool, 2> is_querier = {true, true};
  std::array<std::optional<IpAddress>, 2> querier = {};
  std::uint64_t packets = 0;
  /// The same by family, of an interface of this host's own.
  std::array<std::uint64_t, 2> packets_of = {};
  std::uint64_t bytes = 0;
  /// Datagrams that came to nothing: refused by the interface, TTL or Hop Limit used up, larger than the MTU.
  std::uint64_t drops = 0;
  std::uint64_t hop_limit_exceeded = 0;
  std::uint64_t too_big = 0;
  std::vector<DownstreamCounter> counters = {};
};

/// Watches its own descriptor and timers on its event loop's thread. Its owner merges its filters with those of the
/// others, and gives it the data that it wants.
class Downstream {
 public:
  /// The changes of this interface's filters; valid during the call.
  using ChangeHandler = std::function<void(std::span<const FilterChange>)>;

  Downstream() = default;
  Downstream(const Downstream&) = delete;
  Downstream& operator=(const Downstream&) = delete;
  virtual ~Downstream() = default;

  /// Calls the handler from here on, perhaps at once.
  virtual void start(ChangeHandler on_changes) = 0;
  /// Reads no more.
  virtual void stop() = 0;
  /// For another process: what is wanted here, and what was counted.
  virtual void save(StateRecordWriter& out) const = 0;
  /// Before `start`, which then tells what is wanted; the interface is the same. What cannot be makes `in` bad.
  virtual void restore(Instant now, StateRecordReader& in) = 0;
  /// What another process needs to use the interface.
  virtual void append_descriptors(std::vector<LentDescriptor>& out) const = 0;
  /// Interfaces of this host changed, perhaps this one.
  virtual void handle_network_change() = 0;
  [[nodiscard]] virtual const std::string& interface() const = 0;
  /// Whole IP datagrams that are wanted here. Those that it is not this router's task to forward (P-g), or that may go
  /// no further, are left out.
  virtual void send(std::span<const Bytes> datagrams) = 0;
  [[nodiscard]] virtual DownstreamInfo info() const = 0;
  /// Every group that is wanted here, ascending.
  virtual void for_each_group(
      const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const = 0;
};

}  // namespace amt
