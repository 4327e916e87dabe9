#pragma once
/// What the tests of the messages share.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/test_bytes.hh"
#include "wire/message.hh"

namespace amt::wire::test {

using amt::test::hex;
using amt::test::joined;

inline ResponseMac mac(std::string_view text) {
  const std::vector<std::byte> octets = hex(text);
  ResponseMac mac;
  std::copy_n(octets.begin(), mac.octets.size(), mac.octets.begin());
  return mac;
}

/// The message in octets; it must fill exactly `octets_expected`.
template <typename Message>
std::vector<std::byte> written(const Message& message, std::size_t octets_expected) {
  std::vector<std::byte> octets(octets_expected);
  ByteWriter out(octets);
  message.write(out);
  EXPECT_EQ(out.written(), octets_expected);
  return octets;
}

/// Parses messages of this type of every length up to the largest UDP payload, all reserved bits zero and all set, with
/// `flags` in octet 1: taken exactly where `valid(octets)` says, else refused for their length.
template <typename Message, typename Valid>
void expect_lengths(unsigned type, Valid valid, unsigned flags = 0xff) {
  constexpr std::size_t kUdpPayloadMax = 65527;
  for (const std::byte fill : {std::byte{0x00}, std::byte{0xff}}) {
    std::vector<std::byte> whole(kUdpPayloadMax, fill);
    whole[0] = static_cast<std::byte>(type);
    whole[1] = static_cast<std::byte>(flags);
    EXPECT_EQ(Message::parse({}).error(), ParseError::kEmpty);
    for (std::size_t octets = 1; octets <= kUdpPayloadMax; octets += octets < 2000 ? 1 : 61) {
      // A buffer of exactly this length, so that a sanitizer notices a read behind it.
      const std::vector<std::byte> message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(octets));
      const auto parsed = Message::parse(message);
      ASSERT_EQ(parsed.has_value(), valid(octets)) << octets;
      if (!parsed) {
        ASSERT_EQ(parsed.error(), ParseError::kBadLength) << octets;
      }
    }
  }
}

}  // namespace amt::wire::test
