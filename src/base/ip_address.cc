#include "amt/ip_address.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hh"

namespace amt {

IpAddress IpAddress::from_bytes(std::span<const std::byte> octets) {
  AMT_ASSERT(octets.size() == 4 || octets.size() == 16);
  if (octets.size() == 4) {
    std::array<std::byte, 4> v4{};
    std::copy(octets.begin(), octets.end(), v4.begin());
    return from_v4(v4);
  }
  std::array<std::byte, 16> v6{};
  std::copy(octets.begin(), octets.end(), v6.begin());
  return from_v6(v6);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> literal{};
  if (text.empty() || text.size() >= literal.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), literal.begin());
  std::array<std::byte, 16> octets{};
  if (inet_pton(AF_INET, literal.data(), octets.data()) == 1) return from_bytes(std::span(octets).first(4));
  if (inet_pton(AF_INET6, literal.data(), octets.data()) == 1) return from_bytes(octets);
  return std::nullopt;
}

bool IpAddress::is_unspecified() const { return *this == unspecified(family()); }

bool IpAddress::is_loopback() const {
  if (is_v4()) return octets_[12] == std::byte{127};
  IpAddress loopback;
  loopback.octets_[15] = std::byte{1};
  return *this == loopback;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (octets_[12] & std::byte{0xf0}) == std::byte{0xe0} : octets_[0] == std::byte{0xff};
}

bool IpAddress::is_broadcast() const { return *this == from_v4(0xffffffffU); }

bool IpAddress::is_link_local() const {
  if (is_v4()) return octets_[12] == std::byte{169} && octets_[13] == std::byte{254};
  return octets_[0] == std::byte{0xfe} && (octets_[1] & std::byte{0xc0}) == std::byte{0x80};
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::span<const std::byte> octets = bytes();
  const char* const result = inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text.data(),
                                       static_cast<socklen_t>(text.size()));
  AMT_ASSERT(result != nullptr);
  return text.data();
}

std::size_t hash_value(const IpAddress& address) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, address.mapped_octets().data(), sizeof high);
  std::memcpy(&low, address.mapped_octets().data() + 8, sizeof low);
  std::uint64_t z = (high * 0x9e3779b97f4a7c15U) ^ low;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93U;
  return static_cast<std::size_t>(z ^ (z >> 32));
}

}  // namespace amt
