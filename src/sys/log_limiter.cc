#include "sys/log_limiter.hh"

#include <vector>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {

LogLimiter::Entry& LogLimiter::entry_of(std::string_view key) {
  constexpr std::string_view kOthers = "others";
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    const std::string_view taken = entries_.size() < kKeysMax ? key : kOthers;
    found = entries_.try_emplace(std::string(taken)).first;
  }
  return found->second;
}

std::string LogLimiter::with_count(std::string text, std::uint64_t count) {
  return count == 0 ? std::move(text) : fmt::format("{} ({} times in the last minute)", text, count);
}

void LogLimiter::flush(Instant now) {
  std::vector<std::string> lines;
  {
    const std::scoped_lock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      Entry& entry = at->second;
      if (now < entry.until) {
        ++at;
      } else if (entry.count == 0) {
        at = entries_.erase(at);
      } else {
        lines.push_back(with_count(std::move(entry.text), entry.count));
        entry = {.until = now + kInterval};
        ++at;
      }
    }
  }
  for (const std::string& line : lines) write_(line);
}

LogLimiter& log_limiter() {
  static LogLimiter limiter([](const std::string& line) { log_line(LogLevel::kWarn, line); });
  return limiter;
}

Instant log_limiter_now() { return monotonic_now(); }

}  // namespace amt
