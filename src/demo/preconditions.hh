#pragma once
#include <optional>
#include <string>

#include "demo/failure.hh"

namespace amt {

struct Preconditions {
  /// Why no interface can be made, with the mend; nothing: it can.
  std::optional<std::string> no_interface;
};

/// Looks for ffmpeg and gets the right to make network namespaces, in a user namespace where this user has it not
/// already (then this process stays in there). Only while the process has one thread. Failure: the missing part and the
/// remedy.
[[nodiscard]] DemoResult<Preconditions> check_preconditions();

}  // namespace amt
