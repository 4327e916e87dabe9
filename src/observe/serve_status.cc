#include "observe/serve_status.hh"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "amt/version.hh"
#include "base/seconds.hh"

namespace amt {
namespace {

namespace json = boost::json;

struct Counter {
  std::string_view name;    ///< in the status
  std::string_view family;  ///< in the metrics, behind `amt_serve_`
  std::string_view labels;
  std::string_view help;
  std::uint64_t value;
};

/// The one list of counters for both forms.
std::vector<Counter> counters(const ServeStatus& status) {
  const ServeTotals& totals = status.service->totals();
  const ServeRefusals& refused = status.refusals;
  const auto by_service = [&](StreamRefusal reason) { return status.service->refused(reason); };
  const std::string_view kRejects = "Requests that were refused, by reason";
  const std::string_view kBytes = "Octets of payload, received once for each channel, and sent to viewers";
  return {
      {"data_packets_in", "data_packets", R"(direction="in")", "UDP datagrams of the channels", totals.packets},
      {"data_bytes_in", "data_bytes", R"(direction="in")", kBytes, totals.received_octets},
      {"data_bytes_out", "data_bytes", R"(direction="out")", kBytes, totals.sent_octets},
      {"viewers_begun", "viewers_begun", "", "Viewers that began to watch", totals.viewers},
      {"viewer_skips", "viewer_skips", "", "Times that a slow viewer skipped to a newer key frame", totals.skips},
      {"viewer_skipped_bytes", "viewer_skipped_bytes", "", "Octets that slow viewers skipped", totals.skipped_octets},
      {"viewers_stalled", "viewers_stalled", "", "Viewers whose connection was closed since they took nothing",
       totals.stalled},
      {"rejects_bad_path", "rejects", R"(reason="bad_path")", kRejects, refused.bad_path},
      {"rejects_foreign_page", "rejects", R"(reason="foreign_page")", kRejects, refused.foreign_page},
      {"rejects_not_allowed", "rejects", R"(reason="not_allowed")", kRejects, refused.not_allowed},
      {"rejects_no_token", "rejects", R"(reason="no_token")", kRejects, refused.no_token},
      {"rejects_not_found", "rejects", R"(reason="not_found")", kRejects, refused.not_found},
      {"rejects_nothing_came", "rejects", R"(reason="nothing_came")", kRejects, refused.nothing_came},
      {"rejects_channels", "rejects", R"(reason="channels")", kRejects, by_service(StreamRefusal::kChannels)},
      {"rejects_viewers", "rejects", R"(reason="viewers")", kRejects, by_service(StreamRefusal::kViewers)},
      {"rejects_receiver", "rejects", R"(reason="receiver")", kRejects, by_service(StreamRefusal::kReceiver)},
  };
}

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

json::object viewer_object(const ServedChannel::ViewerStatus& viewer) {
  return {{"address", viewer.name},
          {"since_seconds", seconds(viewer.since)},
          {"bytes", viewer.sent_octets},
          {"behind_bytes", viewer.behind_octets},
          {"skips", viewer.skips}};
}

json::object channel_object(const ServedChannel::Status& channel) {
  json::object out{{"channel", to_string(channel.key)},
                   {"group", channel.key.channel.group.to_string()},
                   {"source", nullptr},
                   {"port", channel.key.port},
                   {"state", channel.state},
                   {"reason", channel.reason},
                   {"name", channel.service_name},
                   {"scrambled", channel.is_scrambled},
                   {"served_by", view(to_string(channel.served_by))},
                   {"native_interface", nullptr},
                   {"viewers", channel.viewers.size() + channel.viewers_waiting},
                   {"hls", channel.is_read_by_hls},
                   {"packets", channel.packets},
                   {"bytes", channel.octets},
                   {"bits_per_second", channel.bits_per_second},
                   {"lost", channel.lost},
                   {"late", channel.late},
                   {"duplicates", channel.duplicates},
                   {"repaired", channel.repaired},
                   {"discarded_bytes", channel.discarded_octets},
                   {"skips", channel.skips},
                   {"memory_bytes", channel.memory_octets},
                   {"idle_seconds", nullptr}};
  if (channel.key.channel.source) out["source"] = channel.key.channel.source->to_string();
  if (channel.native_interface) out["native_interface"] = *channel.native_interface;
  if (channel.silence) out["idle_seconds"] = seconds(*channel.silence);
  json::array& streams = out["streams"].emplace_array();
  for (const std::string& one : channel.streams) streams.emplace_back(one);
  json::array& relays = out["relays"].emplace_array();
  for (const Endpoint& one : channel.relays) relays.emplace_back(one.to_string());
  json::array& viewers = out["viewer_list"].emplace_array();
  for (const ServedChannel::ViewerStatus& one : channel.viewers) viewers.emplace_back(viewer_object(one));
  return out;
}

json::object announced_object(const SessionDirectory& directory, Instant now) {
  json::object out;
  json::array& entries = out["entries"].emplace_array();
  for (const auto& [key, session] : directory.sessions()) {
    const AnnouncedStream& stream = *session.description.stream;
    entries.emplace_back(
        json::object{{"channel", to_string(ChannelKey{.channel = stream.channel, .port = stream.port})},
                     {"name", session.description.name},
                     {"group_title", session.description.group_title},
                     {"announcer", session.announcer.to_string()},
                     {"heard_seconds", seconds(now - session.heard)},
                     {"expires_seconds", seconds(session.expires - now)}});
  }
  json::object& counted = out["counters"].emplace_object();
  directory.counters().for_each([&](std::string_view name, std::uint64_t value) { counted[view(name)] = value; });
  return out;
}

void add_announced(MetricsText& out, const std::string& prefix, const SessionDirectory& directory) {
  using Type = MetricsText::Type;
  out.begin(prefix + "announced_sessions", Type::kGauge, "Sessions that are announced on the networks (SAP)");
  out.add("", directory.sessions().size());
  out.begin(prefix + "sap", Type::kCounter, "Announcements of sessions, by what became of them");
  directory.counters().for_each(
      [&](std::string_view name, std::uint64_t value) { out.add(label("result", without_reject(name)), value); });
}

}  // namespace

std::string serve_status_json(const ServeStatus& status, Instant now) {
  json::object out{{"role", "serve"},
                   {"version", view(version())},
                   {"uptime_seconds", seconds(status.uptime)},
                   {"viewers", status.service->viewer_count()},
                   {"playlist_entries", status.list_entries}};
  json::array& channels = out["channels"].emplace_array();
  for (const ServedChannel::Status& one : status.service->status(now)) channels.emplace_back(channel_object(one));
  if (status.announced != nullptr) out["announced"] = announced_object(*status.announced, now);
  json::object& counted = out["counters"].emplace_object();
  for (const Counter& one : counters(status)) counted[view(one.name)] = one.value;
  return json::serialize(out);
}

std::string serve_channels_json(const ServeStatus& status, std::span<const ListedChannel> listed, Instant now) {
  std::map<std::string, json::object> received;
  for (const ServedChannel::Status& one : status.service->status(now)) {
    json::object object = channel_object(one);
    object.erase("viewer_list");
    received[to_string(one.key)] = std::move(object);
  }
  json::array out;
  for (const ListedChannel& one : listed) {
    json::object entry;
    if (const auto found = received.find(one.channel); found != received.end()) {
      entry = std::move(found->second);
      received.erase(found);
    }
    entry["channel"] = one.channel;
    if (!one.name.empty()) entry["name"] = one.name;
    entry["group_title"] = one.group_title;
    out.emplace_back(std::move(entry));
  }
  for (auto& [channel, object] : received) out.emplace_back(std::move(object));
  return json::serialize(out);
}

std::string serve_metrics(const ServeStatus& status, Instant now, MetricsFormat format) {
  using Type = MetricsText::Type;
  MetricsText out(format);
  const std::string prefix = "amt_serve_";
  out.begin("amt_build", Type::kInfo, "Version and role of this process");
  out.add(label("version", version()) + "," + label("role", "serve"), 1);
  out.begin(prefix + "uptime_seconds", Type::kGauge, "Seconds since the start");
  out.add("", static_cast<std::uint64_t>(std::max(seconds(status.uptime), 0.0)));
  out.begin(prefix + "channels", Type::kGauge, "Channels that are received");
  out.add("", status.service->channel_count());
  out.begin(prefix + "viewers", Type::kGauge, "Viewers, those that wait for a channel to begin too");
  out.add("", status.service->viewer_count());
  std::uint64_t lost = 0;
  std::uint64_t memory = 0;
  for (const ServedChannel::Status& one : status.service->status(now)) {
    lost += one.lost;
    memory += one.memory_octets;
  }
  out.begin(prefix + "lost_ts_packets", Type::kGauge, "Transport packets missing in the channels that are received");
  out.add("", lost);
  out.begin(prefix + "memory_bytes", Type::kGauge, "Octets of the channels that are kept for viewers");
  out.add("", memory);
  std::string_view family;
  for (const Counter& one : counters(status)) {
    if (one.family != family) out.begin(prefix + std::string(one.family), Type::kCounter, one.help);
    family = one.family;
    out.add(one.labels, one.value);
  }
  if (status.announced != nullptr) add_announced(out, prefix, *status.announced);
  return out.finish();
}

}  // namespace amt
