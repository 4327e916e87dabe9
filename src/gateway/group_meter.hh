#pragma once
/// Packets and octets of each group that a gateway wants.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/time.hh"
#include "ip/data_packet.hh"

namespace amt {

struct GroupUse {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;         ///< of inner datagrams
  std::optional<Duration> idle{};  ///< since the last; none yet: nothing
};

/// A look-up for each run of datagrams of one group. Not thread-safe.
class GroupMeter {
 public:
  /// A group that is silent for this long is missing.
  static constexpr Duration kPatience = std::chrono::seconds(10);
  /// Missing groups that are named.
  static constexpr std::size_t kNamedMax = 3;

  /// Counting begins when a group is wanted, and is forgotten when it is not.
  void set_wanted(Instant now, const IpAddress& group, bool wanted);
  /// Packets of other groups are not counted.
  void count(Instant now, std::span<const DataPacket> packets);
  [[nodiscard]] GroupUse use(Instant now, const IpAddress& group) const;
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }

  struct Missing {
    std::size_t groups = 0;
    /// The first by address, at most `kNamedMax`.
    std::vector<IpAddress> named;
    Duration longest{};
    /// Groups of which something came within `kPatience`.
    std::size_t coming = 0;
  };
  /// Groups that are wanted and do not come. Walks all.
  [[nodiscard]] Missing missing(Instant now) const;

 private:
  struct Entry {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    /// Of the last packet; before the first: when it was joined.
    Instant last{};
  };
  boost::unordered_flat_map<IpAddress, Entry> groups_;
};

}  // namespace amt
