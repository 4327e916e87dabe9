#include "sim/groups.hh"

namespace amt::sim {

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }

const Endpoint& anycast_v4() {
  static const Endpoint kAnycast{address("192.52.193.1"), kAmtPort};
  return kAnycast;
}

const Endpoint& anycast_v6() {
  static const Endpoint kAnycast{address("2001:3::1"), kAmtPort};
  return kAnycast;
}

const std::array<GroupPlan, 2>& plans() {
  static const std::array<GroupPlan, 2> kPlans{{
      {{address("232.1.1.1"), address("232.1.1.2"), address("239.1.1.1"), address("239.1.1.2")},
       {address("198.51.100.1"), address("198.51.100.2"), address("198.51.100.3")}},
      {{address("ff3e::8000:1"), address("ff3e::8000:2"), address("ff0e::1:1")},
       {address("2001:db8:5::1"), address("2001:db8:5::2"), address("2001:db8:5::3")}},
  }};
  return kPlans;
}

}  // namespace amt::sim
