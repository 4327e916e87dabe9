#include "sap/session_directory.hh"

#include <algorithm>

namespace amt {
namespace {

SapCounter counter_of(SapError error) {
  switch (error) {
    case SapError::kMalformed:
      break;
    case SapError::kTooLarge:
      return SapCounter::kTooLarge;
    case SapError::kVersion:
      return SapCounter::kVersion;
    case SapError::kEncrypted:
      return SapCounter::kEncrypted;
    case SapError::kCompressed:
      return SapCounter::kCompressed;
    case SapError::kPayloadType:
      return SapCounter::kPayloadType;
  }
  return SapCounter::kMalformed;
}

}  // namespace

std::optional<SapCounter> SessionDirectory::handle_datagram(Instant now, std::uint64_t ntp_seconds,
                                                            const IpAddress& from, Bytes datagram) {
  constexpr Duration kGap = TokenBucket::kDepth / kPerSecondMax;
  if (!of_all_.take(now, kGap) || !by_host_.allow(now, from)) {
    counters_.add(SapCounter::kRate);
    return SapCounter::kRate;
  }
  const Result<SapPacket, SapError> packet = SapPacket::parse(datagram);
  std::optional<SapCounter> refusal;
  if (!packet) {
    refusal = counter_of(packet.error());
  } else {
    if (packet->is_signed) counters_.add(SapCounter::kSigned);
    refusal = packet->is_deletion ? remove(from, *packet) : take(now, ntp_seconds, from, *packet);
  }
  if (refusal) counters_.add(*refusal);
  return refusal;
}

std::optional<SapCounter> SessionDirectory::take(Instant now, std::uint64_t ntp_seconds, const IpAddress& from,
                                                 const SapPacket& packet) {
  Result<SessionDescription, SdpError> description = SessionDescription::parse(packet.payload);
  if (!description) return SapCounter::kMalformed;
  if (!description->stream) return SapCounter::kNoStream;
  if (description->ends_at != 0 && description->ends_at <= ntp_seconds) return SapCounter::kEnded;
  const std::pair key(packet.origin, description->identity);
  auto found = sessions_.find(key);
  if (found != sessions_.end() && found->second.announcer != from) return SapCounter::kForeign;
  if (found == sessions_.end()) {
    if (!has_room_for(from)) return SapCounter::kFull;
    found = sessions_.emplace(key, AnnouncedSession{.announcer = from, .heard = now}).first;
  }
  AnnouncedSession& session = found->second;
  const bool is_same = session.description.stream == description->stream &&
                       session.description.name == description->name &&
                       session.description.group_title == description->group_title;
  if (!is_same) ++changes_;
  session.description = std::move(*description);
  session.message_id_hash = packet.message_id_hash;
  refresh(now, ntp_seconds, session);
  refresh_deadline();
  counters_.add(SapCounter::kAnnouncements);
  return std::nullopt;
}

void SessionDirectory::refresh(Instant now, std::uint64_t ntp_seconds, AnnouncedSession& session) const {
  session.interval = std::min(now - session.heard, kTimeoutMax);
  session.heard = now;
  Duration kept = std::clamp(session.interval * kPeriodsKept, timeout_, std::max(timeout_, kTimeoutMax));
  if (session.description.ends_at != 0) {
    // Compared in seconds: an end of the far future does not fit into a `Duration`.
    const std::uint64_t left = session.description.ends_at - ntp_seconds;
    const auto kept_seconds = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(kept).count());
    if (left < kept_seconds) kept = std::chrono::seconds(left);
  }
  session.expires = now + kept;
}

std::optional<SapCounter> SessionDirectory::remove(const IpAddress& from, const SapPacket& packet) {
  const std::optional<std::string> identity = SessionDescription::identity_of(packet.payload);
  const auto is_meant = [&](const auto& one) {
    if (one.first.first != packet.origin) return false;
    if (identity && one.first.second == *identity) return true;
    return packet.message_id_hash != 0 && one.second.message_id_hash == packet.message_id_hash;
  };
  const auto found = std::ranges::find_if(sessions_, is_meant);
  // What is not known here was refused before, or is over.
  if (found == sessions_.end()) return std::nullopt;
  // RFC 2974 §5: without authentication, anybody could delete anything.
  if (found->second.announcer != from) return SapCounter::kForeign;
  sessions_.erase(found);
  ++changes_;
  counters_.add(SapCounter::kDeletions);
  refresh_deadline();
  return std::nullopt;
}

bool SessionDirectory::has_room_for(const IpAddress& host) const {
  if (sessions_.size() >= kSessionsMax) return false;
  const auto of_host = std::ranges::count_if(sessions_, [&](const auto& one) { return one.second.announcer == host; });
  return static_cast<std::size_t>(of_host) < kSessionsPerHostMax;
}

void SessionDirectory::handle_timeout(Instant now) {
  const std::size_t expired = std::erase_if(sessions_, [now](const auto& one) { return one.second.expires <= now; });
  counters_.add(SapCounter::kExpired, expired);
  if (expired != 0) ++changes_;
  refresh_deadline();
}

void SessionDirectory::refresh_deadline() {
  next_deadline_ = kNoDeadline;
  for (const auto& [key, session] : sessions_) next_deadline_ = std::min(next_deadline_, session.expires);
}

}  // namespace amt
