#include "engine/gateway/receiver.hh"

#include <cerrno>
#include <utility>
#include <vector>

#include "base/assert.hh"
#include "engine/gateway/native_channel.hh"

namespace amt {

struct Receiver::Impl {
  void start_native(Loop& loop, const ReceiverOptions& options);

  Channel channel;
  std::unique_ptr<RelaySet> relays;
  std::vector<Payload> natively;
  // Last: its handler uses the members above.
  std::optional<NativeChannel> native;
};

void Receiver::Impl::start_native(Loop& loop, const ReceiverOptions& options) {
  native.emplace(loop, NativeChannelOptions{options.channel, *options.port, options.native_interface},
                 [this, to = Endpoint{options.channel.group, *options.port}](
                     Instant now, std::span<const NativeChannel::Packet> packets) {
                   natively.clear();
                   for (const NativeChannel::Packet& packet : packets) {
                     natively.push_back({packet.payload, packet.source, to});
                   }
                   relays->handle_native(now, natively);
                 });
}

SysResult<std::unique_ptr<Receiver>> Receiver::create(Loop& loop, ReceiverOptions options, Random& random,
                                                      PacketHandler on_packets) {
  auto impl = std::make_unique<Impl>();
  const bool native = options.native && options.port;
  if (native) impl->start_native(loop, options);
  ClientOptions& client = options.relays.client;
  client.gateway.request_when_idle = false;
  client.port_purpose = "receive";
  client.payloads = true;
  client.payload_port = options.port;
  client.native = native;
  // One channel: all of it or nothing.
  options.relays.on_join_natively = [&receiver = *impl](const IpAddress&, const SourceFilter& filter) {
    if (filter.is_nothing()) {
      receiver.native->leave();
    } else {
      receiver.native->join();
    }
  };
  SysResult<std::unique_ptr<RelaySet>> relays =
      RelaySet::create(loop, std::move(options.relays), random,
                       [on_packets = std::move(on_packets)](Instant now, const ClientPackets& packets) {
                         on_packets(now, packets.payloads);
                       });
  if (!relays) return Unexpected<SysError>(relays.error());
  impl->relays = std::move(*relays);
  impl->channel = options.channel;
  if (!impl->relays->set_membership(options.channel.group, filter_of(options.channel))) {
    return Unexpected<SysError>(SysError{"join", options.channel.to_string(), EINVAL});
  }
  return std::unique_ptr<Receiver>(new Receiver(std::move(impl)));
}

Receiver::Receiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Receiver::~Receiver() = default;

bool Receiver::change_channel(const Channel& channel) {
  AMT_ASSERT(!impl_->native);
  const Channel old = std::exchange(impl_->channel, channel);
  if (!impl_->relays->set_membership(channel.group, filter_of(channel))) {
    impl_->channel = old;
    return false;
  }
  // The new one first: the relay and its tunnel stay.
  if (old.group != channel.group) AMT_ASSERT(impl_->relays->set_membership(old.group, {}));
  return true;
}

void Receiver::shutdown() {
  if (impl_->native) impl_->native->leave();
  impl_->relays->shutdown();
}
const Client& Receiver::client() const { return impl_->relays->client(); }

std::uint64_t Receiver::receive_drops() const {
  return impl_->relays->receive_drops() + (impl_->native ? impl_->native->receive_drops() : 0);
}

std::string Receiver::reason_of_silence() const {
  const std::string reason = client().reason_of_silence();
  return impl_->native ? "it does not come natively, and " + reason : reason;
}

std::optional<Receiver::Native> Receiver::native() const {
  if (!impl_->native) return std::nullopt;
  return Native{impl_->native->interface(), client().native_packets(), client().duplicates(),
                impl_->native->receive_drops()};
}

}  // namespace amt
