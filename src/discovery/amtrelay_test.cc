#include "discovery/amtrelay.hh"

#include <gtest/gtest.h>

#include "base/test_bytes.hh"

namespace amt {
namespace {

using test::hex;

AmtRelay record(std::string_view text) {
  const auto parsed = AmtRelay::parse_text(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(AmtRelay{});
}
AmtRelayError error_of(std::string_view rdata) {
  const auto parsed = AmtRelay::parse(hex(rdata));
  EXPECT_FALSE(parsed) << rdata;
  return parsed ? AmtRelayError{} : parsed.error();
}

/// Vectors computed by hand: those that RFC 8777 prints are wrong (X-7.1-a, X-10-8).
struct Vector {
  const char* text;
  const char* rdata;
};
const Vector kVectors[] = {
    {"10 0 1 203.0.113.15", "0a01cb00710f"},
    {"10 0 2 2001:db8::15", "0a0220010db8000000000000000000000015"},
    {"128 1 3 amtrelays.example.com.", "808309616d7472656c617973076578616d706c6503636f6d00"},
    {"10 0 0 .", "0a00"},
    {"255 1 3 .", "ff8300"},
};

TEST(AmtRelay, ReadsAndWritesEveryType) {  // D-4.1-a, D-4.3.1-a, X-7.1-a, X-10-8
  for (const Vector& vector : kVectors) {
    const auto parsed = AmtRelay::parse(hex(vector.rdata));
    ASSERT_TRUE(parsed) << vector.text;
    EXPECT_EQ(parsed->to_string(), vector.text);
    EXPECT_EQ(record(vector.text), *parsed);
    EXPECT_EQ(record(vector.text).rdata(), hex(vector.rdata));
  }
}

TEST(AmtRelay, UnknownTypeFormRoundTrips) {  // D-4.3.2-a
  EXPECT_EQ(record("10 0 1 203.0.113.15").to_unknown_type_string(), "\\# 6 0a01cb00710f");
  EXPECT_EQ(record("\\# 6 0a01cb00710f"), record("10 0 1 203.0.113.15"));
  EXPECT_EQ(record("\\#  6  0A 01 cb00 710F"), record("10 0 1 203.0.113.15"));
  for (const char* text : {"\\#", "\\# 6", "\\# 5 0a01cb00710f", "\\# 6 0a01cb00710", "\\# 6 0a01cb00710g"}) {
    EXPECT_FALSE(AmtRelay::parse_text(text)) << text;
  }
}

TEST(AmtRelay, PrintedExampleWithoutRootLabelIsMalformed) {  // X-7.1-a, D-4.2.3-a
  EXPECT_EQ(error_of("808309616d7472656c617973076578616d706c6503636f6d"), AmtRelayError::kBadName);
}

TEST(AmtRelay, DiscoveryOptionalIsTheHighBitOfTheType) {  // D-4.2.2-a, D-4.2.2-b
  EXPECT_FALSE(AmtRelay::parse(hex("0001c0000201"))->discovery_optional);
  EXPECT_TRUE(AmtRelay::parse(hex("0081c0000201"))->discovery_optional);
  EXPECT_EQ(AmtRelay::parse(hex("0081c0000201"))->relay, AmtRelay::parse(hex("0001c0000201"))->relay);
}

TEST(AmtRelay, DiscoveryIsMandatoryUntilAnOperatorSaysOtherwise) {  // D-4.2.2-c
  EXPECT_FALSE(AmtRelay{}.discovery_optional);
}

TEST(AmtRelay, LengthMustMatchTheType) {  // X-7.1-b
  for (const char* rdata : {"", "0a", "0a0000", "0a01cb0071", "0a01cb00710f00", "0a0220010db8", "0a81"}) {
    EXPECT_EQ(error_of(rdata), AmtRelayError::kBadLength) << rdata;
  }
  EXPECT_EQ(error_of("0a03"), AmtRelayError::kBadName);
  EXPECT_EQ(error_of("0a0303636f6d0000"), AmtRelayError::kBadName);
}

TEST(AmtRelay, CompressedNameIsMalformed) {  // D-4.2.3-a
  EXPECT_EQ(error_of("0a03 05 72656c6179 c00c"), AmtRelayError::kBadName);
}

TEST(AmtRelay, MappedAddressIsNoIpv6Relay) {
  EXPECT_EQ(error_of("0a02 00000000000000000000ffffcb00710f"), AmtRelayError::kBadAddress);
}

TEST(AmtRelay, UnknownTypesAreSkippedAlone) {  // D-4.2.3-b
  EXPECT_EQ(error_of("0a04"), AmtRelayError::kUnknownType);
  EXPECT_EQ(error_of("0aff01020304"), AmtRelayError::kUnknownType);
  const auto unknown = hex("0a7f0102");
  const auto broken = hex("0a01cb");
  const auto good = hex("0a01cb00710f");
  const std::vector<Bytes> records{unknown, broken, good};
  const AmtRelaySet set = read_amtrelay_set(records);
  ASSERT_EQ(set.relays.size(), 1U);
  EXPECT_EQ(set.relays[0], record("10 0 1 203.0.113.15"));
  EXPECT_EQ(set.errors, (std::vector{AmtRelayError::kUnknownType, AmtRelayError::kBadLength}));
  EXPECT_FALSE(set.no_relay);
}

TEST(AmtRelay, RefusesAddressesThatAreNoPlaceForARelay) {  // X-7.1-c
  std::vector<std::vector<std::byte>> rdata;
  for (const char* text :
       {"10 0 1 127.0.0.1", "10 0 1 127.9.9.9", "10 0 1 169.254.1.1", "10 0 1 0.0.0.0", "10 0 1 232.1.2.3",
        "10 0 1 255.255.255.255", "10 0 2 ::1", "10 0 2 fe80::1", "10 0 2 ::", "10 0 2 ff3e::1"}) {
    rdata.push_back(record(text).rdata());
  }
  rdata.push_back(record("10 0 1 10.1.2.3").rdata());
  const AmtRelaySet set = read_amtrelay_set(std::vector<Bytes>(rdata.begin(), rdata.end()));
  ASSERT_EQ(set.relays.size(), 1U);
  EXPECT_EQ(set.relays[0], record("10 0 1 10.1.2.3"));
  EXPECT_EQ(set.errors, std::vector(10, AmtRelayError::kUnroutable));
}

TEST(AmtRelay, LoneTypeZeroMeansNoRelay) {  // D-4.2.4-a, X-7.1-c
  const auto none = hex("0a00");
  const auto good = hex("0a01cb00710f");
  const auto unknown = hex("0a04");
  EXPECT_TRUE(read_amtrelay_set(std::vector<Bytes>{none}).no_relay);
  EXPECT_TRUE(read_amtrelay_set(std::vector<Bytes>{none, unknown}).no_relay);
  EXPECT_FALSE(read_amtrelay_set(std::vector<Bytes>{none, good}).no_relay);
  EXPECT_EQ(read_amtrelay_set(std::vector<Bytes>{none, good}).relays.size(), 1U);
  EXPECT_FALSE(read_amtrelay_set({}).no_relay);
}

TEST(AmtRelay, SetIsBounded) {
  const auto good = hex("0a01cb00710f");
  const std::vector<Bytes> records(kAmtRelayRecordsMax + 1, good);
  EXPECT_EQ(read_amtrelay_set(records).relays.size(), kAmtRelayRecordsMax);
}

TEST(AmtRelay, RefusesTextThatIsNoRecord) {  // D-4.3.1-a
  for (const char* text :
       {"", "10 0 1", "10 0 1 203.0.113.15 x", "256 0 1 203.0.113.15", "10 2 1 203.0.113.15", "10 0 1 2001:db8::1",
        "10 0 2 203.0.113.15", "10 0 0 203.0.113.15", "10 0 3 a..b", "-1 0 0 .", "10 0 4 .", "10 0 128 ."}) {
    EXPECT_FALSE(AmtRelay::parse_text(text)) << text;
  }
}

}  // namespace
}  // namespace amt
