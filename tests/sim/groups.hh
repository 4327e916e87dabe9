#pragma once
/// Addresses that every world has.

#include <array>
#include <string>
#include <vector>

#include "amt/endpoint.hh"

namespace amt::sim {

/// A literal that is right.
[[nodiscard]] IpAddress address(const std::string& text);

[[nodiscard]] const Endpoint& anycast_v4();
[[nodiscard]] const Endpoint& anycast_v6();

/// Of one family: every source sends to every group.
struct GroupPlan {
  std::vector<IpAddress> groups;
  std::vector<IpAddress> sources;
};
/// IPv4, IPv6.
[[nodiscard]] const std::array<GroupPlan, 2>& plans();

}  // namespace amt::sim
