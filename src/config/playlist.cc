#include "config/playlist.hh"

#include <algorithm>
#include <utility>

#include "base/printable.hh"
#include "config/channel_path.hh"
#include "config/values.hh"

namespace amt {
namespace {

constexpr std::string_view kHeader = "#EXTM3U";
constexpr std::string_view kInfo = "#EXTINF:";
constexpr std::string_view kGroup = "#EXTGRP:";
constexpr std::string_view kGroupTitle = "group-title";

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

/// `-1 tvg-id="a, b" group-title="News",The name`: the comma that ends the attributes is outside of quotation marks. A
/// mark that is not closed ends before the last comma.
void take_info(std::string_view info, PlaylistEntry& entry) {
  info = trimmed(info);
  info.remove_prefix(std::min(info.find_first_of(" \t,"), info.size()));  // the duration
  bool is_quoted = false;
  std::size_t comma = std::string_view::npos;
  for (std::size_t at = 0; at < info.size() && comma == std::string_view::npos; ++at) {
    if (info[at] == '"') is_quoted = !is_quoted;
    if (info[at] == ',' && !is_quoted) comma = at;
  }
  if (comma == std::string_view::npos) comma = std::min(info.rfind(','), info.size());
  entry.name = trimmed(info.substr(std::min(comma + 1, info.size())));
  entry.attributes = trimmed(info.substr(0, comma));
  if (std::ranges::count(entry.attributes, '"') % 2 != 0) entry.attributes += '"';
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

/// Some readers take them for the end of a line.
bool is_control(char c) {
  constexpr unsigned char kFirstPrintable = 0x20;
  return (static_cast<unsigned char>(c) < kFirstPrintable && c != '\t') || c == 0x7f;
}

/// Without what would end the attribute.
std::string attribute_value(std::string_view text) {
  std::string value(text);
  std::ranges::replace(value, '"', '\'');
  return value;
}

/// Goes through the lines of a list.
class ListReader {
 public:
  void take(std::string_view line) {
    ++number_;
    if (line.size() > Playlist::kLineOctetsMax) {
      complain("too long");
    } else if (std::ranges::any_of(line, is_control)) {
      complain("control characters");
    } else if (line.starts_with(kInfo)) {
      take_info(line.substr(kInfo.size()), next_);
    } else if (line.starts_with(kGroup)) {
      take_group(trimmed(line.substr(kGroup.size())));
    } else if (line.starts_with(kHeader) && list_.entries.empty()) {
      list_.attributes = trimmed(line.substr(kHeader.size()));
    } else if (!line.empty() && !line.starts_with('#')) {
      take_url(line);
    }
  }
  [[nodiscard]] bool is_full() const { return list_.entries.size() >= Playlist::kEntriesMax; }
  Playlist finish() { return std::move(list_); }

 private:
  void complain(std::string_view why) {
    if (list_.problems.size() >= Playlist::kProblemsMax) return;
    list_.problems.push_back("line " + std::to_string(number_) + ": " + std::string(why));
  }

  /// VLC and Kodi have groups in a line of their own, too.
  void take_group(std::string_view group) {
    if (group.empty() || !next_.attribute(kGroupTitle).empty()) return;
    next_.attributes +=
        (next_.attributes.empty() ? "" : " ") + std::string(kGroupTitle) + "=\"" + attribute_value(group) + "\"";
  }

  void take_url(std::string_view line) {
    PlaylistEntry entry = std::exchange(next_, {});
    entry.is_rtp = starts_with_scheme(line, "rtp://");
    const bool is_channel = entry.is_rtp || starts_with_scheme(line, "amt://") || starts_with_scheme(line, "udp://");
    entry.url = std::string(line);
    if (is_channel) {
      ValueResult<ChannelUrl> channel = channel_of(line);
      if (!channel) return complain(printable(line) + ": " + channel.error().problem);
      entry.url = std::move(*channel);
    }
    list_.entries.push_back(std::move(entry));
  }

  Playlist list_;
  PlaylistEntry next_;
  std::size_t number_ = 0;
};

/// Where players find an entry.
std::string location(const PlaylistEntry& entry, const ListBase& base) {
  if (entry.channel() == nullptr) return std::get<std::string>(entry.url);
  return base.url + "/amt/" + entry.path() + (base.query.empty() ? "" : "?" + base.query);
}

/// XML 1.0 §2.2 and §2.4: markup is escaped, and control characters may not stand there at all.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr unsigned char kFirstPrintable = 0x20;
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < kFirstPrintable ? ' ' : c;
        break;
    }
  }
  return out;
}

}  // namespace

std::string_view PlaylistEntry::attribute(std::string_view wanted) const {
  const std::string begin = std::string(wanted) + "=\"";
  for (std::size_t at = attributes.find(begin); at != std::string::npos; at = attributes.find(begin, at + 1)) {
    // Not the end of a longer name.
    if (at != 0 && attributes[at - 1] != ' ') continue;
    const std::string_view rest = std::string_view(attributes).substr(at + begin.size());
    return rest.substr(0, rest.find('"'));
  }
  return {};
}

std::string PlaylistEntry::path() const {
  const ChannelUrl* const url_of_channel = channel();
  return url_of_channel != nullptr ? channel_path(url_of_channel->channel, *url_of_channel->port) : std::string();
}

Playlist Playlist::parse(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  ListReader reader;
  while (!text.empty() && !reader.is_full()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.take(trimmed(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

std::string Playlist::text(const ListBase& base) const {
  std::string out = std::string(kHeader) + (attributes.empty() ? "" : " " + attributes) + "\n";
  for (const PlaylistEntry& entry : entries) {
    std::string name = entry.name.empty() ? entry.path() : entry.name;
    std::ranges::replace(name, ',', ';');
    out += std::string(kInfo) + "-1" + (entry.attributes.empty() ? "" : " " + entry.attributes) + "," + name + "\n" +
           location(entry, base) + "\n";
  }
  return out;
}

std::string Playlist::xspf(const ListBase& base) const {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\">\n<trackList>\n";
  for (const PlaylistEntry& entry : entries) {
    out += "<track><location>" + xml(location(entry, base)) + "</location><title>" +
           xml(printable(entry.name.empty() ? entry.path() : entry.name)) + "</title>";
    if (const std::string_view logo = entry.attribute("tvg-logo"); !logo.empty()) {
      out += "<image>" + xml(logo) + "</image>";
    }
    if (const std::string_view group = entry.attribute(kGroupTitle); !group.empty()) {
      out += "<album>" + xml(printable(group)) + "</album>";
    }
    out += "</track>\n";
  }
  return out + "</trackList>\n</playlist>\n";
}

}  // namespace amt
