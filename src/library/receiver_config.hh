#pragma once
/// From the settings of a C program to the options of a receiver.

#include "amt/amt.h"
#include "amt/result.hh"
#include "config/config.hh"
#include "library/failure.hh"

namespace amt {

/// The caller's options as far as his version of the struct has them, this library's defaults for the rest.
[[nodiscard]] Result<amt_receiver_options, Failure> complete_options(const amt_receiver_options* given);

/// Read as `amt receive` reads its arguments: one definition of URL, relay and resolver.
[[nodiscard]] Result<ReceiveConfig, Failure> receive_config(const char* url, const amt_receiver_options& options);

}  // namespace amt
