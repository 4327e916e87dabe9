#include "wire/relay_address.hh"

namespace amt::wire {

bool is_usable_relay(const IpAddress& relay, const IpAddress& discovery) {
  if (relay.is_unspecified() || relay.is_multicast() || relay.is_broadcast()) return false;
  return !relay.is_loopback() || discovery.is_loopback();
}

}  // namespace amt::wire
