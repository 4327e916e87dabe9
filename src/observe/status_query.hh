#pragma once
/// The requested parts of a status, from the query of `/status.json?`.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "ip/address.hh"

namespace amt {

/// The most rows of a sorted list; a longer one is sent as it stands in the tables.
inline constexpr std::size_t kSortedRowsMax = 10'000;

/// Numbers are sorted with the greatest first, addresses ascending. Not every list has every key.
enum class SortKey : std::uint8_t { kAddress, kPackets, kBytes, kGroups, kTunnels, kSince, kHeard, kExpires, kIdle };
inline constexpr std::string_view kSortKeyNames[] = {"address", "packets", "bytes",   "groups", "tunnels",
                                                     "since",   "heard",   "expires", "idle"};

struct StatusQuery {
  /// Which lists, `tunnels=0` or `list=channels`. Without `counters` neither workers nor upstreams are listed.
  bool counters = true;
  bool tunnels = true;
  bool channels = true;
  bool memberships = true;
  /// None: as they stand in the tables. With `top` alone: by octets.
  std::optional<SortKey> sort{};
  std::size_t top = kSortedRowsMax;
  /// Of a sorted list, this many rows are left out before the `top`.
  std::size_t offset = 0;
  /// Only tunnels with a greater endpoint. Tunnels are sorted by endpoint then, as with `limit`, which sets `top`.
  std::optional<Endpoint> after{};
  bool paged = false;
  /// Tunnels that want a group in it; channels and memberships whose group is in it.
  std::optional<Prefix> group{};
  /// Tunnels whose gateway is in it; channels whose source is; memberships that name such a source.
  std::optional<Prefix> address{};

  /// How many rows of a sorted list have to be kept.
  [[nodiscard]] std::size_t rows_to_sort() const { return std::min(offset + top, kSortedRowsMax); }

  /// `text`: the text after the `?`, percent-encoded or not. Error: which parameter is wrong, and how it is right.
  static Result<StatusQuery, std::string> parse(std::string_view text);
};

}  // namespace amt
