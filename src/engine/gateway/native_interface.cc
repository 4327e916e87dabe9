#include "engine/gateway/native_interface.hh"

#include <algorithm>

#include "discovery/relay_preference.hh"

namespace amt {

std::optional<std::string> native_interface(const std::optional<std::string>& given, const Channel& channel,
                                            LocalInterfaces& local) {
  if (given) return given;
  if (channel.source) return local.towards(*channel.source);
  // Any address that only a default route leads to.
  const auto* const anycast = std::ranges::find(kRelayAnycast, channel.group.family(), &IpAddress::family);
  return local.towards(*anycast);
}

}  // namespace amt
