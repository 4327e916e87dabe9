#pragma once
/// The log of a host's interfaces about one channel: the AMT messages, the join, the stream's packets. Pure: the caller
/// gives datagrams and the time of each.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amt/channel.hh"
#include "amt/time.hh"
#include "ip/datagram.hh"
#include "wire/message.hh"

namespace amt {

/// One AMT control message as it passed.
struct ControlMessage {
  Duration at{};
  /// Gateway to relay.
  bool outgoing = false;
  wire::MessageType type = wire::MessageType::kRequest;
  IpAddress relay;
  /// Its contents, for a person.
  std::string detail;
};

class TunnelLog {
 public:
  /// `channel` has a source. Tunnels of the family `outer` are looked at, and the stream on UDP port `port`.
  TunnelLog(Channel channel, std::uint16_t port, Family outer);

  /// Takes one IP datagram, possibly several merged by the kernel. A datagram of another channel or tunnel is ignored.
  void handle(Duration at, bool outgoing, Bytes datagram);

  /// In order; the first few hundred.
  [[nodiscard]] const std::vector<ControlMessage>& messages() const { return messages_; }
  /// The host's own IGMP or MLD report that asks for the channel.
  [[nodiscard]] std::optional<Duration> reported() const { return reported_; }
  /// First Multicast Data of the channel (any port).
  [[nodiscard]] std::optional<Duration> first_data() const { return first_data_; }
  /// First datagram of the channel outside a tunnel (any port).
  [[nodiscard]] std::optional<Duration> first_native() const { return first_native_; }
  /// Datagrams of the stream in Multicast Data messages.
  [[nodiscard]] std::uint64_t stream_in_tunnel() const { return stream_in_tunnel_; }
  /// Datagrams of the stream outside a tunnel.
  [[nodiscard]] std::uint64_t stream_native() const { return stream_native_; }

 private:
  void handle_tunnel(Duration at, bool outgoing, const IpAddress& relay, Bytes payload);
  void handle_data(Duration at, Bytes payload);
  void handle_native(Duration at, const DatagramView& datagram);
  void handle_report(Duration at, const DatagramView& datagram);
  [[nodiscard]] bool is_stream(const DatagramView& datagram) const;

  Channel channel_;
  std::uint16_t port_;
  Family outer_;
  std::vector<ControlMessage> messages_;
  std::optional<Duration> reported_;
  std::optional<Duration> first_data_;
  std::optional<Duration> first_native_;
  std::uint64_t stream_in_tunnel_ = 0;
  std::uint64_t stream_native_ = 0;
};

/// UDP payload of the demo's stream: seven MPEG-TS packets, as is usual (RFC 2250 §2).
inline constexpr std::size_t kStreamPayloadOctets = 1316;

}  // namespace amt
