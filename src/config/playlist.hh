#pragma once
/// Lists of channels as players have them: M3U.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hh"

namespace amt {

struct PlaylistEntry {
  std::string name{};
  /// `tvg-id`, `tvg-logo`, `group-title` and what else stood before the name, as it stood.
  std::string attributes{};
  /// A channel that can be served, or any other URL.
  std::variant<ChannelUrl, std::string> url{};

  [[nodiscard]] const ChannelUrl* channel() const { return std::get_if<ChannelUrl>(&url); }
};

/// An M3U file, with or without `#EXTM3U` and `#EXTINF`, of either line end, with a byte order mark or without.
struct Playlist {
  static constexpr std::size_t kEntriesMax = 10'000;
  static constexpr std::size_t kLineOctetsMax = 4096;

  std::vector<PlaylistEntry> entries{};
  /// Lines that are neither a URL nor a comment: too long, or a channel that nobody can ask for. "line 7: why".
  std::vector<std::string> problems{};

  static Playlist parse(std::string_view text);
  /// With the channels under `base`, "http://127.0.0.1:4022"; other URLs stay.
  [[nodiscard]] std::string text(std::string_view base) const;
};

}  // namespace amt
