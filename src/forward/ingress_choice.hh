#pragma once
/// Several upstreams may bring the same channel: which one it is taken from.

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "amt/time.hh"
#include "base/keyed_hash.hh"

namespace amt {

/// Takes each (S,G) from one upstream at a time: from the one that the host's route to S leaves by, as soon as that
/// brings it; else from the first that does; from another one when that has been silent for `kSilence`. The last
/// packets of a channel are remembered, so none is taken twice when the upstream changes. Pure; owned by one worker.
/// Cost: a look-up a packet, and a route look-up for a channel that is new or whose routes have changed.
class IngressChoice {
 public:
  static constexpr Duration kSilence = std::chrono::seconds(1);
  /// Beyond these, channels are taken from every upstream, until one of these has been silent for `kForgotten`.
  static constexpr std::size_t kChannelsMax = 32'768;
  static constexpr Duration kForgotten = std::chrono::seconds(10);
  /// Packets of a channel that are remembered: as many as one upstream may be behind another, on a machine that stood
  /// still for a moment.
  static constexpr std::size_t kMarks = 64;
  /// For this time after a change the new upstream's packets are compared with the marks of the old one. A source that
  /// repeats the same datagram loses its copies no longer than that.
  static constexpr Duration kBehindMax = std::chrono::seconds(1);

  /// The number of the upstream that packets to `source` would leave by; none: the route leads elsewhere.
  using RouteTo = std::function<std::optional<std::uint32_t>(const IpAddress& source)>;
  /// `random`: keys the table.
  IngressChoice(RouteTo route_to, Random& random)
      : route_to_(std::move(route_to)), index_(0, ChannelHash{KeyedHash(random)}) {}

  /// Whether this packet is taken. `is_wanted` is called for a channel that is not known yet. An unwanted channel is
  /// not remembered, and its packet is taken. `mark`: see `packet_mark`.
  [[nodiscard]] bool take(Instant now, std::uint32_t upstream, const IpAddress& source, const IpAddress& group,
                          std::uint64_t mark, const std::function<bool()>& is_wanted);
  /// Routes or interfaces are different: they are looked up again as packets come.
  void forget_routes() { ++routes_version_; }

  [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }

 private:
  struct Key {
    IpAddress source;
    IpAddress group;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct ChannelHash {
    using is_avalanching = void;
    KeyedHash hash;
    std::size_t operator()(const Key& key) const { return hash(key.source, key.group); }
  };
  struct ChannelState {
    Key key;
    std::uint32_t upstream = 0;
    std::optional<std::uint32_t> route{};
    std::uint32_t routes_version = 0;
    Instant last{};
    std::array<std::uint32_t, kMarks> marks{};
    std::size_t next_mark = 0;
    /// Packets are compared with those of the upstream before this one.
    Instant compared_until = Instant::min();

    /// Whether it was remembered; it is not any more.
    bool forget(std::uint32_t mark);
    void remember(std::uint32_t mark);
  };

  /// Null: there is no room.
  ChannelState* add(Instant now, const Key& key);

  RouteTo route_to_;
  std::uint32_t routes_version_ = 0;
  std::vector<ChannelState> channels_;
  boost::unordered_flat_map<Key, std::uint32_t, ChannelHash> index_;
  /// Where the search for a silent channel goes on.
  std::size_t hand_ = 0;
};

}  // namespace amt
