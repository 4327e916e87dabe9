#include "cli/relay_options.hh"

#include <algorithm>

#include "cli/reload_report.hh"
#include "cli/secret_file.hh"
#include "sys/descriptor_limit.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"
#include "sys/processors.hh"

namespace amt {
namespace {

GatewayFieldsPolicy policy(GatewayFields choice) {
  switch (choice) {
    case GatewayFields::kAuto:
      return GatewayFieldsPolicy::kAuto;
    case GatewayFields::kAlways:
      return GatewayFieldsPolicy::kAlways;
    case GatewayFields::kNever:
      break;
  }
  return GatewayFieldsPolicy::kNever;
}

AdmissionLimits admission_limits(const RelayConfig& config) {
  AdmissionLimits limits;
  limits.tunnels_max = config.tunnels_max;
  limits.tunnels_per_address_max =
      config.tunnels_per_address_max.value_or(AdmissionLimits::tunnels_of_one_address(config.tunnels_max));
  limits.channels_max = config.channels_max;
  limits.one_may_have_all_channels = config.channels_per_address_max.value_or(0) >= config.channels_max;
  limits.channels_per_address_max = config.channels_per_address_max.value_or(limits.channels_per_address_max);
  return limits;
}

AnswerLimits answer_limits(const RelayConfig& config) {
  AnswerLimits limits;
  limits.queries_per_address_max = config.requests_per_second_max;
  limits.advertisements_per_address_max = config.discoveries_per_second_max;
  // Without a limit of one address the operator expects a load of its own.
  const bool is_limited = config.requests_per_second_max != 0;
  limits.per_prefix_max = config.answers_per_prefix_max.value_or(is_limited ? limits.per_prefix_max : 0);
  limits.total_max = config.answers_max.value_or(is_limited ? limits.total_max : 0);
  return limits;
}

}  // namespace

std::vector<IpAddress> default_relay_addresses() {
  std::vector<IpAddress> addresses;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    if (const std::optional<IpAddress> address = default_route_address(family)) addresses.push_back(*address);
  }
  return addresses;
}

Result<RelayEngineOptions, std::string> relay_engine_options(const RelayConfig& config) {
  RelayEngineOptions options;
  const std::vector<IpAddress> local = config.local.empty() ? default_relay_addresses() : config.local;
  if (local.empty()) {
    return Unexpected<std::string>(
        "--local: there is no default route to take an address from; name one (example: --local 192.0.2.1)");
  }
  for (const IpAddress& address : local) {
    options.local.push_back({address, config.relay_port});
    std::optional<IpAddress>& advertised = address.is_v4() ? options.relay.advertise_v4 : options.relay.advertise_v6;
    if (!advertised) advertised = address;
  }
  for (const IpAddress& address : config.advertise) {
    (address.is_v4() ? options.relay.advertise_v4 : options.relay.advertise_v6) = address;
  }
  for (const IpAddress& address : config.discovery) options.discovery.push_back({address, config.relay_port});
  options.upstream = config.upstream;
  options.descriptors_max = raise_descriptor_limit();
  options.workers = config.workers.value_or(std::min(processor_count(), kWorkersMax));
  if (config.interface) options.router = RouterUpstreamOptions{*config.interface, config.interface_addresses};

  options.relay.robustness = config.robustness;
  options.relay.query_interval = config.query_interval;
  options.relay.limits = admission_limits(config);
  options.relay.allowed_groups = config.allowed_groups;
  options.relay.groups_per_tunnel_max = config.groups_max;
  options.relay.sources_per_group_max = config.sources_max;
  options.relay.answers = answer_limits(config);
  options.relay.updates_per_second_max = config.updates_per_second_max;
  options.data_path.rate_cap.tunnel_bits_per_second = config.tunnel_bits_per_second_max;
  if (config.bits_per_second_max)
    options.data_path.rate_cap.total = std::make_shared<TotalRateCap>(*config.bits_per_second_max);
  options.relay.ecn = !config.no_ecn;
  options.relay.unreachable_max = config.unreachable_max;
  options.relay.strict = config.strict;
  options.relay.gateway_fields = policy(config.gateway_fields);
  options.relay.secret_lifetime = config.secret_lifetime;
  options.data_path.batch_delay_max = config.batch_delay_max;
  if (config.mtu.kind == PathMtuChoice::Kind::kFixed) options.data_path.path_mtu.fixed_octets = config.mtu.octets;
  options.data_path.path_mtu.dynamic = config.mtu.kind == PathMtuChoice::Kind::kAuto;
  options.data_path.path_mtu.min_octets = config.mtu_min;
  options.data_path.path_mtu.tell_sources = config.tell_sources;
  if (config.secret_file) {
    Result<SecretFile, std::string> file = read_secret_file(*config.secret_file);
    if (!file) return Unexpected<std::string>(file.error());
    if (!file->ids.empty()) log_info("--secret-file: keys {}; {} signs", joined(file->ids), file->signing);
    options.relay.keys = std::move(file->keys);
  }
  return options;
}

}  // namespace amt
