#pragma once
/// `amt demo`: a real video through real tunnels on this machine, and the proof that the frames arrive as they were
/// sent.

#include <optional>
#include <string>

namespace amt {

struct DemoOptions {
  /// Where the pictures go, and streams and logs with them; nothing: the pictures alone, into `kDemoDirectory`.
  std::optional<std::string> output_directory;
};
inline constexpr const char* kDemoDirectory = "demo";

/// Prints events on standard output, and reasons for failure on standard error. Takes less than a minute; stops at
/// SIGINT and SIGTERM. Call it while the process has one thread: it may move into namespaces of its own. The exit
/// status: 0 when every frame arrived everywhere, or when it was stopped; else 1.
[[nodiscard]] int run_demo_show(const DemoOptions& options);

}  // namespace amt
