#pragma once
/// Reading and writing of network-order fields. Bounds are checked on every call; a parser checks the length
/// once with `has()` and then reads.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/assert.hh"

namespace amt {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

/// A cursor over received octets. Reading past the end is a bug of the caller (asserted): ask `has()` first.
class ByteReader {
 public:
  explicit constexpr ByteReader(Bytes bytes) : rest_(bytes) {}

  [[nodiscard]] constexpr bool has(std::size_t octets) const { return rest_.size() >= octets; }
  [[nodiscard]] constexpr std::size_t remaining() const { return rest_.size(); }
  /// The octets that have not been read yet.
  [[nodiscard]] constexpr Bytes rest() const { return rest_; }

  constexpr std::uint8_t u8() { return std::to_integer<std::uint8_t>(bytes(1)[0]); }
  constexpr std::uint16_t u16() {
    const Bytes b = bytes(2);
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(b[0]) << 8 | std::to_integer<unsigned>(b[1]));
  }
  constexpr std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  constexpr Bytes bytes(std::size_t octets) {
    AMT_ASSERT(has(octets));
    const Bytes head = rest_.first(octets);
    rest_ = rest_.subspan(octets);
    return head;
  }
  template <std::size_t N>
  constexpr std::array<std::byte, N> array() {
    std::array<std::byte, N> out{};
    const Bytes b = bytes(N);
    for (std::size_t i = 0; i < N; ++i) out[i] = b[i];
    return out;
  }
  constexpr void skip(std::size_t octets) { static_cast<void>(bytes(octets)); }

 private:
  Bytes rest_;
};

/// A cursor over a buffer that the caller owns and has sized (asserted).
class ByteWriter {
 public:
  explicit constexpr ByteWriter(MutableBytes buffer) : buffer_(buffer) {}

  constexpr void u8(std::uint8_t value) { take(1)[0] = std::byte{value}; }
  constexpr void u16(std::uint16_t value) {
    const MutableBytes b = take(2);
    b[0] = static_cast<std::byte>(value >> 8);
    b[1] = static_cast<std::byte>(value & 0xff);
  }
  constexpr void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value & 0xffff));
  }
  constexpr void bytes(Bytes source) {
    const MutableBytes b = take(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) b[i] = source[i];
  }
  constexpr void zeros(std::size_t octets) {
    for (std::byte& b : take(octets)) b = std::byte{0};
  }

  [[nodiscard]] constexpr std::size_t written() const { return written_; }
  /// The octets that have been written so far.
  [[nodiscard]] constexpr MutableBytes output() const { return buffer_.first(written_); }

 private:
  constexpr MutableBytes take(std::size_t octets) {
    AMT_ASSERT(buffer_.size() - written_ >= octets);
    const MutableBytes room = buffer_.subspan(written_, octets);
    written_ += octets;
    return room;
  }

  MutableBytes buffer_;
  std::size_t written_ = 0;
};

/// One field at a place that is known to be there (asserted).
[[nodiscard]] inline std::uint16_t u16_at(Bytes bytes, std::size_t at) {
  return ByteReader(bytes.subspan(at, 2)).u16();
}
inline void put_u16_at(MutableBytes bytes, std::size_t at, std::uint16_t value) {
  ByteWriter(bytes.subspan(at, 2)).u16(value);
}

}  // namespace amt
