#pragma once
/// The first of very many rows, in bounded memory.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace amt {

/// Keeps the `max` rows that come first by `before`, in any order of adding.
template <typename Row>
class TopRows {
 public:
  using Before = std::function<bool(const Row&, const Row&)>;
  TopRows(std::size_t max, Before before) : max_(max), before_(std::move(before)) {}

  void add(Row row) {
    if (heap_.size() == max_) {
      if (max_ == 0 || !before_(row, heap_.front())) return;
      std::ranges::pop_heap(heap_, before_);
      heap_.pop_back();
    }
    heap_.push_back(std::move(row));
    std::ranges::push_heap(heap_, before_);
  }

  /// All that are kept, in order; none is left.
  [[nodiscard]] std::vector<Row> take_sorted() {
    std::ranges::sort_heap(heap_, before_);
    return std::exchange(heap_, {});
  }

 private:
  std::size_t max_;
  Before before_;
  /// The last of them in front.
  std::vector<Row> heap_;
};

}  // namespace amt
