#pragma once
/// Prefixes and the classes of multicast addresses that membership and forwarding distinguish.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/ip_address.hh"

namespace amt {

/// An address and a length. `length` counts bits of the address's own family (0..32 or 0..128).
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  /// `ADDR/LENGTH`; without `/LENGTH` the whole address. Host bits are kept as written.
  static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& other) const;
  [[nodiscard]] std::string to_string() const;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.address, self.length);
    if constexpr (Io::kReads) {
      if (self.length > 8 * self.address.bytes().size()) io.fail();
    }
  }

  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;
};

/// The subnet's own address: all host bits 0.
[[nodiscard]] IpAddress base_address(const Prefix& subnet);

/// Another host's address in the subnet: the next one, or the one before at the end. Nothing when there is no room for
/// two (/32, /128), or when `address` is the subnet's own or (IPv4) its broadcast address.
[[nodiscard]] std::optional<IpAddress> neighbour_in(const Prefix& prefix);

/// Node- or link-scope groups, which are never reported and never cross a tunnel (I-o, H-f):
/// 224.0.0.0/24, ff00::/16, ff01::/16 and ff02::/16 with any flags (ffx0, ffx1, ffx2).
[[nodiscard]] bool is_link_scope_multicast(const IpAddress& group);

/// Source-specific groups (RFC 4607 §1, RFC 4604): 232.0.0.0/8 and ff3x::/32 by default (S-a).
class SsmRange {
 public:
  SsmRange();
  explicit SsmRange(std::vector<Prefix> prefixes);
  [[nodiscard]] bool contains(const IpAddress& group) const;

 private:
  std::vector<Prefix> prefixes_;
};

/// Reserved, never a destination: 232.0.0.0, ff3x::4000:0000, ff3x::0 (S-f). Other than RFC 4607 §1 wants, ff3x::1 to
/// ff3x::3fff:ffff are not: they are in use.
[[nodiscard]] bool is_reserved_ssm_group(const IpAddress& group);

/// Loopback, link-local, and prefixes that are never routed on the Internet: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16
/// (RFC 1918), 100.64.0.0/10 (RFC 6598), fc00::/7 (RFC 4193).
[[nodiscard]] bool is_private(const IpAddress& address);

/// Unicast that a router forwards: neither unspecified, loopback, link-local, multicast nor broadcast.
[[nodiscard]] bool is_routed_unicast(const IpAddress& address);

/// The group `steps` after this one; wraps around within the last 32 bits.
[[nodiscard]] IpAddress address_after(const IpAddress& address, std::uint32_t steps);

/// A group that may be reported and forwarded: multicast, above link scope, not reserved.
[[nodiscard]] bool is_forwardable_group(const IpAddress& group);

}  // namespace amt
