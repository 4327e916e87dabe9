#include "observe/status_query.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/printable.hh"

namespace amt {
namespace {

constexpr std::size_t kShownOctetsMax = 80;

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// RFC 3986 §2.1. Text that is no code stays as it is, and is no valid value.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::optional<int> high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const std::optional<int> low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (low) i += 2;
    out += low ? static_cast<char>(*high * 16 + *low) : text[i];
  }
  return out;
}

std::optional<bool> parse_switch(std::string_view value) {
  if (value == "0") return false;
  if (value == "1") return true;
  return std::nullopt;
}

/// `min` to `kSortedRowsMax`.
std::optional<std::size_t> parse_number(std::string_view value, std::size_t min) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  if (number < min || number > kSortedRowsMax) return std::nullopt;
  return number;
}

std::optional<SortKey> parse_key(std::string_view value) {
  const auto* const found = std::ranges::find(kSortKeyNames, value);
  if (found == std::end(kSortKeyNames)) return std::nullopt;
  return static_cast<SortKey>(found - std::begin(kSortKeyNames));
}

/// Nothing: it is well.
using Problem = std::optional<std::string>;

template <typename T>
Problem take(const std::optional<T>& parsed, T& into, std::string_view expected) {
  if (!parsed) return std::string(expected);
  into = *parsed;
  return std::nullopt;
}
template <typename T>
Problem take(const std::optional<T>& parsed, std::optional<T>& into, std::string_view expected) {
  if (!parsed) return std::string(expected);
  into = parsed;
  return std::nullopt;
}

Problem select_list(StatusQuery& query, std::string_view name) {
  query.counters = name == "counters";
  query.tunnels = name == "tunnels";
  query.channels = name == "channels";
  query.memberships = name == "memberships";
  if (query.counters || query.tunnels || query.channels || query.memberships) return std::nullopt;
  return "tunnels, channels, counters or memberships";
}

Problem apply(StatusQuery& query, std::string_view name, const std::string& value) {
  constexpr std::string_view kSwitch = "0 or 1";
  constexpr std::string_view kPrefix = "an address or ADDRESS/LENGTH";
  const std::string rows = fmt::format("a number from 1 to {}", kSortedRowsMax);
  if (name == "counters") return take(parse_switch(value), query.counters, kSwitch);
  if (name == "tunnels") return take(parse_switch(value), query.tunnels, kSwitch);
  if (name == "channels") return take(parse_switch(value), query.channels, kSwitch);
  if (name == "memberships") return take(parse_switch(value), query.memberships, kSwitch);
  if (name == "list") return select_list(query, value);
  if (name == "group") return take(Prefix::parse(value), query.group, kPrefix);
  if (name == "address") return take(Prefix::parse(value), query.address, kPrefix);
  if (name == "sort") {
    return take(parse_key(value), query.sort, fmt::format("one of {}", fmt::join(kSortKeyNames, ", ")));
  }
  if (name == "top" || name == "limit") {
    query.paged |= name == "limit";
    if (name == "top" && !query.sort) query.sort = SortKey::kBytes;
    return take(parse_number(value, 1), query.top, rows);
  }
  if (name == "offset") {
    return take(parse_number(value, 0), query.offset, fmt::format("a number from 0 to {}", kSortedRowsMax));
  }
  if (name == "after") {
    query.paged = true;
    return take(Endpoint::parse(value, 0), query.after, "ADDRESS:PORT or [ADDRESS]:PORT");
  }
  return "not known; there are list, counters, tunnels, channels, memberships, group, address, sort, top, offset, "
         "limit, after";
}

}  // namespace

Result<StatusQuery, std::string> StatusQuery::parse(std::string_view text) {
  StatusQuery query;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    if (one.empty()) continue;
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string name = decoded(one.substr(0, equals));
    const std::string value = decoded(one.substr(std::min(equals + 1, one.size())));
    if (const Problem problem = apply(query, name, value)) {
      return Unexpected<std::string>(
          fmt::format("{}: {}", printable(name + (value.empty() ? "" : "=" + value), kShownOctetsMax), *problem));
    }
  }
  if (query.paged && query.sort)
    return Unexpected<std::string>("limit and after: go by the endpoint, without sort and top");
  if (query.offset != 0 && !query.sort) return Unexpected<std::string>("offset: goes with sort or top");
  return query;
}

}  // namespace amt
