#include "config/key_list.hh"

#include <algorithm>
#include <array>
#include <charconv>

namespace amt {
namespace {

constexpr std::size_t kIdOctetsMax = 32;
constexpr std::string_view kBlanks = " \t\r";

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

/// This many digits at `at`.
std::optional<unsigned> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  unsigned value = 0;
  const char* const end = text.data() + at + digits;
  const auto [stop, error] = std::from_chars(text.data() + at, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

bool is_id(std::string_view text) {
  const auto is_good = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= kIdOctetsMax && std::ranges::all_of(text, is_good);
}

Result<KeyLine, std::string> parse_line(std::string_view line) {
  const auto bad = [](std::string why) { return Unexpected<std::string>(std::move(why)); };
  KeyLine out;
  out.id = take_word(line);
  const std::string_view time = take_word(line);
  out.key = take_word(line);
  if (out.key.empty() || !take_word(line).empty()) {
    return bad("must be ID NOT-BEFORE KEY (example: march 2026-03-01T00:00:00Z and at least 16 letters)");
  }
  if (!is_id(out.id)) return bad("the ID must be 1 to 32 letters, digits, dots, dashes or underscores");
  if (time != "-") {
    out.signs_from = parse_utc_time(time);
    if (!out.signs_from) return bad("NOT-BEFORE must be a time in UTC, or - (example: 2026-03-01T00:00:00Z)");
  }
  if (out.key.size() < kKeyOctetsMin) {
    return bad("the key is too short, it must have 16 characters (example: head -c 32 /dev/urandom | base64)");
  }
  return out;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_utc_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != '0' && kForm[i] != text[i]) return std::nullopt;
  }
  constexpr std::array<std::pair<std::size_t, std::size_t>, 6> kFields{
      {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  std::array<unsigned, kFields.size()> values{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const std::optional<unsigned> value = number_at(text, kFields[i].first, kFields[i].second);
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(values[0])), std::chrono::month(values[1]),
                                        std::chrono::day(values[2])};
  // Beyond that nanoseconds since 1970 do not fit into 64 bits.
  constexpr unsigned kYearMin = 1970;
  constexpr unsigned kYearMax = 2199;
  if (values[0] < kYearMin || values[0] > kYearMax) return std::nullopt;
  if (!day.ok() || values[3] > 23 || values[4] > 59 || values[5] > 59) return std::nullopt;
  return std::chrono::sys_days(day) + std::chrono::hours(values[3]) + std::chrono::minutes(values[4]) +
         std::chrono::seconds(values[5]);
}

bool is_key_list(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line == kKeyListHeader;
}

Result<std::vector<KeyLine>, std::string> parse_key_list(std::string_view text) {
  std::vector<KeyLine> keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    const auto bad = [&](const std::string& why) {
      return Unexpected<std::string>("line " + std::to_string(number) + ": " + why);
    };
    const Result<KeyLine, std::string> key = parse_line(line);
    if (!key) return bad(key.error());
    if (std::ranges::any_of(keys, [&](const KeyLine& other) { return other.id == key->id; })) {
      return bad("the ID stands there twice");
    }
    if (keys.size() == kKeyListMax) return bad("more than 8 keys (remedy: remove those that sign no more)");
    keys.push_back(*key);
  }
  if (keys.empty()) return Unexpected<std::string>("has no key");
  return keys;
}

}  // namespace amt
