#pragma once
/// DNS names as octets and as text.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "amt/ip_address.hh"
#include "base/byte_reader.hh"

namespace amt {

/// A whole domain name, root label included; compares without regard to the case of ASCII letters (RFC 4343).
class DomainName {
 public:
  static constexpr std::size_t kWireOctetsMax = 255;  ///< RFC 1035 §3.1
  static constexpr std::size_t kLabelOctetsMax = 63;

  /// The root.
  DomainName() : DomainName(std::string(1, '\0')) {}
  /// Exactly one uncompressed name and nothing after it. None: truncated, compressed, too long, or octets left over.
  static std::optional<DomainName> from_wire(Bytes octets);
  /// `relays.example.com`, a dot at the end or not; `\.` and `\DDD` as in RFC 1035 §5.1. `.` is the root.
  static std::optional<DomainName> parse(std::string_view text);
  /// `_amt._udp` and `example.net` make `_amt._udp.example.net`. None: too long.
  static std::optional<DomainName> join(const DomainName& prefix, const DomainName& domain);
  /// The name under which records about an address stand: 10.95.25.69.in-addr.arpa. (RFC 1035 §3.5) or 32 nibbles under
  /// ip6.arpa. (RFC 3596 §2.5).
  static DomainName reverse_of(const IpAddress& address);

  [[nodiscard]] Bytes wire() const;
  /// Fully qualified, with the dot at the end.
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const DomainName& a, const DomainName& b) { return a.folded_ <=> b.folded_; }
  friend bool operator==(const DomainName& a, const DomainName& b) { return a.folded_ == b.folded_; }

 private:
  explicit DomainName(std::string wire);

  std::string wire_;
  /// The same with capitals made small.
  std::string folded_;
};

}  // namespace amt
