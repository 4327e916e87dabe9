#include "sys/log.hh"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace amt {
namespace {

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

bool& json_lines() {
  static bool json = false;
  return json;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto created = std::make_shared<spdlog::logger>("amt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_level(spdlog::level::info);
    created->set_pattern("%H:%M:%S.%e %l: %v");
    created->flush_on(spdlog::level::trace);
    return created;
  }();
  return *instance;
}

std::string escaped(std::string_view text, bool json) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) {
      out += fmt::format(fmt::runtime(json ? "\\u{:04x}" : "\\x{:02x}"), code);
    } else {
      if (json && (c == '"' || c == '\\')) out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace

void configure_log(const LogOptions& options) {
  json_lines() = options.json;
  logger().set_level(spdlog_level(options.level));
  if (options.json) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l","message":"%v"})");
  } else if (std::getenv("JOURNAL_STREAM") != nullptr) {
    logger().set_pattern("%l: %v");  // the journal has its own time
  }
}

bool log_enabled(LogLevel level) { return logger().should_log(spdlog_level(level)); }

void log_line(LogLevel level, std::string_view text) {
  logger().log(spdlog_level(level), "{}", escaped(text, json_lines()));
}

}  // namespace amt
