#include "sys/gateway_alias.hh"

#include <algorithm>
#include <optional>

namespace amt {
namespace {

constexpr std::string_view kBegin = "amt gateway of";
// IFALIASZ less the end.
constexpr std::size_t kAliasOctetsMax = 255;

}  // namespace

std::string gateway_alias(std::span<const IpAddress> relays) {
  std::string alias(kBegin);
  for (const IpAddress& relay : relays) {
    const std::string text = ' ' + relay.to_string();
    if (alias.size() + text.size() > kAliasOctetsMax) break;
    alias += text;
  }
  return alias;
}

bool is_alias_of_gateway_of(std::string_view alias, std::span<const IpAddress> relay_addresses) {
  if (!alias.starts_with(kBegin)) return false;
  alias.remove_prefix(kBegin.size());
  while (!alias.empty()) {
    alias.remove_prefix(1);
    const std::string_view word = alias.substr(0, alias.find(' '));
    const std::optional<IpAddress> relay = IpAddress::parse(word);
    if (relay && std::ranges::find(relay_addresses, *relay) != relay_addresses.end()) return true;
    alias.remove_prefix(word.size());
  }
  return false;
}

}  // namespace amt
