#include "cli/drain_query.hh"

#include <charconv>
#include <cstdint>

namespace amt {
namespace {

constexpr std::string_view kTimeout = "timeout=";
constexpr std::string_view kCancel = "cancel=1";
/// A year.
constexpr std::int64_t kMillisecondsMax = std::int64_t{366} * 24 * 3600 * 1000;

}  // namespace

std::optional<DrainQuery> DrainQuery::parse(std::string_view query) {
  if (query.empty()) return DrainQuery{};
  if (query == kCancel) return DrainQuery{std::nullopt, true};
  if (!query.starts_with(kTimeout)) return std::nullopt;
  query.remove_prefix(kTimeout.size());
  std::int64_t milliseconds = 0;
  const char* const end = query.data() + query.size();
  const auto [stop, error] = std::from_chars(query.data(), end, milliseconds);
  if (error != std::errc() || stop != end || milliseconds < 0 || milliseconds > kMillisecondsMax) return std::nullopt;
  return DrainQuery{std::chrono::milliseconds(milliseconds), false};
}

std::string DrainQuery::to_string() const {
  if (cancel) return std::string(kCancel);
  if (!timeout) return {};
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*timeout).count();
  return std::string(kTimeout) + std::to_string(milliseconds);
}

}  // namespace amt
