#pragma once
/// From what a C program asks for to what a receiver takes.

#include <cstddef>
#include <string>

#include "amt/amt.h"
#include "amt/result.hh"
#include "config/config.hh"

namespace amt {

/// What a function of the C interface says of itself when it fails.
struct Failure {
  amt_status status = AMT_ERROR_INTERNAL;
  std::string text;
  int system_error = 0;
};

/// The caller's options as far as his version of the struct has them, this library's defaults for the rest.
[[nodiscard]] Result<amt_receiver_options, Failure> complete_options(const amt_receiver_options* given);

/// Read as `amt receive` reads its arguments: one definition of what a URL, a relay, a resolver is.
[[nodiscard]] Result<ReceiveConfig, Failure> receive_config(const char* url, const amt_receiver_options& options);

}  // namespace amt
