#include "config/playlist.hh"

#include <algorithm>

#include "config/channel_path.hh"
#include "config/values.hh"

namespace amt {
namespace {

constexpr std::string_view kInfo = "#EXTINF:";

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  if (text.size() < scheme.size()) return false;
  for (std::size_t at = 0; at < scheme.size(); ++at) {
    const char c = text[at];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[at]) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// `-1 tvg-id="a, b" group-title="News",The name`: the comma that ends the attributes is outside of quotation marks.
void take_info(std::string_view info, PlaylistEntry& entry) {
  bool is_quoted = false;
  std::size_t comma = info.size();
  for (std::size_t at = 0; at < info.size(); ++at) {
    if (info[at] == '"') is_quoted = !is_quoted;
    if (info[at] == ',' && !is_quoted) {
      comma = at;
      break;
    }
  }
  entry.name = trimmed(info.substr(std::min(comma + 1, info.size())));
  const std::string_view before = trimmed(info.substr(0, comma));
  const std::size_t space = before.find_first_of(" \t");  // behind the duration
  entry.attributes = space == std::string_view::npos ? std::string_view() : trimmed(before.substr(space));
}

/// `udp://@239.1.1.1:5000` is VLC's form. Players' own options behind a bar, and a query that is not ours, are left
/// out.
ValueResult<ChannelUrl> channel_of(std::string_view url) {
  url = url.substr(0, url.find('|'));
  if (!starts_with_scheme(url, "amt://")) {
    url.remove_prefix(std::string_view("udp://").size());
    url = url.substr(0, url.find('?'));
  }
  ValueResult<ChannelUrl> channel = parse_channel_url(url);
  if (channel && !channel->port) return Unexpected<BadValue>(BadValue{"the UDP port is missing"});
  return channel;
}

}  // namespace

Playlist Playlist::parse(std::string_view text) {
  Playlist list;
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  PlaylistEntry next;
  for (std::size_t number = 1; !text.empty() && list.entries.size() < kEntriesMax; ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto complain = [&](std::string_view why) {
      list.problems.push_back("line " + std::to_string(number) + ": " + std::string(why));
    };
    if (line.size() > kLineOctetsMax) {
      complain("too long");
    } else if (line.starts_with(kInfo)) {
      take_info(line.substr(kInfo.size()), next);
    } else if (!line.empty() && !line.starts_with('#')) {
      next.url = std::string(line);
      bool is_good = true;
      if (starts_with_scheme(line, "amt://") || starts_with_scheme(line, "udp://") ||
          starts_with_scheme(line, "rtp://")) {
        ValueResult<ChannelUrl> channel = channel_of(line);
        is_good = channel.has_value();
        if (channel) {
          next.url = std::move(*channel);
        } else {
          complain(std::string(line) + ": " + channel.error().problem);
        }
      }
      if (is_good) list.entries.push_back(std::move(next));
      next = {};
    }
  }
  return list;
}

std::string Playlist::text(std::string_view base) const {
  std::string out = "#EXTM3U\n";
  for (const PlaylistEntry& entry : entries) {
    const ChannelUrl* const channel = entry.channel();
    const std::string path = channel != nullptr ? channel_path(channel->channel, *channel->port) : std::string();
    out += std::string(kInfo) + "-1" + (entry.attributes.empty() ? "" : " " + entry.attributes) + "," +
           (entry.name.empty() ? path : entry.name) + "\n";
    out += channel != nullptr ? std::string(base) + "/amt/" + path : std::get<std::string>(entry.url);
    out += "\n";
  }
  return out;
}

}  // namespace amt
