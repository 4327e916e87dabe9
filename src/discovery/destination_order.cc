#include "discovery/destination_order.hh"

#include <algorithm>
#include <array>
#include <bit>

#include "ip/address.hh"

namespace amt {
namespace {

struct Policy {
  Prefix prefix;
  int precedence;
  int label;
};

/// RFC 6724 §2.1, longest prefix first. IPv4 (::ffff:0:0/96) is asked for by family.
const Policy& policy_of(const IpAddress& address) {
  static const std::array<Policy, 8> kTable{{
      {*Prefix::parse("::1/128"), 50, 0},
      {*Prefix::parse("::/96"), 1, 3},
      {*Prefix::parse("2001::/32"), 5, 5},
      {*Prefix::parse("2002::/16"), 30, 2},
      {*Prefix::parse("3ffe::/16"), 1, 12},
      {*Prefix::parse("fec0::/10"), 1, 11},
      {*Prefix::parse("fc00::/7"), 3, 13},
      {*Prefix::parse("::/0"), 40, 1},
  }};
  static const Policy kIpv4{*Prefix::parse("0.0.0.0/0"), 35, 4};
  if (address.is_v4()) return kIpv4;
  return *std::ranges::find_if(kTable, [&](const Policy& row) { return row.prefix.contains(address); });
}

/// RFC 6724 §3.1 for unicast; IPv4 loopback counts as link-local (§3.2).
int scope_of(const IpAddress& address) {
  constexpr int kLinkLocal = 2;
  constexpr int kSiteLocal = 5;
  constexpr int kGlobal = 14;
  static const Prefix kSite = *Prefix::parse("fec0::/10");
  if (address.is_link_local() || address.is_loopback()) return kLinkLocal;
  return !address.is_v4() && kSite.contains(address) ? kSiteLocal : kGlobal;
}

int common_prefix_bits(const IpAddress& a, const IpAddress& b) {
  int bits = 0;
  for (std::size_t i = 0; i < a.mapped_octets().size(); ++i) {
    const auto different = std::to_integer<std::uint8_t>(a.mapped_octets()[i] ^ b.mapped_octets()[i]);
    if (different != 0) return bits + std::countl_zero(different);
    bits += 8;
  }
  return bits;
}

std::weak_ordering yes_first(bool a, bool b) { return b <=> a; }

}  // namespace

std::weak_ordering compare_destinations(const Destination& a, const Destination& b) {
  // Rule 1: avoid unusable destinations.
  if (a.source.has_value() != b.source.has_value() || !a.source) {
    return yes_first(a.source.has_value(), b.source.has_value());
  }
  const int scope_a = scope_of(a.address);
  const int scope_b = scope_of(b.address);
  // Rule 2: prefer matching scope.
  auto order = yes_first(scope_a == scope_of(*a.source), scope_b == scope_of(*b.source));
  if (order != std::weak_ordering::equivalent) return order;
  const Policy& policy_a = policy_of(a.address);
  const Policy& policy_b = policy_of(b.address);
  // Rule 5: prefer matching label.
  order = yes_first(policy_a.label == policy_of(*a.source).label, policy_b.label == policy_of(*b.source).label);
  if (order != std::weak_ordering::equivalent) return order;
  // Rule 6: prefer higher precedence.
  order = policy_b.precedence <=> policy_a.precedence;
  if (order != std::weak_ordering::equivalent) return order;
  // Rule 8: prefer smaller scope.
  order = scope_a <=> scope_b;
  if (order != std::weak_ordering::equivalent) return order;
  // Rule 9: use longest matching prefix, within one family.
  if (a.address.family() != b.address.family()) return std::weak_ordering::equivalent;
  return common_prefix_bits(b.address, *b.source) <=> common_prefix_bits(a.address, *a.source);
}

}  // namespace amt
