#include "membership/departure.hh"

#include <gtest/gtest.h>

#include <vector>

#include "ip/udp.hh"
#include "membership/message.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;
using std::chrono::seconds;

IpAddress a(const char* text) { return *IpAddress::parse(text); }

Octets udp(const char* source, const char* destination) {
  HeaderFields header;
  header.source = a(source);
  header.destination = a(destination);
  header.hop_limit = 5;
  Octets out(200);
  out.resize(write_udp_datagram(out, header, 4000, 5000, Octets(100)));
  return out;
}

Octets query(const char* source, const char* group) {
  GroupQuery query;
  query.group = a(group);
  query.max_response_time = seconds(1);
  return write_query(a(source), query);
}

TEST(Departure, IsDataAboveLinkScopeAlone) {
  EXPECT_EQ(classify_departure(udp("192.0.2.1", "232.1.2.3")), Departure::kData);
  EXPECT_EQ(classify_departure(udp("2001:db8::1", "ff3e::8000:1")), Departure::kData);
  EXPECT_EQ(classify_departure(udp("2001:db8::1", "ff15::1")), Departure::kData);
  for (const char* group : {"224.0.0.251", "224.0.0.13", "198.18.0.2", "255.255.255.255"}) {
    EXPECT_EQ(classify_departure(udp("198.18.0.1", group)), Departure::kOther) << group;
  }
  for (const char* group : {"ff02::fb", "ff02::d", "ff02::2", "ff01::1", "ff12::1", "fe80::2"}) {
    EXPECT_EQ(classify_departure(udp("fe80::1", group)), Departure::kOther) << group;
  }
  EXPECT_EQ(classify_departure({}), Departure::kOther);
  EXPECT_EQ(classify_departure(Bytes(udp("192.0.2.1", "232.1.2.3")).first(30)), Departure::kOther);
}

TEST(Departure, IsMembershipWhateverItsGroup) {
  for (const char* group : {"0.0.0.0", "232.1.2.3", "239.1.2.3"}) {
    EXPECT_EQ(classify_departure(query("198.18.0.1", group)), Departure::kMembership) << group;
  }
  for (const char* group : {"::", "ff3e::8000:1", "ff15::1"}) {
    EXPECT_EQ(classify_departure(query("fe80::1", group)), Departure::kMembership) << group;
  }
  EXPECT_EQ(classify_departure(write_older_report(a("198.18.0.1"), {2, a("239.1.2.3")})), Departure::kMembership);
  EXPECT_EQ(classify_departure(write_older_report(a("fe80::1"), {1, a("ff15::1")})), Departure::kMembership);
}

}  // namespace
}  // namespace amt
