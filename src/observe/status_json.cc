#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "amt/version.hh"
#include "observe/row_order.hh"
#include "observe/status.hh"

namespace amt {
namespace {

namespace json = boost::json;

// Whole seconds: Boost.JSON writes 61.5 as 6.15E1, and more digits are of no use.
std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

json::object counters(const std::vector<CounterStatus>& list) {
  json::object out;
  for (const CounterStatus& counter : list) {
    out[json::string_view(counter.info->name.data(), counter.info->name.size())] = counter.value;
  }
  return out;
}

json::object membership_object(const MembershipStatus& membership) {
  json::array sources;
  for (const IpAddress& source : membership.filter.sources) sources.emplace_back(source.to_string());
  return {{"group", membership.group.to_string()},
          {"mode", membership.filter.mode == FilterMode::kInclude ? "include" : "exclude"},
          {"sources", std::move(sources)}};
}

json::array group_list(const std::vector<MembershipStatus>& list) {
  json::array out;
  for (const MembershipStatus& membership : list) out.push_back(membership_object(membership));
  return out;
}

bool matches(const StatusQuery& query, const MembershipStatus& membership) {
  if (query.group && !query.group->contains(membership.group)) return false;
  return !query.address || std::ranges::any_of(membership.filter.sources, [&](const IpAddress& source) {
    return query.address->contains(source);
  });
}

/// A gateway's membership, with its data.
json::array memberships(std::vector<MembershipStatus> list, const StatusQuery& query) {
  std::erase_if(list, [&](const MembershipStatus& one) { return !matches(query, one); });
  if (query.sort) {
    const auto order = membership_order(*query.sort);
    if (order) std::ranges::stable_sort(list, *order);
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(std::min(query.offset, list.size())));
    if (list.size() > query.top) list.erase(list.begin() + static_cast<std::ptrdiff_t>(query.top), list.end());
  }
  json::array out;
  for (const MembershipStatus& one : list) {
    json::object object = membership_object(one);
    object["packets"] = one.use.packets;
    object["bytes"] = one.use.bytes;
    object["idle_seconds"] = one.use.idle ? json::value(whole_seconds(*one.use.idle)) : json::value(nullptr);
    out.push_back(std::move(object));
  }
  return out;
}

json::value address(const std::optional<IpAddress>& value) {
  return value ? json::value(json::string(value->to_string())) : json::value(nullptr);
}

json::object head(const char* role, Duration uptime, const std::vector<CounterStatus>& list, bool with_counters) {
  const std::string_view version_text = version();
  json::object out = {{"role", role},
                      {"version", json::string_view(version_text.data(), version_text.size())},
                      {"uptime_seconds", whole_seconds(uptime)}};
  if (with_counters) out["counters"] = counters(list);
  return out;
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

/// The relay's parts.
void append_machinery(json::object& out, const RelayStatus& status) {
  json::array upstreams;
  for (const UpstreamStatus& upstream : status.upstreams) {
    upstreams.push_back(json::object{{"interface", upstream.interface},
                                     {"up", upstream.up},
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
}

}  // namespace

std::string status_head_json(const RelayStatus& status, bool with_counters) {
  json::object out = head("relay", status.uptime, status.counters, with_counters);
  std::uint64_t tunnels = 0;
  for (const WorkerStatus& worker : status.workers) tunnels += worker.tunnels;
  out["tunnel_count"] = tunnels;
  out["channel_count"] = status.channel_count;
  out["draining"] = status.draining;
  if (with_counters) append_machinery(out, status);
  std::string text = json::serialize(out);
  // The lists follow.
  text.pop_back();
  return text;
}

std::string to_json(const GatewayStatus& status, const StatusQuery& query) {
  json::object out = head("gateway", status.uptime, status.counters, query.counters);
  if (query.memberships) out["memberships"] = memberships(status.memberships, query);
  // A request for one list gets that list alone.
  if (!query.counters) return json::serialize(out);
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
  json::array downstreams;
  for (const DownstreamStatus& downstream : status.downstreams) {
    const DownstreamInfo& info = downstream.info;
    json::object counted;
    for (const DownstreamCounter& counter : info.counters) counted[counter.name()] = counter.value;
    downstreams.push_back(json::object{
        {"interface", info.interface},
        {"kind", info.kind},
        {"up", info.up},
        {"querier", json::object{{"ipv4", info.is_querier[0]}, {"ipv6", info.is_querier[1]}}},
        {"querier_address", json::object{{"ipv4", address(info.querier[0])}, {"ipv6", address(info.querier[1])}}},
        {"groups", group_list(downstream.groups)},
        {"packets", info.packets},
        {"bytes", info.bytes},
        {"drops", info.drops},
        {"hop_limit_exceeded", info.hop_limit_exceeded},
        {"too_big", info.too_big},
        {"counters", std::move(counted)}});
  }
  out["downstreams"] = std::move(downstreams);
  if (status.native) out["native"] = native_part(*status.native);
  return json::serialize(out);
}

}  // namespace amt
