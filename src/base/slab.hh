#pragma once
/// Many objects of one type, by number.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.hh"
#include "base/counters.hh"

namespace amt {

/// Objects stay where they are until they are erased. Numbers are used again, the last erased first. Room is taken a
/// chunk at a time and kept: growing moves nothing, and holds nothing twice.
template <typename T>
class Slab {
 public:
  std::uint32_t insert(T&& object) {
    std::uint32_t id = free_;
    if (id == kNone) {
      if (used_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Slot[]>(kChunk));
      id = used_++;
    } else {
      free_ = std::get<NextFree>(slot(id));
    }
    slot(id).template emplace<T>(std::move(object));
    size_.add();
    return id;
  }

  void erase(std::uint32_t id) {
    AMT_ASSERT(std::holds_alternative<T>(slot(id)));
    slot(id).template emplace<NextFree>(free_);
    free_ = id;
    size_.subtract();
  }

  /// Ends all and gives the room back.
  void clear() { *this = Slab(); }

  [[nodiscard]] T& operator[](std::uint32_t id) {
    T* const object = std::get_if<T>(&slot(id));
    AMT_ASSERT(object != nullptr);
    return *object;
  }
  [[nodiscard]] const T& operator[](std::uint32_t id) const {
    const T* const object = std::get_if<T>(&slot(id));
    AMT_ASSERT(object != nullptr);
    return *object;
  }
  [[nodiscard]] bool contains(std::uint32_t id) const { return id < used_ && std::holds_alternative<T>(slot(id)); }
  /// Any thread, while the owner changes the slab.
  [[nodiscard]] std::size_t size() const { return size_.value(); }

  /// Fetches the first lines of an object, before its turn comes.
  void prefetch(std::uint32_t id, int lines) const {
    const auto* const start = static_cast<const std::byte*>(static_cast<const void*>(&slot(id)));
    for (int line = 0; line < lines; ++line) __builtin_prefetch(start + line * kCacheLineOctets);
  }

  /// The first that is there, from this number on.
  [[nodiscard]] std::optional<std::uint32_t> next(std::uint32_t id) const {
    while (id < used_ && !std::holds_alternative<T>(slot(id))) ++id;
    return id < used_ ? std::optional(id) : std::nullopt;
  }
  /// Every number is below this.
  [[nodiscard]] std::uint32_t end() const { return used_; }
  /// `f(id)` for each, ascending.
  template <typename F>
  void for_each(F&& f) const {
    for (auto id = next(0); id; id = next(*id + 1)) f(*id);
  }

 private:
  using NextFree = std::uint32_t;
  using Slot = std::variant<NextFree, T>;
  /// A small relay takes little, and of a million objects the chunks are still found in the second cache.
  static constexpr std::uint32_t kChunk = 64;
  static constexpr NextFree kNone = 0xffffffff;
  static constexpr int kCacheLineOctets = 64;

  [[nodiscard]] Slot& slot(std::uint32_t id) {
    AMT_ASSERT(id < used_);
    return chunks_[id / kChunk][id % kChunk];
  }
  [[nodiscard]] const Slot& slot(std::uint32_t id) const {
    AMT_ASSERT(id < used_);
    return chunks_[id / kChunk][id % kChunk];
  }

  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::uint32_t used_ = 0;
  NextFree free_ = kNone;
  Count size_;
};

}  // namespace amt
