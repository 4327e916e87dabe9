#pragma once
/// Receiving one channel without privileges: no interface, one UDP socket, own decapsulation.

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "amt/channel.hh"
#include "engine/relay_set.hh"

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

/// Why an inner datagram did not become a payload.
struct ReceiverDrops {
  std::uint64_t not_udp = 0;
  std::uint64_t bad_checksum = 0;
  std::uint64_t malformed = 0;
  std::uint64_t other_port = 0;
  std::uint64_t reassembly = 0;  ///< datagrams whose fragments did not all come, or did not fit
};

/// Lives on its event loop's thread.
class Receiver {
 public:
  struct Packet {
    Bytes payload;
    IpAddress source;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
  };
  /// Packets in order of arrival; valid during the call.
  using PacketHandler = std::function<void(Instant now, std::span<const Packet> packets)>;

  static SysResult<std::unique_ptr<Receiver>> create(EventLoop& loop, ReceiverOptions options, Random& random,
                                                     PacketHandler on_packets);
  ~Receiver();

  void shutdown();

  [[nodiscard]] const RelaySet& relays() const;
  [[nodiscard]] ReceiverDrops drops() const;
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
