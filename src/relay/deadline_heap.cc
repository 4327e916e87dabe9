#include "relay/deadline_heap.hh"

#include "base/assert.hh"

namespace amt {

void DeadlineHeap::set(TunnelId id, Instant at) {
  const auto index = static_cast<std::size_t>(id);
  if (index >= position_.size()) position_.resize(index + 1, kAbsent);
  if (position_[index] == kAbsent) {
    heap_.push_back({});
    place(heap_.size() - 1, {at, id});
  } else {
    heap_[position_[index]].at = at;
  }
  sift_up(position_[index]);
  sift_down(position_[index]);
}

void DeadlineHeap::remove(TunnelId id) {
  const auto index = static_cast<std::size_t>(id);
  AMT_ASSERT(index < position_.size() && position_[index] != kAbsent);
  const std::size_t hole = position_[index];
  const Entry last = heap_.back();
  heap_.pop_back();
  position_[index] = kAbsent;
  if (last.id == id) return;
  place(hole, last);
  sift_up(hole);
  sift_down(position_[static_cast<std::size_t>(last.id)]);
}

void DeadlineHeap::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  position_[static_cast<std::size_t>(entry.id)] = static_cast<std::uint32_t>(position);
}

void DeadlineHeap::sift_up(std::size_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (heap_[parent].at <= entry.at) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void DeadlineHeap::sift_down(std::size_t position) {
  const Entry entry = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].at < heap_[child].at) ++child;
    if (entry.at <= heap_[child].at) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

}  // namespace amt
