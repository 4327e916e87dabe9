#pragma once
/// Paths to gateways that take less than the relay's own link (RFC 7450 §5.3.3.6.1, a path MTU per tunnel).

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <optional>

#include "amt/endpoint.hh"
#include "amt/time.hh"

namespace amt {

/// Where a path MTU comes from (`--mtu`, `--min-mtu`), and when sources are told (`--tell-sources`).
struct PathMtuOptions {
  /// The same for all paths; ICMP is ignored then.
  std::optional<std::size_t> fixed_octets{};
  /// ICMP is listened to (R-5.3.3.6.1-b). Else a path takes what the relay's own link does (R-5.3.3.6.1-c).
  bool dynamic = true;
  /// No path is taken for narrower than this. Not given: `NarrowPaths::kMtuMinV4` and `kMtuMinV6`.
  std::optional<std::size_t> min_octets{};
  /// Sources are also told of the limit of a gateway's path. Otherwise they are told only of limits that the relay
  /// itself knows: its own link, and `fixed_octets`.
  bool tell_sources = false;
};

/// Holds limits from two sources: the MTU of this host's own link, by address, and the limit that the path to one
/// gateway has proven (`PathProbes`), by endpoint. An ICMP message alone sets no limit. Empty on most relays, and then
/// free of cost. Bounded: when full, the oldest entry gives way. Not thread-safe.
class NarrowPaths {
 public:
  static constexpr std::size_t kPathsMax = 65'536;
  /// RFC 1191 §6.3, RFC 8201 §4: a larger message must not be tried sooner.
  static constexpr Duration kLifetime = std::chrono::minutes(5);
  /// This long before the end the path is probed again, so that no data is lost to find out.
  static constexpr Duration kAskBefore = std::chrono::seconds(10);
  /// Nothing narrower is known (R-5.3.3.6.1-c): 552 is where Linux itself stops (`ip_rt_min_pmtu`), RFC 8200 §5 has
  /// 1280 for IPv6.
  static constexpr std::size_t kMtuMinV4 = 552;
  static constexpr std::size_t kMtuMinV6 = 1280;

  explicit NarrowPaths(const PathMtuOptions& options = {}) : options_(options) {}

  /// This host's kernel says it of the link towards `gateway`.
  void learn_link(Instant now, const IpAddress& gateway, std::size_t mtu_octets);
  /// The path itself has said it.
  void learn_path(Instant now, const Endpoint& gateway, std::size_t mtu_octets);
  /// How large an outer datagram has to be to find out whether the path to `gateway` takes no more than
  /// `claimed_octets`. Nothing: the claim makes no difference.
  [[nodiscard]] std::optional<std::size_t> octets_to_ask(Instant now, const Endpoint& gateway,
                                                         std::size_t claimed_octets) const;

  struct Room {
    /// The most that the inner datagram may have (R-5.3.3.6.1-a).
    std::size_t inner_octets_max = 0;
    /// A source is told of that limit when its datagram is above this.
    std::size_t told_octets_max = 0;
    /// The known limit will soon be too old: the path should be probed with this many octets. 0: not yet.
    std::size_t octets_to_ask = 0;
  };
  /// Of a gateway whose limit is known to be below the link's. Costs two look-ups where anything is known at all.
  [[nodiscard]] std::optional<Room> room(Instant now, const Endpoint& gateway) const {
    if (!options_.fixed_octets && links_.empty() && paths_.empty()) return std::nullopt;
    return room_among(now, gateway);
  }
  /// Forgets limits that are too old. Constant cost, plus the forgotten entries.
  void forget_old(Instant now);

 private:
  struct Entry {
    std::size_t mtu_octets = 0;
    Instant until{};
  };
  template <typename Key>
  class Table {
   public:
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] const Entry* find(Instant now, const Key& key) const;
    void put(const Key& key, const Entry& entry);
    void forget_old(Instant now);

   private:
    boost::unordered_flat_map<Key, Entry> entries_;
    /// Each key once, in the order in which they came.
    std::deque<Key> order_;
  };

  [[nodiscard]] std::size_t at_least(const IpAddress& gateway, std::size_t mtu_octets) const;
  [[nodiscard]] std::optional<Room> room_among(Instant now, const Endpoint& gateway) const;

  PathMtuOptions options_;
  Table<IpAddress> links_;
  Table<Endpoint> paths_;
};

}  // namespace amt
