#pragma once
/// What a target takes from the heap, against its stated bound (tests/fuzz/README.md lists them all).
/// allocations.cc replaces operator new, so the standard containers of the code under test are seen, too.

#include <cstddef>

#include "base/assert.hh"

namespace amt::fuzz {

class Allocations {
 public:
  Allocations();
  /// Octets asked for since construction, given back or not: a bound on this bounds the work, too.
  [[nodiscard]] std::size_t taken() const;
  /// Octets in use now more than at construction.
  [[nodiscard]] std::size_t held() const;

 private:
  std::size_t taken_;
  std::size_t held_;
};

/// A parser that is given `octets` octets may ask for so much: a fixed sum, and a multiple of what it was given.
struct ParserBound {
  std::size_t fixed;
  std::size_t per_octet;

  [[nodiscard]] std::size_t of(std::size_t octets) const { return fixed + per_octet * octets; }
};

/// Runs `parse` and asserts that it kept to `bound`.
template <typename Parse>
auto within(const ParserBound& bound, std::size_t octets, Parse&& parse) {
  const Allocations allocations;
  auto result = parse();
  AMT_ASSERT(allocations.taken() <= bound.of(octets));
  return result;
}

}  // namespace amt::fuzz
