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

 private:
  struct Impl;
  explicit Receiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
