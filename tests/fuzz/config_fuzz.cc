/// What people type: addresses, endpoints, URLs, numbers, durations. Any text gives a value that is in its range and
/// that means the same when it is written out and read again, or a reason.

#include <algorithm>
#include <string>
#include <string_view>

#include "allocations.hh"
#include "config/channel_path.hh"
#include "config/playlist.hh"
#include "config/values.hh"
#include "fuzz_target.hh"

namespace amt {
namespace {

/// Messages quote what they complain of, in printable form, at most four characters for each octet, copied a few times.
constexpr fuzz::ParserBound kParseBound{4096, 64};

template <typename Parse>
auto parsed(std::string_view text, Parse parse) {
  auto value = fuzz::within(kParseBound, text.size(), [&] { return parse(text); });
  AMT_ASSERT(value || !value.error().problem.empty());
  return value;
}

void check_addresses(std::string_view text) {
  const auto address = parsed(text, parse_address);
  if (address) AMT_ASSERT(parse_address(address->to_string()).value() == *address);
  const auto unicast = parsed(text, parse_unicast_address);
  if (unicast) AMT_ASSERT(address && *address == *unicast && !unicast->is_multicast() && !unicast->is_unspecified());
  const auto endpoint = parsed(text, parse_unicast_endpoint);
  if (endpoint && endpoint->port != 0) AMT_ASSERT(parse_unicast_endpoint(endpoint->to_string()).value() == *endpoint);
  const auto group = parsed(text, parse_group_endpoint);
  if (group) AMT_ASSERT(group->address.is_multicast() && parse_group_endpoint(group->to_string()).value() == *group);
  const auto prefix = parsed(text, parse_multicast_prefix);
  if (prefix) AMT_ASSERT(parse_multicast_prefix(prefix->to_string()).has_value());
  const auto relay = parsed(text, parse_relay_host);
  if (relay && relay->port != 0) AMT_ASSERT(parse_relay_host(relay->to_string()).value() == *relay);
}

void check_numbers(std::string_view text) {
  const auto number = parsed(text, [](std::string_view digits) { return parse_number(digits, 3, 70000); });
  if (number) AMT_ASSERT(*number >= 3 && *number <= 70000);
  const auto duration = parsed(text, parse_duration);
  if (duration) AMT_ASSERT(*duration > Duration::zero() && *duration <= std::chrono::hours(24 * 366));
  const auto rate = parsed(text, parse_bit_rate);
  if (rate) AMT_ASSERT(*rate > 0);
}

void check_names(std::string_view text) {
  const auto interface = parsed(text, parse_interface_name);
  if (interface) AMT_ASSERT(*interface == text && text.size() <= 15 && text.find('/') == std::string_view::npos);
  const auto url = parsed(text, parse_channel_url);
  if (url) AMT_ASSERT(url->channel.group.is_multicast());
  (void)parsed(text, parse_receive_output);
  (void)parsed(text, parse_path);
  (void)parsed(text, parse_log_level);
  (void)parsed(text, parse_gateway_fields);
  (void)parsed(text, parse_stats_format);
}

/// The path of an HTTP request, with its query, and an M3U file.
void check_paths(std::string_view text) {
  const std::size_t mark = std::min(text.find('?'), text.size());
  const auto path = parsed(text.substr(0, mark), [&](std::string_view one) {
    return parse_channel_path(one, text.substr(std::min(mark + 1, text.size())));
  });
  if (path) {
    const std::string written = channel_path(path->url.channel, *path->url.port);
    const auto again = parse_channel_path(written, "");
    AMT_ASSERT(again && again->url.channel == path->url.channel && again->url.port == path->url.port);
  }
  const Playlist list = Playlist::parse(text);
  const Playlist again = Playlist::parse(list.text({.url = "http://h"}));
  AMT_ASSERT(list.entries.size() == again.entries.size());
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(data[i]);
  amt::check_addresses(text);
  amt::check_numbers(text);
  amt::check_names(text);
  amt::check_paths(text);
  return 0;
}
