#pragma once
/// Admission of tunnels, memberships and channels, decided before state is made (RFC 7450 §5.3.3.8, §6.1).

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "amt/channel.hh"
#include "base/brief_lock.hh"
#include "base/keyed_hash.hh"
#include "ip/address.hh"
#include "relay/refusal_log.hh"

namespace amt {

struct AdmissionLimits {
  std::size_t tunnels_max = 100'000;
  /// Of one IPv4 address or IPv6 /64. An IPv4 /24 may have 64 times as much, a /56 4 times, a /48 16 times.
  std::size_t tunnels_per_address_max = 256;
  /// Different (S,G) and (*,G) that the relay asks for upstream.
  std::size_t channels_max = 16'384;
  /// Memberships of all tunnels of one address: (*,G), and each source of a group that is wanted or blocked. The
  /// same for networks.
  std::size_t channels_per_address_max = 4096;
  /// An operator has said that one address may use up all channels.
  bool one_may_have_all_channels = false;
  SsmRange ssm{};
  /// Different sources of one source-specific group: they can only be asked for one by one (RFC 4604 §2.2.1), and the
  /// kernel keeps them in a list that it walks for each. Of other groups a relay asks for the whole (`asked_upstream`).
  [[nodiscard]] std::size_t sources_per_group_max() const {
    constexpr std::size_t kLeast = 1024;
    constexpr std::size_t kShare = 16;
    return std::max(kLeast, channels_max / kShare);
  }

  /// A relay of fewer tunnels serves one household or site.
  static constexpr std::size_t kTunnelsSharedFrom = 64;
  /// The default limit of one address, of this many tunnels in all: 256. On a relay of some size it never reaches the
  /// last sixteenth.
  static constexpr std::size_t tunnels_of_one_address(std::size_t whole) {
    if (whole < kTunnelsSharedFrom) return whole;
    constexpr std::size_t kUsual = 256;
    constexpr std::size_t kKeptBack = 16;
    const std::size_t most = whole - whole / kKeptBack;
    return kUsual < most ? kUsual : most;
  }
};

/// The one place that decides for a relay and all of its workers. A subscriber is an IPv4 address or an IPv6 /64; the
/// limits of a subscriber hold, with larger numbers, for its /24, or its /56 and its /48. So the owner of a whole
/// network does not get 256 or 65 536 shares.
///
/// When more than half of the relay is taken, the largest holders are refused first: the allowance of an address or
/// prefix falls with the square of the rest, down to one tunnel and a few channels. To take the rest of a relay of 100
/// 000 tunnels then takes thousands of addresses, a newcomer gets in, and no gateway loses a tunnel. This does not
/// apply to small limits, nor where one address may have the whole: there an operator has one subscriber.
///
/// Any thread. Each call takes a lock for some hundred nanoseconds; none is made for a packet.
class Admission {
 public:
  Admission(const AdmissionLimits& limits, const KeyedHash& hash);

  /// One more tunnel from this address. The refusal, if there is none for it.
  [[nodiscard]] std::optional<Refusal> take_tunnel(const IpAddress& address);
  void release_tunnel(const IpAddress& address);
  /// Whether `take_tunnel` would refuse (the L flag, R-5.3.3.3-e).
  [[nodiscard]] bool refuses_tunnel(const IpAddress& address) const;
  /// Whether the relay takes no tunnel from anybody. No lock.
  [[nodiscard]] bool is_full() const { return tunnels_ >= tunnels_max_; }

  /// From now on. Tunnels and memberships above a new limit stay until they end.
  void set_limits(const AdmissionLimits& limits);

  struct Grant {
    std::size_t memberships = 0;
    /// Given where these are fewer than wanted.
    std::optional<Refusal> refusal{};
  };
  /// Up to `wanted` more memberships for a tunnel from this address.
  [[nodiscard]] Grant take_memberships(const IpAddress& address, std::size_t wanted);
  void release_memberships(const IpAddress& address, std::size_t memberships);

