#include "base/assert.hh"

#include <cstdio>
#include <cstdlib>

namespace amt {

void assertion_failed(const char* expression, const char* file, int line) {
  // allow: the process is about to abort and the logger may be the reason
  std::fprintf(stderr, "amt: internal error: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace amt
