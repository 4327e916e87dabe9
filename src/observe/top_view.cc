#include "observe/top_view.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <functional>
#include <utility>

#include "ip/address.hh"
#include "observe/json_fields.hh"

namespace amt {
namespace {

using namespace json_fields;

constexpr std::array<std::string_view, 4> kChannelKeys = {"tunnels", "bytes", "packets", "address"};
constexpr std::array<std::string_view, 6> kTunnelKeys = {"bytes", "packets", "groups", "since", "heard", "address"};
constexpr std::array<std::string_view, 4> kMembershipKeys = {"bytes", "packets", "idle", "address"};
/// Title, parts, trouble, filter, heads; and the keys at the end.
constexpr std::size_t kLinesAround = 6;
constexpr std::size_t kNumberWidth = 13;

std::optional<json::object> parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string_view key_of(bool is_relay, const TopChoice& choice) {
  if (!is_relay) return kMembershipKeys.at(choice.sort % kMembershipKeys.size());
  return choice.list == TopChoice::List::kChannels ? kChannelKeys.at(choice.sort % kChannelKeys.size())
                                                   : kTunnelKeys.at(choice.sort % kTunnelKeys.size());
}

/// In columns of a terminal: each octet is one, since everything shown is printable ASCII.
std::string fitted(std::string text, std::size_t width) {
  if (text.size() > width) text.resize(width);
  return text;
}

std::string rate_text(std::optional<double> per_second) {
  return per_second ? bit_rate_text(*per_second * 8) : std::string("-");
}

std::string channel_name(const json::object& object) {
  const std::string source = text(object, "source");
  return source.empty() ? text(object, "group") : source + "@" + text(object, "group");
}

std::string membership_name(const json::object& object) {
  const json::array& sources = list(object, "sources");
  const json::string* const only = sources.size() == 1 ? sources[0].if_string() : nullptr;
  if (only != nullptr && text(object, "mode") == "include")
    return printable({only->data(), only->size()}) + "@" + text(object, "group");
  return text(object, "group");
}

}  // namespace

std::string bit_rate_text(double bits_per_second) {
  constexpr std::array<std::string_view, 5> kUnits = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  std::size_t unit = 0;
  while (bits_per_second >= 1000 && unit + 1 < kUnits.size()) {
    bits_per_second /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bits_per_second, unit > 0 && bits_per_second < 100 ? 1 : 0, kUnits.at(unit));
}

std::string duration_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 172800) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86400);
}

std::size_t TopView::rows_of(std::size_t height) { return height > kLinesAround ? height - kLinesAround : 0; }

bool TopView::set_head(Instant now, std::string_view answer) {
  const std::optional<json::object> status = parse(answer);
  if (!status) return false;
  const std::string role = text(*status, "role");
  if (role != "relay" && role != "gateway") return false;
  role_ = role;
  version_ = text(*status, "version");
  uptime_seconds_ = number(*status, "uptime_seconds");
  clients_ = number(*status, "tunnel_count");
  channels_ = number(*status, "channel_count");
  problem_.clear();
  parts_.clear();
  for_each_object(*status, is_relay() ? "upstreams" : "relays", [&](const json::object& part) {
    const std::string state = is_relay() ? (flag(part, "up") ? "up" : "DOWN") : text(part, "state");
    parts_ +=
        fmt::format("{}{} {}", parts_.empty() ? "" : ", ", text(part, is_relay() ? "interface" : "address"), state);
  });
  const json::value* const counters = status->if_contains("counters");
  if (counters == nullptr || !counters->is_object()) return true;
  for (const auto& [key, value] : counters->get_object()) {
    if (!value.is_number()) continue;
    Rate& rate = counters_[printable({key.data(), key.size()})];
    const double total = std::clamp(value.to_number<double>(), 0.0, 1e18);
    const double seconds = std::chrono::duration<double>(now - rate.at).count();
    rate.per_second = rate.at != Instant{} && seconds > 0 && total >= rate.value
                          ? std::optional((total - rate.value) / seconds)
                          : std::nullopt;
    rate.at = now;
    rate.value = total;
  }
  return true;
}

std::string TopView::list_query(const TopChoice& choice, std::size_t rows) const {
  const bool channels = is_relay() && choice.list == TopChoice::List::kChannels;
  std::string query = fmt::format("list={}&sort={}&top={}&offset={}",
                                  !is_relay() ? "memberships"
                                  : channels  ? "channels"
                                              : "tunnels",
                                  key_of(is_relay(), choice), std::max<std::size_t>(rows, 1), choice.offset);
  if (choice.filter.empty()) return query;
  const std::optional<Prefix> prefix = Prefix::parse(choice.filter);
  return query + (prefix && prefix->address.is_multicast() ? "&group=" : "&address=") + choice.filter;
}

std::optional<double> TopView::rate_of(const std::string& name, Instant now, double value) {
  Rate& rate = rates_[name];
  const double seconds = std::chrono::duration<double>(now - rate.at).count();
  const bool is_known = rate.at != Instant{} && seconds > 0 && value >= rate.value;
  rate.per_second = is_known ? std::optional((value - rate.value) / seconds) : std::nullopt;
  rate.at = now;
  rate.value = value;
  return rate.per_second;
}

