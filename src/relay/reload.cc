/// The options of a relay that change while it runs.

#include "relay/relay_impl.hh"

namespace amt {

void RelayShared::set_limits(const RelayOptions& options) {
  admission.set_limits(options.limits);
  answers.set_limits(options.answers);
  updates.set_limit(options.updates_per_second_max);
}

void Relay::Impl::set_options(Instant now, const RelayOptions& fresh) {
  options.advertise_v4 = fresh.advertise_v4;
  options.advertise_v6 = fresh.advertise_v6;
  options.retired = fresh.retired;
  options.allowed_groups = fresh.allowed_groups;
  options.groups_per_tunnel_max = fresh.groups_per_tunnel_max;
  options.sources_per_group_max = fresh.sources_per_group_max;
  options.answers = fresh.answers;
  options.unreachable_max = fresh.unreachable_max;
  options.ecn = fresh.ecn;
  options.strict = fresh.strict;
  // Every tunnel looks at these.
  router_options.groups_max = fresh.groups_per_tunnel_max;
  router_options.sources_per_group_max = fresh.sources_per_group_max;
  if (!options.keys.empty() && !fresh.keys.empty()) {
    options.keys = fresh.keys;
    secrets.set_keys(now, fresh.keys);
  }
}

}  // namespace amt
