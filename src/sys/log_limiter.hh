#pragma once
/// Warnings that may repeat without end: each kind is logged once a minute, with its number.

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "amt/time.hh"

namespace amt {

/// The first warning of a key is logged at once. Those of the next minute are counted, and logged as one line when it
/// is over. Thread-safe. A warning that is only counted costs a lock and a look-up: for refusals and errors, not for
/// packets.
class LogLimiter {
 public:
  static constexpr Duration kInterval = std::chrono::minutes(1);
  /// When there are more kinds at a time, the rest share one.
  static constexpr std::size_t kKeysMax = 256;

  using Write = std::function<void(const std::string& line)>;
  explicit LogLimiter(Write write) : write_(std::move(write)) {}

  /// `key`: messages that are counted together, as "upstream eth0". The text is made only for the first message that is
  /// logged, and for the first one that is counted.
  template <typename... Args>
  void warn(Instant now, std::string_view key, fmt::format_string<Args...> format, Args&&... args) {
    note(now, key, [&] { return fmt::format(format, std::forward<Args>(args)...); });
  }
  /// Logs the counts of the minutes that are over. To be called about every second.
  void flush(Instant now);

 private:
  struct Entry {
    Instant until{};
    std::uint64_t count = 0;
    std::string text{};  ///< of the first that was counted
  };

  template <typename MakeText>
  void note(Instant now, std::string_view key, MakeText&& make_text) {
    std::string line;
    {
      const std::scoped_lock lock(mutex_);
      Entry& entry = entry_of(key);
      if (now < entry.until) {
        if (entry.count++ == 0) entry.text = make_text();
        return;
      }
      line = with_count(make_text(), entry.count == 0 ? 0 : entry.count + 1);
      entry = {.until = now + kInterval};
    }
    write_(line);
  }
  [[nodiscard]] Entry& entry_of(std::string_view key);
  [[nodiscard]] static std::string with_count(std::string text, std::uint64_t count);

  Write write_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The process's own. A `LogWriter` (`engine`) flushes it.
[[nodiscard]] LogLimiter& log_limiter();
/// The time of the call, for `log_warn_limited`.
[[nodiscard]] Instant log_limiter_now();
/// As `log_warn`, once a minute for each `key`. Any thread.
template <typename... Args>
void log_warn_limited(std::string_view key, fmt::format_string<Args...> format, Args&&... args) {
  log_limiter().warn(log_limiter_now(), key, format, std::forward<Args>(args)...);
}

}  // namespace amt
