#pragma once
/// What is subscribed to: (S,G) or (*,G).

#include <compare>
#include <cstddef>
#include <optional>
#include <string>

#include "amt/ip_address.hh"

namespace amt {

/// A multicast channel. Without a source: any source, (*,G).
struct Channel {
  std::optional<IpAddress> source;
  IpAddress group;

  /// `198.51.100.10@232.1.1.1`, or the group alone.
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Channel&, const Channel&) = default;
};

[[nodiscard]] std::size_t hash_value(const Channel& channel);

}  // namespace amt
