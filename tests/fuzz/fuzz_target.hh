#pragma once
/// The entry that libFuzzer calls, and a way to take parameters off the front of its input.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace amt::fuzz {

inline Bytes input(const std::uint8_t* data, std::size_t size) { return std::as_bytes(std::span(data, size)); }

/// Numbers as long as there are any, then zeros.
inline std::uint8_t next_u8(ByteReader& in) { return in.has(1) ? in.u8() : std::uint8_t{0}; }
inline std::uint16_t next_u16(ByteReader& in) { return in.has(2) ? in.u16() : std::uint16_t{0}; }
/// At most so many octets.
inline Bytes next_bytes(ByteReader& in, std::size_t octets) {
  return in.bytes(octets < in.remaining() ? octets : in.remaining());
}

}  // namespace amt::fuzz
