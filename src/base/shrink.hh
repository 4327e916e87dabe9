#pragma once
/// Tables that were large once.

#include <cstddef>

namespace amt {

/// After an erase from a hash table, amortised constant: one of which little is left gives its room back. Ends
/// references into it.
template <typename Table>
void shrink_if_sparse(Table& table) {
  constexpr std::size_t kRoomKept = 1024;
  constexpr std::size_t kSparse = 8;
  if (table.bucket_count() > kRoomKept && table.size() * kSparse < table.bucket_count()) table.rehash(2 * table.size());
}

}  // namespace amt
