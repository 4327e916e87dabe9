#include "observe/refused_counts.hh"

#include <utility>

namespace amt {

std::vector<RefusedCounts::Refused> RefusedCounts::take(Instant now, const Counters<RelayReject>& counters) {
  std::vector<Refused> out;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (now < entries_[i].quiet_until || !take(i, counters, out)) continue;
    entries_[i].quiet_until = now + kInterval;
  }
  return out;
}

std::vector<RefusedCounts::Refused> RefusedCounts::take_rest(const Counters<RelayReject>& counters) {
  std::vector<Refused> out;
  for (std::size_t i = 0; i < entries_.size(); ++i) take(i, counters, out);
  return out;
}

bool RefusedCounts::take(std::size_t index, const Counters<RelayReject>& counters, std::vector<Refused>& out) {
  const auto reason = static_cast<RelayReject>(index);
  const std::uint64_t counted = counters[reason];
  const std::uint64_t more = counted - std::exchange(entries_[index].told, counted);
  if (more != 0) out.push_back({reason, more});
  return more != 0;
}

}  // namespace amt
