#pragma once
/// Hears the announcements of sessions on this host's networks, and through a tunnel.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/gateway/receiver.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/sap/announcement_socket.hh"
#include "sap/session_directory.hh"

namespace amt {

struct AnnouncementListenerOptions {
  /// On this host's networks.
  bool is_native = true;
  /// Empty: every interface that is up, but loopback, those that come later too.
  std::vector<std::string> interfaces{};
  Duration timeout = SessionDirectory::kTimeout;
  /// The relays of a tunnel through which the groups of global scope are heard, too; asked once for each. Nothing: no
  /// tunnel. Error: one line for the user.
  std::function<Result<ReceiverOptions, std::string>()> tunnel{};
};

/// Keeps a directory up to date. Lives on its loop's thread.
class AnnouncementListener {
 public:
  static constexpr std::size_t kInterfacesMax = 32;

  AnnouncementListener(EventLoop& loop, AnnouncementListenerOptions options, Random& random);
  ~AnnouncementListener();

  /// Leaves the groups.
  void shutdown();
  [[nodiscard]] const SessionDirectory& directory() const { return directory_; }

 private:
  void check_interfaces();
  void listen_on(const std::string& interface, int index);
  void open_tunnels(Random& random);
  void take(Instant now, const IpAddress& from, Bytes datagram);
  void set_timer();

  EventLoop& loop_;
  AnnouncementListenerOptions options_;
  SessionDirectory directory_;
  std::vector<std::unique_ptr<AnnouncementSocket>> sockets_;
  std::vector<std::unique_ptr<Receiver>> tunnels_;
  bool is_deafness_logged_ = false;
  Timer check_timer_;
  Timer expiry_timer_;
};

}  // namespace amt
