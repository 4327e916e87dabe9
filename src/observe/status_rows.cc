#include "observe/status_rows.hh"

#include <fmt/format.h>

#include <iterator>

namespace amt {
namespace {

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

void append_membership(std::string& out, const MembershipStatus& membership, std::string_view end) {
  out += "{\"group\":\"";
  out += membership.group.to_string();
  out += membership.filter.mode == FilterMode::kInclude ? "\",\"mode\":\"include\",\"sources\":["
                                                        : "\",\"mode\":\"exclude\",\"sources\":[";
  bool is_first = true;
  for (const IpAddress& source : membership.filter.sources) {
    out += std::exchange(is_first, false) ? "\"" : ",\"";
    out += source.to_string();
    out += '"';
  }
  out += ']';
  out += end;
}

void JsonRows::separate(std::string& out) {
  if (!std::exchange(is_first_, false)) out += ',';
}

void JsonRows::add_tunnel(std::string& out, const TunnelPart& part) {
  const TunnelStatus& tunnel = part.tunnel;
  if (part.begins) {
    separate(out);
    fmt::format_to(std::back_inserter(out),
                   R"({{"endpoint":"{}","family":"{}","packets":{},"bytes":{},"since_seconds":{},"heard_seconds":{},)"
                   R"("expires_seconds":{},"path":"{}","groups":[)",
                   tunnel.endpoint.to_string(), tunnel.endpoint.address.is_v4() ? "ipv4" : "ipv6", tunnel.packets,
                   tunnel.bytes, whole_seconds(tunnel.since), whole_seconds(tunnel.heard),
                   std::chrono::ceil<std::chrono::seconds>(tunnel.expires).count(), to_string(tunnel.path));
    is_first_group_ = true;
  }
  for (const MembershipStatus& group : tunnel.groups) {
    if (!std::exchange(is_first_group_, false)) out += ',';
    append_membership(out, group);
  }
  if (part.ends) out += "]}";
}

void JsonRows::add_channel(std::string& out, const ChannelStatus& channel) {
  separate(out);
  fmt::format_to(std::back_inserter(out), R"({{"group":"{}","source":{}{}{},"tunnels":{},"packets":{},"bytes":{}}})",
                 channel.group.to_string(), channel.source ? "\"" : "",
                 channel.source ? channel.source->to_string() : "null", channel.source ? "\"" : "", channel.tunnels,
                 channel.packets, channel.bytes);
}

}  // namespace amt
