#pragma once
/// Receiving one channel without privileges: no interface, one UDP socket for each tunnel, own decapsulation.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "amt/channel.hh"
#include "engine/gateway/relay_set.hh"

namespace amt {

struct ReceiverOptions {
  RelaySetOptions relays;
  Channel channel;
  /// UDP port; none: all ports of the group.
  std::optional<std::uint16_t> port;
  /// The local network first, on that interface or the one that the route names; only with a port.
  bool native = false;
  std::optional<std::string> native_interface;
};

/// Lives on its loop's thread.
class Receiver {
 public:
  /// Packets in order of arrival; valid during the call.
  using PacketHandler = std::function<void(Instant now, std::span<const Payload> packets)>;

  static SysResult<std::unique_ptr<Receiver>> create(Loop& loop, ReceiverOptions options, Random& random,
                                                     PacketHandler on_packets);
  ~Receiver();

  /// Another channel in this one's place, by the same relays where they have it; not with `native`. False: no relay
  /// would take that, and nothing changes.
  [[nodiscard]] bool change_channel(const Channel& channel);
  void shutdown();

  [[nodiscard]] const Client& client() const;
  /// Datagrams that the kernel dropped for want of socket buffer, natively too.
  [[nodiscard]] std::uint64_t receive_drops() const;
  /// Why nothing comes, as far as that can be seen from here.
  [[nodiscard]] std::string reason_of_silence() const;
  struct Native {
    std::optional<std::string> interface;
    std::uint64_t packets = 0;     ///< delivered natively
    std::uint64_t duplicates = 0;  ///< not delivered twice
    std::uint64_t receive_drops = 0;
  };
  /// None: only by the tunnel.
  [[nodiscard]] std::optional<Native> native() const;

 private:
  struct Impl;
  explicit Receiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
