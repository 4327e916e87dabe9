#include "cli/serve_lists.hh"

#include <algorithm>
#include <fstream>
#include <set>

#include "ip/address.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

constexpr std::size_t kPlaylistOctetsMax = std::size_t{4} << 20;
/// A server of this host that is not up yet.
constexpr Duration kFetchAgainAfter = std::chrono::seconds(5);
/// As the relays of --relay: a resolver of the host tells no TTL.
constexpr Duration kLookUpInterval = RelayNames::kRefresh;

void log_problems(const std::string& name, const Playlist& list) {
  constexpr std::size_t kProblemsShown = 10;
  for (std::size_t i = 0; i < std::min(list.problems.size(), kProblemsShown); ++i) {
    log_warn("--playlist {}: {}", name, list.problems[i]);
  }
}

Result<Playlist, std::string> read_playlist(const std::string& path) {
  const auto fail = [&path](const char* why) { return Unexpected<std::string>("--playlist " + path + ": " + why); };
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("cannot be read");
  std::string text(kPlaylistOctetsMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail("cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kPlaylistOctetsMax) return fail("larger than 4 MiB");
  Playlist list = Playlist::parse(text);
  log_problems(path, list);
  return list;
}

/// An announced session as an entry. Its texts are an outsider's: without what ends an attribute.
PlaylistEntry entry_of(const SessionDescription& session) {
  std::string group = session.group_title.empty() ? "Announced" : session.group_title;
  std::ranges::replace(group, '"', '\'');
  const AnnouncedStream& stream = *session.stream;
  return {.name = session.name,
          .attributes = "group-title=\"" + group + "\"",
          .url = ChannelUrl{.channel = stream.channel, .port = stream.port},
          .is_rtp = stream.is_rtp};
}

const std::string* relay_name(const PlaylistEntry& entry) {
  const ChannelUrl* const url = entry.channel();
  return url != nullptr && url->relay ? std::get_if<std::string>(&url->relay->host) : nullptr;
}

}  // namespace

Result<void, std::string> ServeLists::read_file() {
  if (!config_.playlist) return {};
  Result<Playlist, std::string> list = read_playlist(*config_.playlist);
  if (!list) return Unexpected<std::string>(list.error());
  take(std::move(*list));
  return {};
}

void ServeLists::take(Playlist list) {
  playlist_ = std::move(list);
  merged_changes_.reset();
}

void ServeLists::begin(Random& random, std::function<Result<ReceiverOptions, std::string>()> tunnel) {
  if (config_.sap.is_heard || config_.sap.tunnel) {
    listener_.emplace(loop_,
                      AnnouncementListenerOptions{.is_native = config_.sap.is_heard,
                                                  .interfaces = config_.sap.interfaces,
                                                  .timeout = config_.sap.timeout,
                                                  .tunnel = config_.sap.tunnel ? std::move(tunnel) : nullptr},
                      random);
  }
  if (config_.playlist_url) fetch();
  look_up_relays();
}

void ServeLists::shutdown() {
  timer_.set(kNoDeadline);
  download_.reset();
  if (listener_) listener_->shutdown();
}

void ServeLists::reload() {
  if (config_.playlist_url) return fetch();
  if (const Result<void, std::string> read = read_file(); !read) {
    return log_error("SIGHUP: {}; the list stays as it was", read.error());
  }
  if (config_.playlist) log_info("SIGHUP: the playlist has {} entries", playlist_.entries.size());
  look_up_relays();
}

void ServeLists::fetch() {
  const LocalUrl& url = *config_.playlist_url;
  download_.emplace(loop_.context(),
                    HttpDownloadRequest{
                        .server = url.server, .host = url.host, .target = url.target, .octets_max = kPlaylistOctetsMax},
                    [this, &url](Result<std::string, std::string> body) {
                      if (!body) {
                        log_warn_limited("playlist", "--playlist {}: {}; the list stays as it was", url.to_string(),
                                         body.error());
                        if (!is_fetched_) timer_.set(monotonic_now() + kFetchAgainAfter);
                        return;
                      }
                      is_fetched_ = true;
                      take(Playlist::parse(*body));
                      log_problems(url.to_string(), playlist_);
                      log_info("--playlist {}: {} entries", url.to_string(), playlist_.entries.size());
                      look_up_relays();
                    });
}

void ServeLists::on_timer() {
  if (config_.playlist_url && !is_fetched_) fetch();
  look_up_relays();
}

void ServeLists::look_up_relays() {
  std::set<std::string> names;
  for (const PlaylistEntry& entry : playlist_.entries) {
    const std::string* const name = relay_name(entry);
    if (name != nullptr && names.size() < kRelayNamesMax) names.insert(*name);
  }
  std::erase_if(relay_addresses_, [&](const auto& known) { return !names.contains(known.first); });
  for (const std::string& name : names) {
    hosts_.look_up(name, [this, name](const HostAnswer& answer) {
      std::vector<IpAddress> usable;
      std::ranges::copy_if(answer.addresses, std::back_inserter(usable),
                           [](const IpAddress& one) { return is_routed_unicast(one) || one.is_loopback(); });
      // A name that cannot be looked up keeps its addresses.
      if (usable.empty()) return log_warn_limited("relay", "the relay {} of the playlist: {}", name, answer.problem);
      relay_addresses_[name] = std::move(usable);
    });
  }
  if (!names.empty()) timer_.set(monotonic_now() + kLookUpInterval);
}

const Playlist& ServeLists::current() {
  const SessionDirectory* const directory = announced();
  if (directory == nullptr) return playlist_;
  if (merged_changes_ == directory->changes()) return merged_;
  merged_ = playlist_;
  merged_changes_ = directory->changes();
  std::set<std::pair<Channel, std::uint16_t>> known;
  for (const PlaylistEntry& entry : playlist_.entries) {
    if (const ChannelUrl* const url = entry.channel()) known.emplace(url->channel, *url->port);
  }
  for (const auto& [key, session] : directory->sessions()) {
    const AnnouncedStream& stream = *session.description.stream;
    if (known.emplace(stream.channel, stream.port).second) merged_.entries.push_back(entry_of(session.description));
  }
  return merged_;
}

Result<std::vector<Endpoint>, std::string> ServeLists::relays_of(const ChannelKey& key) const {
  std::vector<Endpoint> relays;
  for (const PlaylistEntry& entry : playlist_.entries) {
    const ChannelUrl* const url = entry.channel();
    if (url == nullptr || !url->relay || url->channel != key.channel || url->port != key.port) continue;
    const std::uint16_t port = url->relay->port != 0 ? url->relay->port : config_.relay.relay_port;
    if (const auto* const address = std::get_if<IpAddress>(&url->relay->host)) {
      relays.push_back({*address, port});
      return relays;
    }
    const auto found = relay_addresses_.find(std::get<std::string>(url->relay->host));
    if (found == relay_addresses_.end()) {
      return Unexpected<std::string>("the relay " + url->relay->to_string() +
                                     " of the playlist is not found in the DNS");
    }
    for (const IpAddress& address : found->second) relays.push_back({address, port});
    return relays;
  }
  return relays;
}

}  // namespace amt