  /// Makes sure that `channel` is among the relay's until it is released as often by `release_channels`: for a tunnel
  /// that is about to join it.
  [[nodiscard]] std::optional<Refusal> take_channel(const Channel& channel, const IpAddress& address);
  /// One more holder each of channels that are among the relay's.
  void hold_channels(std::span<const Channel> channels);
  void release_channels(std::span<const Channel> channels);

  struct Usage {
    std::uint32_t tunnels = 0;
    std::uint32_t memberships = 0;

    [[nodiscard]] bool is_nothing() const { return tunnels == 0 && memberships == 0; }
    friend bool operator==(const Usage&, const Usage&) = default;
  };
  /// Of the subscriber that has this address.
  [[nodiscard]] Usage usage_of(const IpAddress& address) const;
  struct Totals {
    std::size_t tunnels = 0;
    std::size_t memberships = 0;
    std::size_t channels = 0;
    /// Holders of all channels.
    std::size_t channel_holders = 0;
    std::size_t subscribers = 0;

    friend bool operator==(const Totals&, const Totals&) = default;
  };
  [[nodiscard]] Totals totals() const;

 private:
  /// All of an IPv4 address, the first half of an IPv6 one.
  using Key = std::uint64_t;
  using Usages = boost::unordered_flat_map<Key, Usage, KeyedHash>;
  /// By a keyed hash of 64 bits: a third of the room of a channel. Two that happen to share one, once in a million
  /// relays with a million channels, count as one.
  using Channels = boost::unordered_flat_map<std::uint64_t, std::uint32_t, KeyedHash>;
  /// A subscriber, or a network of several.
  struct Level {
    std::size_t table = 0;
    Key key = 0;
    /// Of a subscriber's limits.
    std::size_t factor = 1;
    std::uint8_t prefix_length = 0;
    /// A subscriber in it that holds next to nothing is not held to its share.
    bool spares_small_holders = false;
    /// Its least allowance, also where a subscriber has less.
    std::size_t tunnels_least = 0;
    std::size_t memberships_least = 0;
  };
  static constexpr std::size_t kLevels = 3;
  struct Levels {
    std::array<Level, kLevels> all;
    std::size_t count = 0;
    [[nodiscard]] std::span<const Level> used() const { return std::span(all).first(count); }
  };
  static Levels levels_of(const IpAddress& address);
  /// The level that holds more than its share of `whole`, of which this many are left; null: none does.
  [[nodiscard]] const Level* above_share(const Levels& levels, std::size_t whole, std::size_t left) const;
  /// Whether upstream this channel is one of a list of sources.
  [[nodiscard]] bool is_source_listed(const Channel& channel) const;

  [[nodiscard]] std::uint64_t mark_of(const Channel& channel) const;
  [[nodiscard]] Usage usage(const Level& level) const;
  [[nodiscard]] std::optional<Refusal> refusal_of_tunnel(const IpAddress& address) const;
  template <typename Change>
  void change(const IpAddress& address, const Change& change);

  AdmissionLimits limits_;
  /// The one of them that is read without the lock.
  std::atomic<std::size_t> tunnels_max_;
  KeyedHash hash_;
  /// A bound of memory, which does not depend on the upstream's channels.
  std::size_t memberships_max_;
  mutable BriefLock lock_;
  std::atomic<std::size_t> tunnels_ = 0;
  std::size_t memberships_ = 0;
  std::size_t channel_holders_ = 0;
  /// By address or /64; by /24 or /56; by /48.
  std::array<Usages, kLevels> usages_;
  Channels channels_;
  /// How many of the channels are of each source-specific group. Groups that happen to share a place, two of 2048,
  /// share their limit.
  static constexpr std::size_t kGroupPlaces = 2048;
  [[nodiscard]] std::uint32_t& sources_listed(const IpAddress& group) {
    return sources_listed_[hash_(group) % kGroupPlaces];
  }
  std::vector<std::uint32_t> sources_listed_;
};

}  // namespace amt
