#pragma once
#include <string>

#include "sys/error.hh"

namespace amt {

/// Why the demo could not go on, in one line for the user.
struct DemoFailure {
  std::string message;
};

template <typename T>
using DemoResult = Result<T, DemoFailure>;

/// `message` with its arguments put in already.
[[nodiscard]] inline Unexpected<DemoFailure> demo_failure(std::string message) {
  return Unexpected<DemoFailure>(DemoFailure{std::move(message)});
}
[[nodiscard]] inline Unexpected<DemoFailure> demo_failure(const SysError& error) {
  return demo_failure(error.to_string());
}

}  // namespace amt
