#include "membership/pseudo_interface.hh"

#include <gtest/gtest.h>

#include "membership/handmade_datagrams.hh"

namespace amt {
namespace {

using namespace relay_test;

const IpAddress kGroup = ip("239.1.2.3");
const IpAddress kGroup6 = ip("ff1e::1:2:3");

/// What the host's datagrams change, in words.
std::string changed_by(std::initializer_list<Octets> datagrams) {
  PseudoInterface interface { Instant() };
  std::string text;
  for (const Octets& datagram : datagrams) {
    std::vector<FilterChange> changes;
    interface.handle_datagram(Instant(), datagram, changes);
    for (const FilterChange& change : changes) {
      text += (text.empty() ? "" : ", ") + change.group.to_string() + " " + change.after.to_string();
    }
  }
  return text;
}

// R-5.2.3.6.1-a: the six kinds of message that a gateway takes from the host.
TEST(PseudoInterface, TakesReportsAndLeavesOfEveryVersion) {
  EXPECT_EQ(changed_by({report({{kToEx, kGroup, {}}})}), "239.1.2.3 EXCLUDE{}");
  EXPECT_EQ(changed_by({report({{kAllow, ip("ff3e::8000:d"), {ip("2001:db8::a")}}})}),
            "ff3e::8000:d INCLUDE{2001:db8::a}");
  EXPECT_EQ(changed_by({igmp_short("16", kGroup, kGroup), igmp_short("17", kGroup, ip("224.0.0.2"))}),
            "239.1.2.3 EXCLUDE{}, 239.1.2.3 INCLUDE{}");
  EXPECT_EQ(changed_by({mld_short("83", kGroup6, kGroup6), mld_short("84", kGroup6, ip("ff02::2"))}),
            "ff1e::1:2:3 EXCLUDE{}, ff1e::1:2:3 INCLUDE{}");
}

// R-5.2.3.6.1-a: "MUST ignore" the rest; nothing of it becomes an Update.
TEST(PseudoInterface, IgnoresEveryOtherDatagram) {
  Octets damaged = report({{kToEx, kGroup, {}}});
  damaged.back() ^= std::byte{1};
  const Octets cut(damaged.begin(), damaged.end() - 1);
  Octets udp = report({{kToEx, kGroup, {}}});
  udp[9] = std::byte{17};
  put_u16(udp, 10, 0);
  put_u16(udp, 10, checksum(Bytes(udp).first(24)));
  EXPECT_EQ(changed_by({{},
                        damaged,
                        cut,
                        udp,
                        hex("00"),
                        igmp_short("11", ip("0.0.0.0"), ip("224.0.0.1")),
                        igmp_short("42", kGroup, kGroup),
                        mld_short("82", ip("::"), ip("ff02::1")),
                        mld_short("80", kGroup6, kGroup6)}),
            "");
}

}  // namespace
}  // namespace amt
