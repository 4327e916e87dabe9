#pragma once

namespace amt {

/// Gives the system what the allocator keeps of freed memory. Any thread; others that allocate meanwhile wait, some
/// milliseconds for 100 MB. Nothing happens without glibc.
void return_free_memory();

}  // namespace amt
