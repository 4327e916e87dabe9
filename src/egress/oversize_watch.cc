#include "egress/oversize_watch.hh"

#include <algorithm>
#include <utility>

namespace amt {

std::string OversizeReport::to_string() const {
  std::string names;
  for (const Channel& channel : channels) names += (names.empty() ? "" : ", ") + channel.to_string();
  return "datagrams of " + names + (has_more ? ", ..." : "") +
         " do not fit into tunnels and may not be fragmented: one has " + std::to_string(inner_octets) + " octets, " +
         std::to_string(inner_octets_max) + " fit towards " + gateway.to_string() + "; " + std::to_string(copies) +
         " copies dropped since the last line of this kind (mend: smaller packets at the source; ffmpeg: "
         "pkt_size=1316)";
}

void OversizeWatch::add(const Channel& channel, const Endpoint& gateway, std::size_t inner_octets,
                        std::size_t inner_octets_max) {
  if (open_.copies++ == 0) {
    open_.gateway = gateway;
    open_.inner_octets = inner_octets;
    open_.inner_octets_max = inner_octets_max;
  }
  if (std::ranges::find(open_.channels, channel) != open_.channels.end()) return;
  if (open_.channels.size() == kNamedMax) {
    open_.has_more = true;
  } else {
    open_.channels.push_back(channel);
  }
}

std::optional<OversizeReport> OversizeWatch::poll_report(Instant now) {
  if (open_.copies == 0 || (next_ && now < *next_)) return std::nullopt;
  next_ = now + kInterval;
  return std::exchange(open_, {});
}

}  // namespace amt
