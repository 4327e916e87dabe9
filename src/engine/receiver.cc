#include "engine/receiver.hh"

#include "engine/native_channel.hh"
#include "engine/native_first.hh"
#include "ip/fragment.hh"
#include "ip/udp.hh"

namespace amt {

struct Receiver::Impl {
  Impl(const ReceiverOptions& options, PacketHandler handler) : port(options.port), on_packets(std::move(handler)) {}

  void handle_datagrams(Instant now, std::span<const Bytes> datagrams);
  void handle_datagram(Instant now, Bytes octets);
  void handle_whole(Instant now, const DatagramView& datagram);
  void handle_native(Instant now, std::span<const NativeChannel::Packet> natively, std::uint16_t to_port);
  void hand_on(Instant now);
  void start_native(EventLoop& loop, const ReceiverOptions& options, Random& random);

  std::optional<std::uint16_t> port;
  PacketHandler on_packets;
  std::vector<Packet> packets;
  Reassembler reassembler;
  ReceiverDrops drops;
  IpAddress group;
  std::unique_ptr<RelaySet> relays;
  std::optional<NativeFirst> native;
  // Last: its handler uses what is above.
  std::optional<NativeChannel> native_channel;
};

void Receiver::Impl::handle_datagrams(Instant now, std::span<const Bytes> datagrams) {
  for (const Bytes datagram : datagrams) handle_datagram(now, datagram);
  hand_on(now);
  if (native) native->settle();
}

void Receiver::Impl::handle_datagram(Instant now, Bytes octets) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) {
    ++drops.malformed;
    return;
  }
  if (!datagram->is_fragment()) return handle_whole(now, *datagram);
  // Ports are in the first fragment only: rebuild first, look at ports then (CONFORMANCE X-3.2-a).
  const std::optional<Bytes> whole = reassembler.add(now, *datagram);
  if (!whole) return;
  if (const Result<DatagramView, IpError> rebuilt = DatagramView::parse(*whole)) {
    handle_whole(now, *rebuilt);
    hand_on(now);  // the reassembler's buffer is good until its next datagram only
  }
}

void Receiver::Impl::handle_whole(Instant now, const DatagramView& datagram) {
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
  if (native && !native->accept(now, NativeFirst::Way::kTunnel, {datagram.source, udp->source_port},
                                {datagram.destination, udp->destination_port}, udp->payload)) {
    return;
  }
  packets.push_back({udp->payload, datagram.source, udp->source_port, udp->destination_port});
}

void Receiver::Impl::handle_native(Instant now, std::span<const NativeChannel::Packet> natively,
                                   std::uint16_t to_port) {
  for (const NativeChannel::Packet& packet : natively) {
    if (!native->accept(now, NativeFirst::Way::kNative, packet.source, {group, to_port}, packet.payload)) continue;
    packets.push_back({packet.payload, packet.source.address, packet.source.port, to_port});
  }
  hand_on(now);
  native->settle();
}

void Receiver::Impl::start_native(EventLoop& loop, const ReceiverOptions& options, Random& random) {
  native_channel.emplace(loop, NativeChannelOptions{options.channel, *options.port, options.native_interface},
                         [this, to_port = *options.port](Instant now, std::span<const NativeChannel::Packet> natively) {
                           handle_native(now, natively, to_port);
                         });
  native.emplace(loop, *relays, random, [this](const IpAddress&, const SourceFilter& filter) {
    // One channel: all of it or nothing.
    if (filter.is_nothing()) {
      native_channel->leave();
    } else {
      native_channel->join();
    }
  });
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
  const SourceFilter filter = filter_of(options.channel);
  impl->group = options.channel.group;
  if (options.native && options.port) impl->start_native(loop, options, random);
  const bool accepted = impl->native ? impl->native->set_membership(options.channel.group, filter)
                                     : impl->relays->set_membership(options.channel.group, filter);
  if (!accepted) {
    return Unexpected<SysError>(SysError{"join", options.channel.to_string(), EINVAL});
  }
  return std::unique_ptr<Receiver>(new Receiver(std::move(impl)));
}

Receiver::Receiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Receiver::~Receiver() = default;

void Receiver::shutdown() {
  if (impl_->native) impl_->native->shutdown();
  if (impl_->native_channel) impl_->native_channel->leave();
  impl_->relays->shutdown();
}
const RelaySet& Receiver::relays() const { return *impl_->relays; }

std::string Receiver::reason_of_silence() const {
  const std::string reason = impl_->relays->reason_of_silence();
  return impl_->native ? "it does not come natively, and " + reason : reason;
}

std::optional<Receiver::Native> Receiver::native() const {
  if (!impl_->native) return std::nullopt;
  return Native{impl_->native_channel->interface(), impl_->native->packets(), impl_->native->duplicates(),
                impl_->native_channel->receive_drops()};
}

ReceiverDrops Receiver::drops() const {
  ReceiverDrops drops = impl_->drops;
  drops.reassembly = impl_->reassembler.discarded();
  return drops;
}

}  // namespace amt
