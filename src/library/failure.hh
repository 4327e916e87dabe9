#pragma once
#include <string>

#include "amt/amt.h"

namespace amt {

/// What a function of the C interface says of itself when it fails.
struct Failure {
  amt_status status = AMT_ERROR_INTERNAL;
  std::string text;
  int system_error = 0;
};

}  // namespace amt
