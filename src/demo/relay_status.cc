#include "demo/relay_status.hh"

#include <algorithm>
#include <boost/json.hpp>

namespace amt {
namespace {

namespace json = boost::json;

ShownTunnel tunnel_of(const json::object& object) {
  ShownTunnel tunnel;
  if (const json::value* endpoint = object.if_contains("endpoint"); endpoint != nullptr && endpoint->is_string()) {
    tunnel.endpoint = endpoint->get_string().c_str();
  }
  if (const json::value* packets = object.if_contains("packets"); packets != nullptr && packets->is_number()) {
    json::error_code ignored;
    tunnel.packets = packets->to_number<std::uint64_t>(ignored);
  }
  const json::value* groups = object.if_contains("groups");
  if (groups == nullptr || !groups->is_array()) return tunnel;
  for (const json::value& entry : groups->get_array()) {
    const json::value* group = entry.is_object() ? entry.get_object().if_contains("group") : nullptr;
    if (group == nullptr || !group->is_string()) continue;
    if (const auto address = IpAddress::parse(group->get_string())) tunnel.groups.push_back(*address);
  }
  return tunnel;
}

}  // namespace

std::optional<std::vector<ShownTunnel>> parse_relay_status(std::string_view text) {
  json::error_code error;
  const json::value status = json::parse(text, error);
  if (error || !status.is_object()) return std::nullopt;
  const json::value* tunnels = status.get_object().if_contains("tunnels");
  if (tunnels == nullptr || !tunnels->is_array()) return std::nullopt;
  std::vector<ShownTunnel> found;
  for (const json::value& entry : tunnels->get_array()) {
    if (entry.is_object()) found.push_back(tunnel_of(entry.get_object()));
  }
  return found;
}

std::size_t tunnels_with(const std::vector<ShownTunnel>& tunnels, const IpAddress& group) {
  return static_cast<std::size_t>(std::ranges::count_if(tunnels, [&](const ShownTunnel& tunnel) {
    return std::ranges::find(tunnel.groups, group) != tunnel.groups.end();
  }));
}

}  // namespace amt
