#include "sys/log.hh"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/printable.hh"

namespace amt {
namespace {

constexpr const char* kPlainPattern = "%Y-%m-%dT%H:%M:%S.%e%z %l: %v";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::atomic<bool>& json_lines() {
  static std::atomic<bool> json = false;
  return json;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto created = std::make_shared<spdlog::logger>("amt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_level(spdlog::level::info);
    created->set_pattern(kPlainPattern);
    created->flush_on(spdlog::level::trace);
    return created;
  }();
  return *instance;
}

/// As it stands between quotes in JSON; `text` is printable already.
std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

void configure_log(const LogOptions& options) {
  json_lines() = options.json;
  logger().set_level(spdlog_level(options.level));
  if (options.json) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l","message":"%v"})");
  } else if (std::getenv("JOURNAL_STREAM") != nullptr) {  // allow: how the journal says that it reads
    logger().set_pattern("%l: %v");                       // the journal has its own time
  } else {
    logger().set_pattern(kPlainPattern);
  }
}

void silence_log() { logger().set_level(spdlog::level::off); }

bool log_enabled(LogLevel level) { return logger().should_log(spdlog_level(level)); }

void log_line(LogLevel level, std::string_view text) {
  if (!log_enabled(level)) return;
  // allow: the time that the line carries, whenever it is written
  LogRecord record{level, std::chrono::system_clock::now(), printable(text, kLogTextOctetsMax)};
  if (!log_queue().push(record)) write_log(record);
}

void write_log(const LogRecord& record) {
  logger().log(record.at, spdlog::source_loc{}, spdlog_level(record.level),
               json_lines() ? json_escaped(record.text) : record.text);
}

}  // namespace amt
