#pragma once
/// Arguments of the benchmark's small programs, which only suite.py and the guest's scenario call.

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "amt/endpoint.hh"

namespace amt {

class Arguments {
 public:
  /// Ends the program when there are not as many as `usage` names, and whatever happens after `kSecondsMax`.
  Arguments(int count, char** values, std::size_t wanted, const char* usage)
      : rest_(values + 1, static_cast<std::size_t>(count - 1)) {
    if (rest_.size() != wanted) fail("usage", usage);
    ::alarm(kSecondsMax);
  }

  template <typename Integer>
  Integer number() {
    const std::string_view text = take();
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) fail("not a number", text.data());
    return value;
  }
  /// Port 0 when none is given.
  Endpoint endpoint() {
    const std::string_view text = take();
    const auto value = Endpoint::parse(text, 0);
    if (!value) fail("not an address", text.data());
    return *value;
  }

  std::string_view text() { return take(); }

  [[noreturn]] static void fail(const char* what, const char* detail) {
    std::fprintf(stderr, "%s: %s\n", what, detail);
    std::exit(2);
  }

 private:
  /// Later than bench/suite.py begins anything new.
  static constexpr unsigned kSecondsMax = 1000;

  std::string_view take() {
    const std::string_view text = rest_.front();
    rest_ = rest_.subspan(1);
    return text;
  }
  std::span<char*> rest_;
};

}  // namespace amt
