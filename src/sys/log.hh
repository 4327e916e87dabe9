#pragma once
/// The one logger: lines on stderr, or one JSON object a line. Thread-safe. Never called per packet. While a
/// `LogWriter` (`engine`) lives, lines go by its queue and no caller waits for stderr; else the caller writes them.

#include <fmt/format.h>

#include <string_view>

#include "base/log_level.hh"
#include "sys/log_queue.hh"

namespace amt {

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool json = false;
};

/// Before the first line, and again at a reload; without it: info, plain text. Any thread may log meanwhile.
void configure_log(const LogOptions& options);

/// For a library: no line is written from now on.
void silence_log();

/// For texts that are costly to prepare.
[[nodiscard]] bool log_enabled(LogLevel level);

/// Written as `printable` has it: text from outside cannot forge a line or control a terminal. Cut at
/// `kLogTextOctetsMax`: a pipe that has any room takes a line whole.
inline constexpr std::size_t kLogTextOctetsMax = 1800;
void log_line(LogLevel level, std::string_view text);

/// For the thread that takes lines out of the queue: writes at once, and may wait for the reader of stderr.
void write_log(const LogRecord& record);

template <typename... Args>
void log_at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::kDebug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::kInfo, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::kWarn, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::kError, format, std::forward<Args>(args)...);
}

}  // namespace amt
