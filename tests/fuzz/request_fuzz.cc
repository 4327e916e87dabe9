/// What strangers send to `amt serve`: the target of a request, its Host field, tokens, and lists of channels.
///
/// The first octet says which; the rest is the text.

#include <algorithm>
#include <string>

#include "config/channel_path.hh"
#include "config/local_url.hh"
#include "config/playlist.hh"
#include "fuzz_target.hh"
#include "observe/access_token.hh"
#include "observe/http_message.hh"

namespace amt {
namespace {

/// RFC 9112 §3.2, and what `amt serve` makes of the path. No path leads to a file: a channel is all that comes out.
void check_target(std::string_view text) {
  const std::optional<HttpTarget> target = parse_http_target(text);
  if (!target) return;
  AMT_ASSERT(target->path.starts_with('/') && target->path.find('?') == std::string_view::npos);
  for (const std::string_view folder : {"/amt/", "/udp/", "/rtp/", "/hls/"}) {
    if (!target->path.starts_with(folder)) continue;
    const ValueResult<ChannelPath> path = parse_channel_path(target->path.substr(folder.size()), target->query);
    if (!path) continue;
    AMT_ASSERT(path->url.channel.group.is_multicast() && path->url.port && *path->url.port != 0);
    AMT_ASSERT(path->file.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
    const std::string written = channel_path(path->url.channel, *path->url.port);
    const ValueResult<ChannelPath> again = parse_channel_path(written, "");
    AMT_ASSERT(again && again->url.channel == path->url.channel && again->url.port == path->url.port);
  }
}

void check_host(std::string_view text) {
  static const std::vector<std::string> kNames = {"tv.example"};
  // A name of somebody else is never taken for this server (DNS rebinding).
  const bool is_allowed = is_http_host_allowed(text, kNames);
  if (is_allowed) AMT_ASSERT(text.find_first_of(" /@?#") == std::string_view::npos);
  const ValueResult<LocalUrl> url = parse_local_url(text);
  if (!url) return;
  AMT_ASSERT(url->server.address.is_loopback() && url->target.starts_with('/'));
  AMT_ASSERT(url->to_string().find_first_of(" \r\n") == std::string::npos);
}

void check_token(std::string_view text) {
  static const AccessTokens kTokens = *AccessTokens::parse("abcdefghijklmnop");
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::optional<std::string> shown =
      shown_token(text.substr(0, line), text.substr(std::min(line + 1, text.size())));
  if (shown && kTokens.matches(*shown)) AMT_ASSERT(*shown == "abcdefghijklmnop");
}

/// What is written is read again as the same entries, and no entry brings a line or markup of its own.
void check_list(std::string_view text) {
  const Playlist list = Playlist::parse(text);
  AMT_ASSERT(list.entries.size() <= Playlist::kEntriesMax && list.problems.size() <= Playlist::kProblemsMax);
  const std::string written = list.text({.url = "http://h", .query = "token=x"});
  const Playlist again = Playlist::parse(written);
  AMT_ASSERT(again.entries.size() == list.entries.size());
  AMT_ASSERT(again.text({.url = "http://h"}) == written);
  const std::string xspf = list.xspf({.url = "http://h"});
  std::size_t opened = 0;
  for (const char c : xspf) opened += c == '<' ? 1 : 0;
  std::size_t tags = 5;  // <?xml, playlist and trackList, and their ends
  for (const PlaylistEntry& entry : list.entries) {
    tags += 6 + (entry.attribute("tvg-logo").empty() ? 0 : 2) + (entry.attribute("group-title").empty() ? 0 : 2);
  }
  AMT_ASSERT(opened == tags);
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string text(size - 1, '\0');
  for (std::size_t i = 0; i + 1 < size; ++i) text[i] = static_cast<char>(data[i + 1]);
  switch (data[0] & 3U) {
    case 0:
      amt::check_target(text);
      break;
    case 1:
      amt::check_host(text);
      break;
    case 2:
      amt::check_token(text);
      break;
    default:
      amt::check_list(text);
      break;
  }
  return 0;
}
