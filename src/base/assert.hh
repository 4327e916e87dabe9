#pragma once
/// An assertion means that *we* are wrong; it stays on in release builds. Input from outside is never asserted.

namespace amt {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace amt

#define AMT_ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::amt::assertion_failed(#expression, __FILE__, __LINE__))
