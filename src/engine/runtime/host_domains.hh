#pragma once
#include "discovery/service_search.hh"

namespace amt {

/// Where this host's network may have said which relays it has (RFC 6763 §11): the domains that names are looked up
/// in, and the reverse names of the subnets that the default routes leave by.
[[nodiscard]] ServiceDomains service_domains_of_this_host();

}  // namespace amt