void TopView::set_list(Instant now, std::string_view answer) {
  rows_.clear();
  const std::optional<json::object> status = parse(answer);
  if (!status) return;
  for_each_object(*status, "channels", [&](const json::object& one) {
    const std::string name = channel_name(one);
    rows_.push_back(
        {name, {text(one, "tunnels"), rate_text(rate_of(name, now, number(one, "bytes"))), text(one, "packets")}});
  });
  for_each_object(*status, "tunnels", [&](const json::object& one) {
    const std::string name = text(one, "endpoint");
    rows_.push_back({name,
                     {std::to_string(list(one, "groups").size()), rate_text(rate_of(name, now, number(one, "bytes"))),
                      duration_text(number(one, "since_seconds")), duration_text(number(one, "heard_seconds"))}});
  });
  for_each_object(*status, "memberships", [&](const json::object& one) {
    const std::string name = membership_name(one);
    const std::string idle = text(one, "idle_seconds");
    constexpr double kSilentSeconds = 10;
    const bool is_silent = idle.empty() || number(one, "idle_seconds") >= kSilentSeconds;
    const std::string comes = idle.empty() ? "nothing yet" : is_silent ? idle + " s ago" : "yes";
    rows_.push_back(
        {name, {comes, rate_text(rate_of(name, now, number(one, "bytes"))), text(one, "packets")}, is_silent});
  });
  // Rows that were not looked at this time have no rate any more.
  std::erase_if(rates_, [now](const auto& one) { return one.second.at != now; });
  matched_ = number(*status, is_relay() ? (status->contains("channels") ? "channels_matched" : "tunnels_matched") : "");
}

std::optional<double> TopView::counter_rate(std::string_view name) const {
  const auto found = counters_.find(std::string(name));
  return found == counters_.end() ? std::nullopt : found->second.per_second;
}

std::string TopView::title() const {
  std::string out = fmt::format("amt {} {}, up {}", role_, version_, duration_text(uptime_seconds_));
  if (is_relay()) out += fmt::format(": {:.0f} gateways, {:.0f} channels", clients_, channels_);
  const std::string in = is_relay() ? "data_bytes_in" : "data_bytes_received";
  const std::string sent = is_relay() ? "data_bytes_sent" : "data_bytes_delivered";
  return out + fmt::format("; in {}, out {}", rate_text(counter_rate(in)), rate_text(counter_rate(sent)));
}

TopLine TopView::trouble() const {
  std::vector<std::pair<double, std::string_view>> grown;
  for (const auto& [name, rate] : counters_) {
    constexpr std::array<std::string_view, 9> kSigns = {"reject_",  "drop",     "lost",    "error",    "_rate",
                                                        "exceeded", "overload", "too_big", "malformed"};
    const bool is_trouble = std::ranges::any_of(
        kSigns, [&name = name](std::string_view sign) { return name.find(sign) != std::string::npos; });
    if (is_trouble && rate.per_second.value_or(0) > 0) grown.emplace_back(*rate.per_second, name);
  }
  if (grown.empty()) return {"nothing is refused or lost now", TopStyle::kGood};
  std::ranges::sort(grown, std::greater<>());
  std::string out = "refused or lost: ";
  for (const auto& [rate, name] : grown)
    out += fmt::format("{}{} {:.0f}/s", out.ends_with(' ') ? "" : ", ", name, rate);
  return {out, TopStyle::kBad};
}

std::vector<std::string> TopView::heads(const TopChoice& choice) const {
  if (!is_relay()) return {"membership", "comes", "rate", "packets"};
  if (choice.list == TopChoice::List::kChannels) return {"channel", "gateways", "rate", "packets"};
  return {"gateway", "groups", "rate", "since", "heard ago"};
}

std::vector<TopLine> TopView::screen(const TopChoice& choice, std::size_t width, std::size_t height) const {
  std::vector<TopLine> lines;
  const auto line_of = [width](const std::string& name, const std::vector<std::string>& numbers) {
    const std::size_t name_width = width > numbers.size() * kNumberWidth ? width - numbers.size() * kNumberWidth : 0;
    std::string out = fmt::format("{:<{}}", fitted(name, name_width), name_width);
    for (const std::string& one : numbers) out += fmt::format("{:>{}}", one, kNumberWidth);
    return out;
  };
  if (!problem_.empty()) {
    lines = {{"amt top", TopStyle::kTitle}, {problem_, TopStyle::kBad}};
  } else {
    const std::vector<std::string> names = heads(choice);
    lines = {{title(), TopStyle::kTitle},
             {(is_relay() ? "upstream: " : "relays: ") + (parts_.empty() ? "none" : parts_)},
             trouble(),
             {choice.filter.empty() ? "" : fmt::format("only {}: {:.0f}", choice.filter, matched_), TopStyle::kQuiet},
             {line_of(names.front(), {names.begin() + 1, names.end()}), TopStyle::kHead}};
    const std::size_t rows = std::min(rows_.size(), rows_of(height));
    for (std::size_t i = 0; i < rows; ++i) {
      lines.push_back({line_of(rows_[i].name, rows_[i].numbers), rows_[i].is_bad ? TopStyle::kBad : TopStyle::kPlain});
    }
    if (rows_.empty()) lines.push_back({"  nothing", TopStyle::kQuiet});
  }
  const std::string keys = choice.help
                               ? "q: end  c, t: channels, gateways  s: next order  /: only an ADDRESS, PREFIX or GROUP "
                                 "(empty: all)  arrows, PgUp, PgDn: move  h: less"
                               : fmt::format("q end  {}s order: {}  / filter  h help",
                                             is_relay() ? "c channels  t gateways  " : "", key_of(is_relay(), choice));
  if (height > 0 && lines.size() >= height) lines.resize(height - 1);
  lines.push_back({keys, TopStyle::kQuiet});
  for (TopLine& line : lines) line.text = fitted(std::move(line.text), width);
  return lines;
}

}  // namespace amt
