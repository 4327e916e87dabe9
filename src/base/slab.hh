#pragma once
/// Many objects of one type, by number.

#include <algorithm>
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

/// Objects stay where they are until they are erased. Numbers are used again. Room is taken a chunk at a time, so that
/// growing moves nothing and holds nothing twice; a chunk in which nothing is left is given back, all but one.
template <typename T>
class Slab {
 public:
  std::uint32_t insert(T&& object) {
    if (with_room_ == kNone) {
      with_room_ = static_cast<std::uint32_t>(chunks_.size());
      chunks_.emplace_back();
      rooms_.emplace_back();
    }
    const std::uint32_t chunk = with_room_;
    if (!chunks_[chunk]) chunks_[chunk] = std::make_unique<Slot[]>(kChunk);
    if (chunk == spare_) spare_ = kNone;
    Room& room = rooms_[chunk];
    std::uint32_t at = room.free;
    if (at == kNone) {
      at = room.begun++;
    } else {
      room.free = std::get<NextFree>(chunks_[chunk][at]);
    }
    if (++room.taken == kChunk) with_room_ = room.next;
    chunks_[chunk][at].template emplace<T>(std::move(object));
    size_.add();
    return chunk * kChunk + at;
  }

  void erase(std::uint32_t id) {
    AMT_ASSERT(contains(id));
    const std::uint32_t chunk = id / kChunk;
    Room& room = rooms_[chunk];
    slot(id).template emplace<NextFree>(room.free);
    room.free = id % kChunk;
    size_.subtract();
    if (room.taken-- == kChunk) {
      room.next = with_room_;
      with_room_ = chunk;
    }
    if (room.taken == 0) release(chunk);
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
  [[nodiscard]] bool contains(std::uint32_t id) const {
    return id / kChunk < chunks_.size() && chunks_[id / kChunk] && std::holds_alternative<T>(slot(id));
  }
  /// Any thread, while the owner changes the slab.
  [[nodiscard]] std::size_t size() const { return size_.value(); }

  /// Fetches the first lines of an object, before its turn comes.
  void prefetch(std::uint32_t id, int lines) const {
    const auto* const start = static_cast<const std::byte*>(static_cast<const void*>(&slot(id)));
    for (int line = 0; line < lines; ++line) __builtin_prefetch(start + line * kCacheLineOctets);
  }

  /// The first that is there, from this number on.
  [[nodiscard]] std::optional<std::uint32_t> next(std::uint32_t id) const {
    const std::uint32_t last = end();
    while (id < last && !contains(id)) id = chunks_[id / kChunk] ? id + 1 : (id / kChunk + 1) * kChunk;
    return id < last ? std::optional(id) : std::nullopt;
  }
  /// Every number is below this.
  [[nodiscard]] std::uint32_t end() const {
    if (chunks_.empty()) return 0;
    return static_cast<std::uint32_t>(chunks_.size() - 1) * kChunk + rooms_.back().begun;
  }
  /// As many fit into the room that is held.
  [[nodiscard]] std::size_t capacity() const {
    return kChunk *
           static_cast<std::size_t>(std::ranges::count_if(chunks_, [](const auto& one) { return one != nullptr; }));
  }
  /// `f(id)` for each, ascending.
  template <typename F>
  void for_each(F&& f) const {
    for (auto id = next(0); id; id = next(*id + 1)) f(*id);
  }

 private:
  /// Within its chunk.
  using NextFree = std::uint32_t;
  using Slot = std::variant<NextFree, T>;
  /// A small relay takes little, and of a million objects the chunks are still found in the second cache.
  static constexpr std::uint32_t kChunk = 64;
  static constexpr NextFree kNone = 0xffffffff;
  static constexpr int kCacheLineOctets = 64;

  struct Room {
    /// Erased the last; `kNone`: none of those that were begun.
    NextFree free = kNone;
    std::uint32_t begun = 0;
    std::uint32_t taken = 0;
    /// The next chunk with room.
    std::uint32_t next = kNone;
  };

  [[nodiscard]] Slot& slot(std::uint32_t id) {
    AMT_ASSERT(id / kChunk < chunks_.size());
    return chunks_[id / kChunk][id % kChunk];
  }
  [[nodiscard]] const Slot& slot(std::uint32_t id) const {
    AMT_ASSERT(id / kChunk < chunks_.size());
    return chunks_[id / kChunk][id % kChunk];
  }

  /// One is kept, so that an object that comes and goes does not cost an allocation each time.
  void release(std::uint32_t chunk) {
    if (spare_ == kNone) {
      spare_ = chunk;
      return;
    }
    chunks_[chunk].reset();
    rooms_[chunk].free = kNone;
    rooms_[chunk].begun = 0;
  }

  std::vector<std::unique_ptr<Slot[]>> chunks_;
  /// Beside them: what is read for a packet stays small.
  std::vector<Room> rooms_;
  /// The first chunk with room; those form a list.
  std::uint32_t with_room_ = kNone;
  std::uint32_t spare_ = kNone;
  Count size_;
};

}  // namespace amt
