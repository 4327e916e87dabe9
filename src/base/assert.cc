#include "base/assert.hh"

#include <cstdio>
#include <cstdlib>

namespace amt {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "amt: internal error: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace amt
