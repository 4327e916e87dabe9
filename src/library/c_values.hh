#pragma once
/// What both levels of the C interface share: failures at its border, structs of other versions, addresses, texts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "amt/amt.h"
#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "amt/time.hh"
#include "base/log_level.hh"
#include "client/client.hh"
#include "library/failure.hh"

namespace amt {

/// Of any text that a caller passes, the 0 at its end included.
inline constexpr std::size_t kTextOctetsMax = 4096;

/// Calls `work`, and turns what it throws into a failure. Only allocation throws in this library.
template <typename Work>
Result<void, Failure> guarded(const Work& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Unexpected<Failure>({AMT_ERROR_MEMORY, {}});
  } catch (...) {
    return Unexpected<Failure>({AMT_ERROR_INTERNAL, {}});
  }
}

/// Of a struct that begins with `struct_size`, what its caller's version has, and `defaults` for the rest.
template <typename Struct>
Result<Struct, Failure> known_part(const Struct* given, const Struct& defaults, std::string_view name) {
  if (given == nullptr) return defaults;
  if (given->struct_size < sizeof given->struct_size) {
    return Unexpected<Failure>({AMT_ERROR_ARGUMENT, std::string(name) + ": struct_size is not set"});
  }
  // A newer caller's further members are unknown here; they count when they are 0, their default.
  const auto* const octets = reinterpret_cast<const unsigned char*>(given);
  if (given->struct_size > sizeof defaults &&
      std::any_of(octets + sizeof defaults, octets + std::min<std::size_t>(given->struct_size, kTextOctetsMax),
                  [](unsigned char octet) { return octet != 0; })) {
    return Unexpected<Failure>({AMT_ERROR_ARGUMENT, std::string(name) + ": this library does not know all of them"});
  }
  Struct known = defaults;
  // Whole members alone: half of a pointer points nowhere.
  std::memcpy(&known, given, std::min(given->struct_size / alignof(Struct) * alignof(Struct), sizeof known));
  return known;
}

/// Copies to a caller's struct what its version has. False: `struct_size` is not set.
template <typename Struct>
bool fill_known_part(Struct* out, Struct all) {
  if (out == nullptr || out->struct_size < sizeof out->struct_size) return false;
  all.struct_size = std::min(out->struct_size, sizeof all);
  std::memcpy(out, &all, all.struct_size);
  return true;
}

/// A caller may have put any number there: it is no value of the enumeration before it has been looked at.
template <typename Enum>
[[nodiscard]] int number_of(const Enum& value) {
  int number = 0;
  static_assert(sizeof number == sizeof value);
  std::memcpy(&number, &value, sizeof number);
  return number;
}

[[nodiscard]] inline bool is_bounded(const char* text) {
  return text == nullptr || ::strnlen(text, kTextOctetsMax) < kTextOctetsMax;
}

/// Null: nothing is filled in. A failure without a text has that of its status.
void fill(amt_error* error, const Failure& failure);
/// `text` as far as it fits into `out`, and a 0. Its whole length.
std::size_t copy_text(std::string_view text, char* out, std::size_t size);

[[nodiscard]] amt_endpoint endpoint_of(const Endpoint& endpoint);
/// None: `length` is that of no address.
[[nodiscard]] std::optional<Endpoint> endpoint_of(const amt_endpoint& endpoint);
[[nodiscard]] amt_packet packet_of(Instant arrival, const Payload& payload);
/// What the client itself counts.
[[nodiscard]] amt_receiver_statistics statistics_of(const Client& client);
[[nodiscard]] amt_level level_of(LogLevel level);
[[nodiscard]] std::int64_t nanoseconds_of(Instant instant);

}  // namespace amt
