#pragma once
/// The channels that `amt serve` knows: those of its playlist, and those that are announced on the network.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/playlist.hh"
#include "engine/runtime/host_client.hh"
#include "engine/sap/announcement_listener.hh"
#include "engine/serve/served_channel.hh"
#include "observe/http_download.hh"

namespace amt {

/// Lives on its loop's thread.
class ServeLists {
 public:
  /// Relays of the list that have names.
  static constexpr std::size_t kRelayNamesMax = 64;

  /// `config` outlives it.
  ServeLists(EventLoop& loop, const ServeConfig& config)
      : loop_(loop), config_(config), hosts_(loop), timer_(loop, [this] { on_timer(); }) {}

  /// Of a file. Error: one line for the user.
  [[nodiscard]] Result<void, std::string> read_file();
  /// From now on a list of a URL is fetched, relays are looked up, and announcements are heard. `tunnel`: as in
  /// `AnnouncementListenerOptions`.
  void begin(Random& random, std::function<Result<ReceiverOptions, std::string>()> tunnel);
  /// Fetches or reads the playlist again. One that cannot be used changes nothing.
  void reload();
  void shutdown();

  /// The playlist, and behind it what is announced and does not stand there; valid until the caller returns to the
  /// loop.
  [[nodiscard]] const Playlist& current();
  /// The entries of the playlist alone.
  [[nodiscard]] std::size_t listed() const { return playlist_.entries.size(); }
  /// Null: announcements are not heard.
  [[nodiscard]] const SessionDirectory* announced() const { return listener_ ? &listener_->directory() : nullptr; }
  /// Where the playlist says which relay has a channel: its addresses. Error: it has a name that cannot be looked up.
  [[nodiscard]] Result<std::vector<Endpoint>, std::string> relays_of(const ChannelKey& key) const;

 private:
  void fetch();
  void take(Playlist list);
  void look_up_relays();
  void on_timer();

  EventLoop& loop_;
  const ServeConfig& config_;
  Playlist playlist_;
  Playlist merged_;
  std::optional<std::uint64_t> merged_changes_;
  std::map<std::string, std::vector<IpAddress>> relay_addresses_;
  HostClient hosts_;
  std::optional<HttpDownload> download_;
  bool is_fetched_ = false;
  std::optional<AnnouncementListener> listener_;
  Timer timer_;
};

}  // namespace amt
