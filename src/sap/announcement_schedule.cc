#include "sap/announcement_schedule.hh"

#include <algorithm>

namespace amt {

Duration announcement_interval(std::size_t sessions, std::size_t octets) {
  constexpr std::uint64_t kBitsPerOctet = 8;
  const std::chrono::seconds by_rate(kBitsPerOctet * sessions * octets / kSapBitsPerSecond);
  return std::max<Duration>(kSapIntervalMin, by_rate);
}

AnnouncementSchedule::AnnouncementSchedule(std::vector<Announcement> announcements, Random& random, Instant now)
    : announcements_(std::move(announcements)), random_(random) {
  for (std::size_t i = 0; i < announcements_.size(); ++i) due_.push_back(now + kFirstRoundGap * i);
}

std::size_t AnnouncementSchedule::next() const {
  return static_cast<std::size_t>(std::ranges::min_element(due_) - due_.begin());
}

Instant AnnouncementSchedule::next_deadline() const {
  return due_.empty() ? kNoDeadline : *std::ranges::min_element(due_);
}

const Announcement* AnnouncementSchedule::take_due(Instant now, std::size_t sessions_heard) {
  if (next_deadline() > now) return nullptr;
  const std::size_t at = next();
  const Announcement& due = announcements_[at];
  const auto of_group = [&](const Announcement& one) { return one.group == due.group; };
  const auto own = static_cast<std::size_t>(std::ranges::count_if(announcements_, of_group));
  const Duration interval = announcement_interval(std::max(own, sessions_heard), due.packet.size());
  // RFC 2974 §3.1: "offset = rand(interval * 2/3) - (interval/3)", so that announcers do not fall into step.
  due_[at] = now + random_.between(interval - interval / 3, interval + interval / 3);
  return &due;
}

}  // namespace amt
