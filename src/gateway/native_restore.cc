/// Which channels come natively, as octets, and back.

#include <algorithm>

#include "gateway/native_preference.hh"

namespace amt {

bool NativePreference::Group::is_possible() const {
  if (wanted.is_nothing()) return false;
  if (wanted.mode == FilterMode::kExclude) return entries.size() == 1 && !entries.front().source;
  return std::ranges::equal(entries, wanted.sources,
                            [](const Entry& entry, const IpAddress& source) { return entry.source == source; });
}

void NativePreference::save(StateRecordWriter& out) const {
  out.count(groups_.size());
  for (const auto& [address, group] : groups_) {
    out(address, group.wanted, group.native_emitted, group.tunnel_emitted);
    out.count(group.entries.size());
    for (const Entry& entry : group.entries) out(entry);
  }
}

void NativePreference::restore(Instant now, StateRecordReader& in) {
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) {
    IpAddress address;
    Group group;
    in(address, group.wanted, group.native_emitted, group.tunnel_emitted);
    for (std::size_t entries = in.count(1); entries > 0 && !in.has_failed(); --entries) {
      Entry entry{.rhythm = DataWatch(options_.silence)};
      in(entry);
      group.entries.push_back(entry);
    }
    if (!group.is_possible()) return in.fail();
    if (!group.native_emitted.is_nothing()) steps_.push_back(JoinNatively{address, group.native_emitted});
    groups_[address] = std::move(group);
  }
  refresh_deadline(now);
}

}  // namespace amt
