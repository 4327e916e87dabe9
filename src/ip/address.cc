#include "ip/address.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/byte_reader.hh"

namespace amt {
namespace {

constexpr std::uint8_t kMappedBits = 96;

unsigned bits(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

std::uint8_t octet(const IpAddress& address, std::size_t index) {
  return std::to_integer<std::uint8_t>(address.mapped_octets()[index]);
}

/// The last 32 bits: an IPv4 address, or the group ID of an IPv6 group (RFC 3307 §4).
std::uint32_t last_32_bits(const IpAddress& address) {
  std::uint32_t value = 0;
  for (std::size_t i = 12; i < 16; ++i) value = value << 8 | octet(address, i);
  return value;
}

/// Is the host's part of the address made of this bit alone?
bool is_host_part_all(const Prefix& prefix, bool bit) {
  const std::span<const std::byte> octets = prefix.address.bytes();
  for (unsigned i = prefix.length; i < octets.size() * 8; ++i) {
    const bool set = (octets[i / 8] & std::byte{0x80} >> i % 8) != std::byte{0};
    if (set != bit) return false;
  }
  return true;
}

/// Fit for a host: on a point-to-point link (RFC 3021, RFC 6164) both addresses are.
bool is_host_address(const Prefix& prefix) {
  if (bits(prefix.address) - prefix.length == 1) return true;
  return !is_host_part_all(prefix, false) && !(prefix.address.is_v4() && is_host_part_all(prefix, true));
}

/// The address that follows, or (`step` 0xff) the one before; wraps around.
IpAddress beside(const IpAddress& address, std::uint8_t step) {
  std::array<std::byte, 16> octets = address.mapped_octets();
  for (std::size_t i = octets.size(); i-- > 0;) {
    const std::byte before = octets[i];
    octets[i] = static_cast<std::byte>(std::to_integer<std::uint8_t>(before) + step);
    // A carry, or a borrow, goes on to the next octet.
    if (before != (step == 1 ? std::byte{0xff} : std::byte{0})) break;
  }
  return IpAddress::from_v6(octets);
}

}  // namespace

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Prefix{*address, static_cast<std::uint8_t>(bits(*address))};
  const std::string_view digits = text.substr(slash + 1);
  std::uint8_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || length > bits(*address)) return std::nullopt;
  return Prefix{*address, length};
}

bool Prefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  const std::size_t mapped_length = address.is_v4() ? std::size_t{kMappedBits} + length : length;
  const std::size_t whole = mapped_length / 8;
  const auto& a = address.mapped_octets();
  const auto& b = other.mapped_octets();
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  const unsigned rest = mapped_length % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xff00U >> rest & 0xffU;
  return ((octet(address, whole) ^ octet(other, whole)) & mask) == 0;
}

std::string Prefix::to_string() const { return address.to_string() + '/' + std::to_string(length); }

IpAddress base_address(const Prefix& subnet) {
  std::array<std::byte, 16> octets = subnet.address.mapped_octets();
  const std::size_t kept = octets.size() * 8 - bits(subnet.address) + subnet.length;
  for (std::size_t bit = kept; bit < octets.size() * 8; ++bit) octets[bit / 8] &= ~(std::byte{0x80} >> (bit % 8));
  return IpAddress::from_v6(octets);
}

std::optional<IpAddress> neighbour_in(const Prefix& prefix) {
  if (prefix.length >= bits(prefix.address) || !is_host_address(prefix)) return std::nullopt;
  for (const std::uint8_t step : {std::uint8_t{1}, std::uint8_t{0xff}}) {
    const Prefix candidate{beside(prefix.address, step), prefix.length};
    if (prefix.contains(candidate.address) && is_host_address(candidate)) return candidate.address;
  }
  return std::nullopt;
}

bool is_link_scope_multicast(const IpAddress& group) {
  if (!group.is_multicast()) return false;
  if (group.is_v4()) return last_32_bits(group) >> 8 == 0xe00000;
  return (octet(group, 1) & 0x0f) <= 2;
}

SsmRange::SsmRange() {
  prefixes_.push_back({IpAddress::from_v4(0xe8000000), 8});
  // ff3x::/32: one prefix for each scope x, since the flags and the scope share an octet.
  for (unsigned scope = 0; scope < 16; ++scope) {
    std::array<std::byte, 16> octets{};
    octets[0] = std::byte{0xff};
    octets[1] = static_cast<std::byte>(0x30 | scope);
    prefixes_.push_back({IpAddress::from_v6(octets), 32});
  }
}

SsmRange::SsmRange(std::vector<Prefix> prefixes) : prefixes_(std::move(prefixes)) {}

bool SsmRange::contains(const IpAddress& group) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const Prefix& p) { return p.contains(group); });
}

bool is_reserved_ssm_group(const IpAddress& group) {
  if (group.is_v4()) return last_32_bits(group) == 0xe8000000;
  if (octet(group, 0) != 0xff || (octet(group, 1) & 0xf0) != 0x30) return false;
  // RFC 4607 §1 and §4.3 speak of ff3x::/96. A longer prefix part makes it a prefix-based address (RFC 3306), to which
  // this does not apply.
  for (std::size_t i = 2; i < 12; ++i) {
    if (octet(group, i) != 0) return false;
  }
  // RFC 4607 §1 calls ff3x::1 to ff3x::3fff:ffff "invalid". People use them (ff3e::1 first of all), every host and
  // router forwards them, and they have no other meaning. So they are accepted.
  return last_32_bits(group) == 0 || last_32_bits(group) == 0x40000000;
}

bool is_private(const IpAddress& address) {
  static const std::array<Prefix, 5> kPrivate = {{
      {IpAddress::from_v4(0x0a000000), 8},
      {IpAddress::from_v4(0xac100000), 12},
      {IpAddress::from_v4(0xc0a80000), 16},
      {IpAddress::from_v4(0x64400000), 10},
      {IpAddress::from_v6({std::byte{0xfc}}), 7},
  }};
  return address.is_loopback() || address.is_link_local() ||
         std::ranges::any_of(kPrivate, [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool is_routed_unicast(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_loopback() && !address.is_link_local() && !address.is_multicast() &&
         !address.is_broadcast();
}

IpAddress address_after(const IpAddress& address, std::uint32_t steps) {
  std::array<std::byte, 16> octets = address.mapped_octets();
  ByteWriter(std::span(octets).last<4>()).u32(last_32_bits(address) + steps);
  return IpAddress::from_v6(octets);
}

bool is_forwardable_group(const IpAddress& group) {
  return group.is_multicast() && !is_link_scope_multicast(group) && !is_reserved_ssm_group(group);
}

}  // namespace amt
