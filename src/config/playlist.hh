#pragma once
/// Lists of channels as players have them: M3U, and XSPF.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hh"

namespace amt {

struct PlaylistEntry {
  std::string name{};
  /// `tvg-id`, `tvg-logo`, `group-title` and other text before the name, unchanged.
  std::string attributes{};
  /// A channel that can be served, or any other URL.
  std::variant<ChannelUrl, std::string> url{};
  /// An rtp:// entry.
  bool is_rtp = false;

  [[nodiscard]] const ChannelUrl* channel() const { return std::get_if<ChannelUrl>(&url); }
  /// The value of `wanted="..."` among the attributes; empty: there is none.
  [[nodiscard]] std::string_view attribute(std::string_view wanted) const;
  /// `SOURCE@GROUP:PORT` of a channel; else empty.
  [[nodiscard]] std::string path() const;
};

/// Where the channels of a list are served.
struct ListBase {
  std::string url{};    ///< "http://127.0.0.1:4022"
  std::string query{};  ///< behind each channel, without `?`; empty: none
};

/// An M3U file, with or without `#EXTM3U` and `#EXTINF`, of either line end, with a byte order mark or without.
struct Playlist {
  static constexpr std::size_t kEntriesMax = 10'000;
  static constexpr std::size_t kLineOctetsMax = 4096;
  static constexpr std::size_t kProblemsMax = 100;

  std::vector<PlaylistEntry> entries{};
  /// What stood behind `#EXTM3U`: `url-tvg="..."`, for example.
  std::string attributes{};
  /// Lines that are neither a URL nor a comment: too long, or a channel that cannot be joined. "line 7: why".
  std::vector<std::string> problems{};

  static Playlist parse(std::string_view text);
  /// The channels as HTTP URLs; other URLs stay. In names commas become semicolons: Kodi and Jellyfin take what follows
  /// the last comma for the name.
  [[nodiscard]] std::string text(const ListBase& base) const;
  /// The same as XSPF 1 (https://www.xspf.org/spec).
  [[nodiscard]] std::string xspf(const ListBase& base) const;
};

}  // namespace amt
