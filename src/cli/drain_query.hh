#pragma once
/// The request of `amt drain` in the control protocol.

#include <optional>
#include <string>
#include <string_view>

#include "amt/time.hh"

namespace amt {

/// `POST /drain?timeout=MILLISECONDS` or `POST /drain?cancel=1`.
struct DrainQuery {
  std::optional<Duration> timeout;
  bool cancel = false;

  [[nodiscard]] static std::optional<DrainQuery> parse(std::string_view query);
  [[nodiscard]] std::string to_string() const;
};

}  // namespace amt
