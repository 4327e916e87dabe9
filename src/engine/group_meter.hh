#pragma once
/// What came of each group that a gateway wants.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>

#include "amt/ip_address.hh"
#include "amt/time.hh"
#include "base/byte_reader.hh"

namespace amt {

struct GroupUse {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;         ///< of inner datagrams
  std::optional<Duration> idle{};  ///< since the last; none yet: nothing
};

/// A look-up for each run of datagrams of one group. Not thread-safe.
class GroupMeter {
 public:
  /// Counting begins when a group is wanted, and is forgotten when it is not.
  void set_wanted(const IpAddress& group, bool wanted);
  /// Whole IP datagrams; those of other groups are not counted.
  void count(Instant now, std::span<const Bytes> datagrams);
  [[nodiscard]] GroupUse use(Instant now, const IpAddress& group) const;

 private:
  struct Entry {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    Instant last{};
  };
  boost::unordered_flat_map<IpAddress, Entry> groups_;
};

}  // namespace amt
