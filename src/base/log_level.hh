#pragma once
#include <cstdint>

namespace amt {

/// How much a person wants to read, least important first. The log itself is in room `sys`.
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

}  // namespace amt
