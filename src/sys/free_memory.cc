#include "sys/free_memory.hh"

#include <malloc.h>

namespace amt {

void return_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace amt
