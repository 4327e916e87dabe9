#pragma once
#include <filesystem>

#include "demo/failure.hh"
#include "demo/outcome.hh"

namespace amt {

/// Decodes the sent stream and all stored ones, compares, and fills in the comparisons. A file that cannot be decoded
/// has no frames. `directory`: for lists and logs.
[[nodiscard]] DemoResult<void> compare_receptions(const std::filesystem::path& sent,
                                                  const std::filesystem::path& directory, DemoOutcome& outcome);

/// Saves one received picture of each family into `pictures` (made if need be).
[[nodiscard]] DemoResult<void> save_pictures(const std::filesystem::path& pictures,
                                             const std::filesystem::path& directory, DemoOutcome& outcome);

}  // namespace amt
