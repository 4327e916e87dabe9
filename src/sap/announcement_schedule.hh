#pragma once
/// Announces sessions: which packet is due when (RFC 2974 §3.1).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amt/time.hh"
#include "base/random.hh"
#include "sap/sap_packet.hh"

namespace amt {

/// RFC 2974 §3.1: what all announcements of one group may take together.
inline constexpr std::uint64_t kSapBitsPerSecond = 4000;
inline constexpr Duration kSapIntervalMin = std::chrono::seconds(300);

/// The time between two announcements of `octets`, of which there are `sessions` on the group.
[[nodiscard]] Duration announcement_interval(std::size_t sessions, std::size_t octets);

struct Announcement {
  IpAddress group{};  ///< to which it is sent
  std::vector<std::byte> packet{};
  std::vector<std::byte> deletion{};
};

/// Says which announcement is due. Not thread-safe.
class AnnouncementSchedule {
 public:
  /// The first round begins at `now`, one packet every `kFirstRoundGap`.
  AnnouncementSchedule(std::vector<Announcement> announcements, Random& random, Instant now);
  static constexpr Duration kFirstRoundGap = std::chrono::milliseconds(20);

  /// One that is due, whose next turn is drawn now. `sessions_heard`: on its group, one's own included; what is heard
  /// of others makes all slower. None: not before `next_deadline`.
  [[nodiscard]] const Announcement* take_due(Instant now, std::size_t sessions_heard);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] const std::vector<Announcement>& announcements() const { return announcements_; }

 private:
  [[nodiscard]] std::size_t next() const;

  std::vector<Announcement> announcements_;
  std::vector<Instant> due_;
  Random& random_;
};

}  // namespace amt
