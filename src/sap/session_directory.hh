#pragma once
/// The sessions that are being announced (RFC 2974 §4).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "amt/time.hh"
#include "ip/rate_limit.hh"
#include "sap/sap_counters.hh"
#include "sap/sap_packet.hh"
#include "sap/session_description.hh"

namespace amt {

struct AnnouncedSession {
  SessionDescription description{};
  IpAddress announcer{};  ///< the host that the announcement came from
  std::uint16_t message_id_hash = 0;
  Instant heard{};      ///< last
  Duration interval{};  ///< between the last two announcements
  Instant expires = kNoDeadline;
};

/// Takes announcements, forgets what is not announced any more. Whoever announces first has the session: it is changed
/// and deleted by packets of the same address alone. That address can be forged, so what stands here is hearsay: names
/// and channels for people to choose from. Not thread-safe.
class SessionDirectory {
 public:
  static constexpr std::size_t kSessionsMax = 1000;
  static constexpr std::size_t kSessionsPerHostMax = 250;
  /// Announcements of one host (IPv6: one /64) that are looked at, and of all. RFC 2974 §3.1 grants all of them
  /// together 4 kbit/s; at the start an announcer may say all that it has.
  static constexpr std::uint32_t kPerHostAndSecondMax = 100;
  static constexpr int kPerSecondMax = 2000;
  /// RFC 2974 §4: "one hour, or ten times the announcement period, whichever is the greater".
  static constexpr Duration kTimeout = std::chrono::hours(1);
  static constexpr int kPeriodsKept = 10;
  /// A host that announces as rarely as it likes keeps nothing for longer than this.
  static constexpr Duration kTimeoutMax = std::chrono::hours(24);

  explicit SessionDirectory(Random& random, Duration timeout = kTimeout)
      : timeout_(timeout), by_host_(kPerHostAndSecondMax, KeyedHash(random), kHostsLimited) {}

  /// `datagram` came from `from`. `ntp_seconds`: the time of day, since 1900. The refusal, where there is one. Cost: a
  /// look-up, or, where it is new, one pass over the sessions.
  std::optional<SapCounter> handle_datagram(Instant now, std::uint64_t ntp_seconds, const IpAddress& from,
                                            Bytes datagram);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const { return next_deadline_; }

  /// In the order of announcer and identity.
  using Sessions = std::map<std::pair<IpAddress, std::string>, AnnouncedSession>;
  [[nodiscard]] const Sessions& sessions() const { return sessions_; }
  [[nodiscard]] const Counters<SapCounter>& counters() const { return counters_; }
  /// Grows whenever what `sessions` shows has changed.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  std::optional<SapCounter> take(Instant now, std::uint64_t ntp_seconds, const IpAddress& from,
                                 const SapPacket& packet);
  std::optional<SapCounter> remove(const IpAddress& from, const SapPacket& packet);
  void refresh(Instant now, std::uint64_t ntp_seconds, AnnouncedSession& session) const;
  static constexpr std::size_t kHostsLimited = 1024;
  [[nodiscard]] bool has_room_for(const IpAddress& host) const;
  void refresh_deadline();

  Duration timeout_;
  RateLimiter by_host_;
  TokenBucket of_all_;
  Sessions sessions_;
  Counters<SapCounter> counters_;
  std::uint64_t changes_ = 0;
  Instant next_deadline_ = kNoDeadline;
};

}  // namespace amt
