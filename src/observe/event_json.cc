#include "observe/event_json.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <iterator>

#include "base/assert.hh"

namespace amt {
namespace {

std::string_view name_of(RelayEvent::Kind kind) {
  switch (kind) {
    case RelayEvent::Kind::kTunnelBegin:
      return "tunnel-begin";
    case RelayEvent::Kind::kTunnelEnd:
      return "tunnel-end";
    case RelayEvent::Kind::kChannelBegin:
      return "channel-begin";
    case RelayEvent::Kind::kChannelEnd:
      return "channel-end";
    case RelayEvent::Kind::kFlow:
      break;
  }
  AMT_ASSERT(false);
}

std::string_view name_of(UpstreamOwner::Change::Kind kind) {
  using Kind = UpstreamOwner::Change::Kind;
  switch (kind) {
    case Kind::kJoined:
      return "joined";
    case Kind::kLeft:
      return "left";
    case Kind::kInterfaceLost:
      return "lost";
    case Kind::kInterfaceBack:
      return "back";
    case Kind::kInterfaceDown:
      return "down";
    case Kind::kInterfaceUp:
      return "up";
  }
  AMT_ASSERT(false);
}

bool is_channel(RelayEvent::Kind kind) {
  return kind == RelayEvent::Kind::kChannelBegin || kind == RelayEvent::Kind::kChannelEnd;
}

/// Addresses need no escaping.
void append_channel(std::string& out, const Channel& channel) {
  const std::string source = channel.source ? "\"" + channel.source->to_string() + "\"" : "null";
  fmt::format_to(std::back_inserter(out), R"(,"group":"{}","source":{})", channel.group.to_string(), source);
}

std::string begin_line(WallTime at, std::string_view name) {
  return fmt::format(R"({{"time":"{}","event":"{}")", to_rfc3339(at), name);
}

std::string json_quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

}  // namespace

std::string to_rfc3339(WallTime time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (milliseconds - seconds).count());
}

void append_event(std::string& out, const RelayEvent& event, const WallClock& clock) {
  if (event.kind == RelayEvent::Kind::kFlow) return;
  out += begin_line(clock.at(event.at), name_of(event.kind));
  fmt::format_to(std::back_inserter(out), R"(,"endpoint":"{}")", event.endpoint.to_string());
  if (is_channel(event.kind)) append_channel(out, event.channel);
  if (event.is_end()) {
    const std::chrono::duration<double> seconds = event.at - event.since;
    fmt::format_to(std::back_inserter(out), R"(,"reason":"{}","seconds":{:.3f},"packets":{},"bytes":{})",
                   to_string(event.reason), seconds.count(), event.packets, event.octets);
  }
  out += "}\n";
}

std::string refused_event(WallTime at, RelayReject reason, std::uint64_t count) {
  return begin_line(at, "refused") + fmt::format(R"(,"reason":"{}","count":{}}})", to_string(reason), count) + "\n";
}

std::string upstream_event(WallTime at, const UpstreamOwner::Change& change) {
  std::string line = begin_line(at, "upstream");
  fmt::format_to(std::back_inserter(line), R"(,"change":"{}")", name_of(change.kind));
  if (change.interface.empty()) {
    append_channel(line, change.channel);
  } else {
    line += ",\"interface\":" + json_quoted(change.interface);
  }
  return line + "}\n";
}

std::string named_event(WallTime at, std::string_view name,
                        const std::vector<std::pair<std::string_view, std::string>>& fields) {
  std::string line = begin_line(at, name);
  for (const auto& [key, value] : fields)
    fmt::format_to(std::back_inserter(line), R"(,"{}":{})", key, json_quoted(value));
  return line + "}\n";
}

std::string lost_event(WallTime at, std::uint64_t count) {
  return begin_line(at, "lost") + fmt::format(R"(,"count":{}}})", count) + "\n";
}

}  // namespace amt
