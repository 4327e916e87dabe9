#pragma once
/// Arguments of libamt's functions, drawn from an input: right ones, wrong ones, and null pointers.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "amt/core.h"
#include "amt/test_relay.h"
#include "base/assert.hh"
#include "base/random.hh"
#include "fuzz_target.hh"

namespace amt {

inline amt_endpoint ipv4_endpoint(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  amt_endpoint out{};
  std::memcpy(out.octets, octets.data(), octets.size());
  out.length = 4;
  out.port = port;
  return out;
}
inline const amt_endpoint kRelay = ipv4_endpoint({192, 0, 2, 1}, 2268);
inline const amt_endpoint kGateway = ipv4_endpoint({10, 0, 0, 1}, 40'000);
inline const amt_endpoint kSource = ipv4_endpoint({198, 51, 100, 10}, 1000);
inline const amt_endpoint kGroup = ipv4_endpoint({232, 1, 1, 1}, 5000);

inline void fill_seeded(void* context, void* octets, std::size_t size) {
  static_cast<SeededRandom*>(context)->fill({static_cast<std::byte*>(octets), size});
}

/// Takes what it draws off the front of `in`.
class Arguments {
 public:
  explicit Arguments(ByteReader& in) : in_(in) {}

  /// Some text: of the input, or one that nearly is right.
  const char* text() {
    static constexpr std::array<const char*, 12> kTexts = {
        nullptr,         "",        "192.0.2.1", "192.0.2.1,192.0.2.2:99", "[2001:db8::1]:2268", "192.0.2.1,",
        "relay.example", "anycast", "dnssd",     "dnssd,driad,anycast",    "10.0.0.1",           "example.net"};
    const std::uint8_t which = fuzz::next_u8(in_);
    if (which < 200) return kTexts[which % kTexts.size()];
    const Bytes octets = fuzz::next_bytes(in_, which - 200U);
    text_.assign(octets.size(), 'x');
    std::transform(octets.begin(), octets.end(), text_.begin(), [](std::byte b) { return static_cast<char>(b); });
    return text_.c_str();
  }
  amt_endpoint endpoint() {
    static const std::array<amt_endpoint, 4> kKnown{kRelay, kGateway, kSource, kGroup};
    const std::uint8_t which = fuzz::next_u8(in_);
    if (which < 240) return kKnown[which % kKnown.size()];
    amt_endpoint out{};
    const Bytes octets = fuzz::next_bytes(in_, sizeof out.octets);
    std::transform(octets.begin(), octets.end(), out.octets,
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    out.length = which % 2 == 0 ? 16 : which % 4 == 1 ? 4 : fuzz::next_u8(in_);
    out.port = fuzz::next_u16(in_);
    return out;
  }

 private:
  ByteReader& in_;
  std::string text_;
};

/// Null pointers and lengths that cannot be are refused, and nothing else happens.
inline void check_null_calls(amt_core* core, std::int64_t now) {
  AMT_ASSERT(amt_core_set_membership(nullptr, 0, &kGroup, AMT_INCLUDE, nullptr, 0) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_set_membership(core, now, nullptr, AMT_INCLUDE, nullptr, 0) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_receive(core, now, 1, nullptr, 1) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_receive(core, now, 1, nullptr, SIZE_MAX) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_answer(core, now, nullptr) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_poll(core, nullptr) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_get_statistics(nullptr, nullptr) == AMT_ERROR_ARGUMENT);
  AMT_ASSERT(amt_core_silence_reason(nullptr, nullptr, 9) > 0);
  AMT_ASSERT(amt_receiver_fd(nullptr) == -1 && amt_receiver_timeout_ms(nullptr) == -1);
  AMT_ASSERT(amt_receiver_process(nullptr) == AMT_ERROR_ARGUMENT && amt_receiver_read(nullptr, nullptr, 9) < 0);
  AMT_ASSERT(amt_receiver_join(nullptr, nullptr) == AMT_ERROR_ARGUMENT && amt_receiver_error(nullptr) != nullptr);
  amt_core_close(nullptr);
  amt_receiver_close(nullptr);
  amt_test_relay_close(nullptr);
}

}  // namespace amt
