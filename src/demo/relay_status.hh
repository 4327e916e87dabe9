#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/ip_address.hh"

namespace amt {

/// One tunnel as `amt status --json` of a relay shows it.
struct ShownTunnel {
  std::string endpoint;
  std::vector<IpAddress> groups;
  std::uint64_t packets = 0;
};

/// Nothing when `json` is not a relay's status.
[[nodiscard]] std::optional<std::vector<ShownTunnel>> parse_relay_status(std::string_view json);

/// Tunnels in which `group` is wanted.
[[nodiscard]] std::size_t tunnels_with(const std::vector<ShownTunnel>& tunnels, const IpAddress& group);

}  // namespace amt
