#include "discovery/domain_name.hh"

#include <gtest/gtest.h>
#include <algorithm>

#include "base/test_bytes.hh"

namespace amt {
namespace {

using test::hex;

DomainName name(std::string_view text) {
  const std::optional<DomainName> parsed = DomainName::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(*DomainName::parse("."));
}

TEST(DomainName, ReverseOfIpv4IsUnderInAddrArpa) {  // D-3.4-a
  EXPECT_EQ(DomainName::reverse_of(*IpAddress::parse("69.25.95.10")).to_string(), "10.95.25.69.in-addr.arpa.");
  EXPECT_EQ(DomainName::reverse_of(*IpAddress::parse("198.51.100.0")).to_string(), "0.100.51.198.in-addr.arpa.");
}

TEST(DomainName, ReverseOfIpv6Has32Nibbles) {  // D-3.4-a
  // RFC 3596 §2.5
  EXPECT_EQ(DomainName::reverse_of(*IpAddress::parse("4321:0:1:2:3:4:567:89ab")).to_string(),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa.");
}

TEST(DomainName, ReadsWireFormAndWritesIt) {
  const auto wire = hex("09616d7472656c617973 076578616d706c65 03636f6d 00");
  const std::optional<DomainName> parsed = DomainName::from_wire(wire);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->to_string(), "amtrelays.example.com.");
  EXPECT_EQ(name("amtrelays.example.com"), *parsed);
  EXPECT_TRUE(std::ranges::equal(name("amtrelays.example.com.").wire(), wire));
  EXPECT_EQ(DomainName::from_wire(hex("00"))->to_string(), ".");
}

TEST(DomainName, RefusesWhatIsNotExactlyOneName) {  // D-4.2.3-a, X-7.1-b
  for (const char* wire : {"", "03636f6d", "03636f", "03636f6d 00 00", "03636f6d c00c", "c00c", "40", "80 00"}) {
    EXPECT_FALSE(DomainName::from_wire(hex(wire))) << wire;
  }
}

TEST(DomainName, LengthsEndAt63And255) {
  const std::string label(63, 'a');
  EXPECT_TRUE(DomainName::parse(label));
  EXPECT_FALSE(DomainName::parse(label + 'a'));
  // 3 * 64 + 62 + 1 = 255 octets, then 256
  const std::string three = label + '.' + label + '.' + label + '.';
  EXPECT_TRUE(DomainName::parse(three + std::string(61, 'b')));
  EXPECT_FALSE(DomainName::parse(three + std::string(62, 'b')));
}

TEST(DomainName, CaseDoesNotCountAndIsKept) {
  EXPECT_EQ(name("Relay.EXAMPLE"), name("relay.example"));
  EXPECT_EQ(name("Relay.EXAMPLE").to_string(), "Relay.EXAMPLE.");
  EXPECT_NE(name("relay.example"), name("relay2.example"));
}

TEST(DomainName, EscapesRoundTrip) {
  for (const char* text : {"a\\.b.example.", "with\\032blank.example.", "\\255.example.", "q\\\"uote."}) {
    EXPECT_EQ(name(text).to_string(), text);
    EXPECT_EQ(DomainName::from_wire(name(text).wire()), name(text));
  }
  EXPECT_EQ(name("a\\.b").wire().size(), 5U);
}

TEST(DomainName, RefusesBrokenText) {
  for (const char* text : {"", "..", ".a", "a..b", "a\\", "a\\25", "a\\256"}) {
    EXPECT_FALSE(DomainName::parse(text)) << text;
  }
}

}  // namespace
}  // namespace amt
