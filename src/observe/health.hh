#pragma once
/// Whether a daemon works, in words.

#include <functional>
#include <string>
#include <vector>

namespace amt {

struct HealthCheck {
  std::string name;
  bool ok = false;
  std::string detail{};
};

struct HealthReport {
  std::vector<HealthCheck> checks{};

  [[nodiscard]] bool is_healthy() const;
  /// `{"healthy":true,"checks":[{"name":...,"ok":true,"detail":...},...]}`.
  [[nodiscard]] std::string json() const;
};
/// Takes the report, at once or later.
using HealthDone = std::function<void(const HealthReport& report)>;

}  // namespace amt
