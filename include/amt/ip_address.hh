#pragma once
/// IPv4 and IPv6 addresses as one value type.

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace amt {

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

/// One IPv4 or IPv6 address, 16 octets, trivially copyable.
///
/// IPv4 is held IPv4-mapped (::ffff:a.b.c.d). So an IPv4 peer that a dual-stack socket shows as mapped
/// *is* that IPv4 peer, and there is no third family to normalise away (CONFORMANCE X-4.4-b).
/// Default: the unspecified IPv6 address `::`.
class IpAddress {
 public:
  constexpr IpAddress() = default;

  /// The four octets of an IPv4 address in network order.
  static constexpr IpAddress from_v4(std::array<std::byte, 4> octets) {
    IpAddress address;
    address.octets_[10] = address.octets_[11] = std::byte{0xff};
    for (std::size_t i = 0; i < 4; ++i) address.octets_[12 + i] = octets[i];
    return address;
  }
  /// `a.b.c.d` as the number 0xaabbccdd.
  static constexpr IpAddress from_v4(std::uint32_t host_order) {
    return from_v4({static_cast<std::byte>(host_order >> 24), static_cast<std::byte>(host_order >> 16 & 0xff),
                    static_cast<std::byte>(host_order >> 8 & 0xff), static_cast<std::byte>(host_order & 0xff)});
  }
  /// The sixteen octets of an IPv6 address in network order; a mapped one becomes IPv4.
  static constexpr IpAddress from_v6(std::array<std::byte, 16> octets) {
    IpAddress address;
    address.octets_ = octets;
    return address;
  }
  /// 4 octets: IPv4; 16: IPv6. Any other length is a caller's bug.
  static IpAddress from_bytes(std::span<const std::byte> octets);

  /// A literal as inet_pton(3) takes it, without brackets, zone or port.
  static std::optional<IpAddress> parse(std::string_view text);

  /// 0.0.0.0 or ::.
  static constexpr IpAddress unspecified(Family family) {
    return family == Family::kIpv4 ? from_v4(std::uint32_t{0}) : IpAddress{};
  }

  [[nodiscard]] constexpr bool is_v4() const {
    const Words prefix = from_v4(std::uint32_t{0}).words();
    const Words host = from_v4(std::uint32_t{0xffffffff}).words();
    return words()[0] == 0 && (words()[1] & ~(prefix[1] ^ host[1])) == prefix[1];
  }
  [[nodiscard]] constexpr Family family() const { return is_v4() ? Family::kIpv4 : Family::kIpv6; }

  /// Network order: 4 octets for IPv4, 16 for IPv6.
  [[nodiscard]] constexpr std::span<const std::byte> bytes() const {
    return is_v4() ? std::span<const std::byte>(octets_).subspan(12) : std::span<const std::byte>(octets_);
  }
  /// Always 16 octets; IPv4 in mapped form.
  [[nodiscard]] constexpr const std::array<std::byte, 16>& mapped_octets() const { return octets_; }

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  /// 224.0.0.0/4 or ff00::/8.
  [[nodiscard]] bool is_multicast() const;
  /// 255.255.255.255.
  [[nodiscard]] bool is_broadcast() const;
  /// fe80::/10 or 169.254.0.0/16.
  [[nodiscard]] bool is_link_local() const;

  /// RFC 5952 for IPv6, dotted quad for IPv4.
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) { return a.words() == b.words(); }

 private:
  /// As they stand in memory: compared at once, where the compiler would go octet by octet. Addresses are compared for
  /// every packet.
  using Words = std::array<std::uint64_t, 2>;
  [[nodiscard]] constexpr Words words() const { return std::bit_cast<Words>(octets_); }

  std::array<std::byte, 16> octets_{};
};

/// Spreads addresses over a table; not secret. Do not use it where an outsider chooses the keys
/// and the table has chains: there, key the hash.
[[nodiscard]] std::size_t hash_value(const IpAddress& address);

}  // namespace amt
