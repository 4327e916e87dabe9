#include "engine/receiver.hh"

#include "ip/fragment.hh"
#include "ip/udp.hh"

namespace amt {

struct Receiver::Impl {
  Impl(const ReceiverOptions& options, PacketHandler handler) : port(options.port), on_packets(std::move(handler)) {}

  void handle_datagrams(Instant now, std::span<const Bytes> datagrams);
  void handle_datagram(Instant now, Bytes octets);
  void handle_whole(const DatagramView& datagram);
  void hand_on(Instant now);

  std::optional<std::uint16_t> port;
  PacketHandler on_packets;
  std::vector<Packet> packets;
  Reassembler reassembler;
  ReceiverDrops drops;
  std::unique_ptr<RelaySet> relays;
};

void Receiver::Impl::handle_datagrams(Instant now, std::span<const Bytes> datagrams) {
  for (const Bytes datagram : datagrams) handle_datagram(now, datagram);
  hand_on(now);
}

void Receiver::Impl::handle_datagram(Instant now, Bytes octets) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) {
    ++drops.malformed;
    return;
  }
  if (!datagram->is_fragment()) return handle_whole(*datagram);
  // Ports are in the first fragment only: rebuild first, look at ports then (CONFORMANCE X-3.2-a).
  const std::optional<Bytes> whole = reassembler.add(now, *datagram);
  if (!whole) return;
  if (const Result<DatagramView, IpError> rebuilt = DatagramView::parse(*whole)) {
    handle_whole(*rebuilt);
    hand_on(now);  // the reassembler's buffer is good until its next datagram only
  }
}

void Receiver::Impl::handle_whole(const DatagramView& datagram) {
  const Result<UdpView, UdpError> udp = UdpView::parse(datagram);
  if (!udp) {
    switch (udp.error()) {
      case UdpError::kNotUdp:
        ++drops.not_udp;
        break;
      case UdpError::kTruncated:
        ++drops.malformed;
        break;
      case UdpError::kBadChecksum:
        ++drops.bad_checksum;
        break;
    }
    return;
  }
  if (port && udp->destination_port != *port) {
    ++drops.other_port;
    return;
  }
  packets.push_back({udp->payload, datagram.source, udp->source_port, udp->destination_port});
}

void Receiver::Impl::hand_on(Instant now) {
  if (!packets.empty()) on_packets(now, packets);
  packets.clear();
}

SysResult<std::unique_ptr<Receiver>> Receiver::create(EventLoop& loop, ReceiverOptions options, Random& random,
                                                      PacketHandler on_packets) {
  auto impl = std::make_unique<Impl>(options, std::move(on_packets));
  GatewayConnectionOptions& connection = options.relays.connection;
  connection.verify_transport = false;  // UdpView::parse does, also for what comes in fragments
  connection.gateway.request_when_idle = false;
  connection.port_purpose = "receive";
  SysResult<std::unique_ptr<RelaySet>> relays = RelaySet::create(
      loop, std::move(options.relays), random, [&receiver = *impl](Instant now, std::span<const Bytes> datagrams) {
        receiver.handle_datagrams(now, datagrams);
      });
  if (!relays) return Unexpected<SysError>(relays.error());
  impl->relays = std::move(*relays);
  const SourceFilter filter = options.channel.source ? SourceFilter{FilterMode::kInclude, {*options.channel.source}}
                                                     : SourceFilter{FilterMode::kExclude, {}};
  if (!impl->relays->set_membership(options.channel.group, filter)) {
    return Unexpected<SysError>(SysError{"join", options.channel.to_string(), EINVAL});
  }
  return std::unique_ptr<Receiver>(new Receiver(std::move(impl)));
}

Receiver::Receiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Receiver::~Receiver() = default;

void Receiver::shutdown() { impl_->relays->shutdown(); }
const RelaySet& Receiver::relays() const { return *impl_->relays; }

ReceiverDrops Receiver::drops() const {
  ReceiverDrops drops = impl_->drops;
  drops.reassembly = impl_->reassembler.discarded();
  return drops;
}

}  // namespace amt
