#pragma once
/// Destination address selection (RFC 6724 §6), as far as it concerns addresses that a host may send UDP to.

#include <compare>
#include <optional>

#include "amt/ip_address.hh"

namespace amt {

/// A destination with the source address that the host's routing gives it; none: there is no way to it.
struct Destination {
  IpAddress address;
  std::optional<IpAddress> source;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.address, self.source);
  }
};

/// `less`: `a` is to be tried before `b`. Rules 1, 2, 5, 6, 8 and 9 with the default policy table of §2.1; rules 3, 4
/// and 7 need properties of the host's addresses (deprecated, home, encapsulated) and are left out. `equivalent`: RFC
/// 6724 has no opinion.
[[nodiscard]] std::weak_ordering compare_destinations(const Destination& a, const Destination& b);

}  // namespace amt
