#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace amt {

/// Packets that `amt receive --stats json` says it received. Nothing when `json` is not such an object.
[[nodiscard]] std::optional<std::uint64_t> parse_packets_received(std::string_view json);

}  // namespace amt
