#include "wire/message.hh"

#include <gtest/gtest.h>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

TEST(Message, HasOneOfSevenTypes) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    const std::array<std::byte, 1> message{static_cast<std::byte>(octet)};
    const Result<MessageType, ParseError> type = peek_type(message);
    if (octet >= 1 && octet <= 7) {
      EXPECT_EQ(type, static_cast<MessageType>(octet));
    } else {
      // R-5.1-b: any version but 0 is ignored, whatever the type.
      EXPECT_EQ(type.error(), octet < 16 ? ParseError::kUnknownType : ParseError::kBadVersion) << octet;
    }
  }
  EXPECT_EQ(peek_type({}).error(), ParseError::kEmpty);
}

// The headings of RFC 7450 §5.1.1 to §5.1.7, which logs repeat.
TEST(Message, IsCalledWhatTheRfcCallsIt) {
  const std::array<std::string_view, 7> names{"Relay Discovery",   "Relay Advertisement", "Request", "Membership Query",
                                              "Membership Update", "Multicast Data",      "Teardown"};
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(to_string(static_cast<MessageType>(i + 1)), names[i]);
}

TEST(Message, SaysWhyItIsNone) {
  EXPECT_EQ(to_string(peek_type({}).error()), "empty");
  EXPECT_EQ(to_string(peek_type(hex("11")).error()), "bad version");
  EXPECT_EQ(to_string(peek_type(hex("08")).error()), "unknown type");
  EXPECT_EQ(to_string(Request::parse(hex("03")).error()), "bad length");
}

template <typename Message>
void expect_only_its_own_type(unsigned own) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    std::vector<std::byte> message(own == 7 ? 30 : 24);  // a length that every type but Teardown can have
    message[0] = static_cast<std::byte>(octet);
    const auto parsed = Message::parse(message);
    EXPECT_EQ(parsed.has_value(), octet == own) << octet;
    if (octet == own) continue;
    EXPECT_EQ(parsed.error(), octet < 16 ? ParseError::kUnknownType : ParseError::kBadVersion) << octet;
  }
}

TEST(Message, IsNotTakenForAnother) {  // R-5.1-b
  expect_only_its_own_type<RelayDiscovery>(1);
  expect_only_its_own_type<RelayAdvertisement>(2);
  expect_only_its_own_type<Request>(3);
  expect_only_its_own_type<MembershipQuery>(4);
  expect_only_its_own_type<MembershipUpdate>(5);
  expect_only_its_own_type<MulticastData>(6);
  expect_only_its_own_type<Teardown>(7);
}

TEST(ResponseMac, DiffersInEveryBit) {
  const ResponseMac mac = test::mac("a1a2a3a4a5a6");
  EXPECT_TRUE(equal_constant_time(mac, test::mac("a1a2a3a4a5a6")));
  for (std::size_t bit = 0; bit < 48; ++bit) {
    ResponseMac other = mac;
    other.octets[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(equal_constant_time(mac, other)) << bit;
  }
}

}  // namespace
}  // namespace amt::wire
