#include "gateway/group_meter.hh"

#include <algorithm>

namespace amt {

void GroupMeter::set_wanted(Instant now, const IpAddress& group, bool wanted) {
  if (wanted) {
    groups_.try_emplace(group, Entry{.last = now});
  } else {
    groups_.erase(group);
  }
}

void GroupMeter::count(Instant now, std::span<const DataPacket> packets) {
  // No group, and so in no entry.
  IpAddress group;
  Entry* entry = nullptr;
  for (const DataPacket& packet : packets) {
    if (group != packet.destination) {
      group = packet.destination;
      const auto found = groups_.find(group);
      entry = found == groups_.end() ? nullptr : &found->second;
    }
    if (entry == nullptr) continue;
    ++entry->packets;
    entry->bytes += packet.datagram.size();
    entry->last = now;
  }
}

GroupUse GroupMeter::use(Instant now, const IpAddress& group) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return {};
  const Entry& entry = found->second;
  GroupUse use{.packets = entry.packets, .bytes = entry.bytes};
  if (entry.packets != 0) use.idle = now - entry.last;
  return use;
}

GroupMeter::Missing GroupMeter::missing(Instant now) const {
  Missing out;
  for (const auto& [group, entry] : groups_) {
    const Duration silent = now - entry.last;
    if (silent < kPatience) {
      if (entry.packets != 0) ++out.coming;
      continue;
    }
    ++out.groups;
    out.longest = std::max(out.longest, silent);
    out.named.insert(std::ranges::upper_bound(out.named, group), group);
    if (out.named.size() > kNamedMax) out.named.pop_back();
  }
  return out;
}

}  // namespace amt
