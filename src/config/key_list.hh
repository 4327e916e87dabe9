#pragma once
/// A `--secret-file` with several keys: those that the relays of a fleet share, each with the time from which it signs.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/result.hh"

namespace amt {

/// The first line of such a file. Any other file is one key as a whole.
inline constexpr std::string_view kKeyListHeader = "# amt keys";
inline constexpr std::size_t kKeyListMax = 8;
inline constexpr std::size_t kKeyOctetsMin = 16;

/// `ID NOT-BEFORE KEY`: a name for logs, the time from which the key signs, and any text without spaces.
struct KeyLine {
  std::string_view id;
  /// Seconds since 1970; nothing (`-` in the file): from ever.
  std::optional<std::chrono::sys_seconds> signs_from;
  std::string_view key;
};

[[nodiscard]] bool is_key_list(std::string_view text);
/// Views into `text`. Lines that are empty or begin with `#` say nothing. Error: `line 3: ...`; never any of a key.
[[nodiscard]] Result<std::vector<KeyLine>, std::string> parse_key_list(std::string_view text);
/// `2026-03-01T00:00:00Z`: RFC 3339, UTC, whole seconds.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_utc_time(std::string_view text);

}  // namespace amt
