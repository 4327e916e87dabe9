#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "amt/version.hh"
#include "observe/status.hh"

namespace amt {
namespace {

namespace json = boost::json;

// Whole seconds: Boost.JSON writes 61.5 as 6.15E1, and nobody needs more.
std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

json::object counters(const std::vector<CounterStatus>& list) {
  json::object out;
  for (const CounterStatus& counter : list) out[counter.name] = counter.value;
  return out;
}

json::array memberships(const std::vector<MembershipStatus>& list) {
  json::array out;
  for (const MembershipStatus& membership : list) {
    json::array sources;
    for (const IpAddress& source : membership.filter.sources) sources.emplace_back(source.to_string());
    out.push_back(json::object{{"group", membership.group.to_string()},
                               {"mode", membership.filter.mode == FilterMode::kInclude ? "include" : "exclude"},
                               {"sources", std::move(sources)}});
  }
  return out;
}

json::value address(const std::optional<IpAddress>& value) {
  return value ? json::value(json::string(value->to_string())) : json::value(nullptr);
}

json::object head(const char* role, Duration uptime, const std::vector<CounterStatus>& list) {
  const std::string_view version_text = version();
  return {{"role", role},
          {"version", json::string_view(version_text.data(), version_text.size())},
          {"uptime_seconds", whole_seconds(uptime)},
          {"counters", counters(list)}};
}

json::object native_part(const NativeStatus& native) {
  json::array interfaces;
  for (const NativeLanStatus& lan : native.interfaces) {
    interfaces.push_back(
        json::object{{"interface", lan.interface}, {"up", lan.up}, {"groups", lan.groups}, {"drops", lan.drops}});
  }
  json::array channels;
  for (const ServedChannelStatus& one : native.channels) {
    channels.push_back(json::object{{"group", one.channel.group.to_string()},
                                    {"source", address(one.channel.source)},
                                    {"served_by", one.served_by}});
  }
  return {{"interfaces", std::move(interfaces)}, {"channels", std::move(channels)}};
}

}  // namespace

std::string to_json(const RelayStatus& status) {
  json::object out = head("relay", status.uptime, status.counters);
  json::array tunnels;
  for (const TunnelStatus& tunnel : status.tunnels) {
    tunnels.push_back(json::object{{"endpoint", tunnel.endpoint.to_string()},
                                   {"family", tunnel.endpoint.address.is_v4() ? "ipv4" : "ipv6"},
                                   {"groups", memberships(tunnel.groups)},
                                   {"packets", tunnel.packets},
                                   {"bytes", tunnel.bytes},
                                   {"expires_seconds", std::chrono::ceil<std::chrono::seconds>(tunnel.expires).count()},
                                   {"path", tunnel.path}});
  }
  json::array channels;
  for (const ChannelStatus& channel : status.channels) {
    channels.push_back(json::object{{"group", channel.group.to_string()},
                                    {"source", address(channel.source)},
                                    {"tunnels", channel.tunnels},
                                    {"packets", channel.packets},
                                    {"bytes", channel.bytes}});
  }
  json::array upstreams;
  for (const UpstreamStatus& upstream : status.upstreams) {
    upstreams.push_back(json::object{{"interface", upstream.interface},
                                     {"mode", upstream.mode},
                                     {"joins_missing", upstream.joins_missing},
                                     {"queries", upstream.queries},
                                     {"reports", upstream.reports},
                                     {"drops", upstream.drops}});
  }
  out["upstreams"] = std::move(upstreams);
  json::array workers;
  for (const WorkerStatus& worker : status.workers) {
    workers.push_back(json::object{{"tunnels", worker.tunnels},
                                   {"packets", worker.packets},
                                   {"bytes", worker.bytes},
                                   {"receive_drops", worker.receive_drops},
                                   {"upstream_drops", worker.upstream_drops}});
  }
  out["workers"] = std::move(workers);
  out["tunnels"] = std::move(tunnels);
  out["channels"] = std::move(channels);
  return json::serialize(out);
}

std::string to_json(const GatewayStatus& status) {
  json::object out = head("gateway", status.uptime, status.counters);
  json::array relays;
  for (const GatewayRelayStatus& relay : status.relays) {
    relays.push_back(json::object{{"address", relay.relay.address.to_string()},
                                  {"port", relay.relay.port},
                                  {"state", relay.state},
                                  {"groups", relay.groups},
                                  {"packets", relay.packets},
                                  {"bytes", relay.bytes}});
  }
  out["relays"] = std::move(relays);
  out["memberships"] = memberships(status.memberships);
  json::array downstreams;
  for (const DownstreamStatus& downstream : status.downstreams) {
    const DownstreamInfo& info = downstream.info;
    downstreams.push_back(json::object{
        {"interface", info.interface},
        {"kind", info.kind},
        {"up", info.up},
        {"querier", json::object{{"ipv4", info.is_querier[0]}, {"ipv6", info.is_querier[1]}}},
        {"querier_address", json::object{{"ipv4", address(info.querier[0])}, {"ipv6", address(info.querier[1])}}},
        {"groups", memberships(downstream.groups)},
        {"packets", info.packets},
        {"bytes", info.bytes},
        {"drops", info.drops},
        {"hop_limit_exceeded", info.hop_limit_exceeded},
        {"too_big", info.too_big}});
  }
  out["downstreams"] = std::move(downstreams);
  if (status.native) out["native"] = native_part(*status.native);
  return json::serialize(out);
}

}  // namespace amt
