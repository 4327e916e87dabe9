#include "library/receiver.hh"

#include <utility>

#include "library/way_to_relay.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr std::size_t kQueueOctetsDefault = 8 << 20;

Failure system_failure(const SysError& error) { return {AMT_ERROR_SYSTEM, error.to_string(), error.code}; }

amt_level level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
    case LogLevel::kDebug:
      return AMT_LEVEL_DEBUG;
    case LogLevel::kInfo:
      return AMT_LEVEL_INFO;
    case LogLevel::kWarn:
      return AMT_LEVEL_WARNING;
    case LogLevel::kError:
      break;
  }
  return AMT_LEVEL_ERROR;
}

}  // namespace

Result<std::unique_ptr<LibraryReceiver>, Failure> LibraryReceiver::open(const ReceiveConfig& config,
                                                                        const amt_receiver_options& options) {
  // The caller is told by `on_event`, and nobody else.
  silence_log();
  SysResult<std::unique_ptr<PollLoop>> loop = PollLoop::open();
  if (!loop) return Unexpected<Failure>(system_failure(loop.error()));
  const std::size_t queue_octets = options.queue_octets == 0 ? kQueueOctetsDefault : options.queue_octets;
  std::unique_ptr<LibraryReceiver> made(new LibraryReceiver(std::move(*loop), queue_octets));
  made->config_ = config;
  if (options.on_event != nullptr) {
    made->on_event_ = [handler = options.on_event, context = options.event_context](const ClientEvent& event) {
      handler(context, level_of(event.level), event.text.c_str());
    };
  }
  if (Result<void, Failure> begun = made->begin(config.urls.front()); !begun) return Unexpected<Failure>(begun.error());
  return made;
}

LibraryReceiver::~LibraryReceiver() {
  if (receiver_) receiver_->shutdown();
}

Result<void, Failure> LibraryReceiver::begin(const ChannelUrl& url) {
  Result<RelaySetOptions, std::string> relays = relay_set_options(*loop_, relays_for(url, config_.relay), look_up_host);
  if (!relays) return Unexpected<Failure>({AMT_ERROR_NAME, relays.error()});
  ReceiverOptions options;
  options.relays = std::move(*relays);
  options.relays.on_event = on_event_;
  options.channel = url.channel;
  // Without `native` this object looks at ports: another channel may come, with another one.
  options.native = config_.relay.native && url.port;
  if (options.native) options.port = url.port;
  options.native_interface = config_.relay.native_interface;
  SysResult<std::unique_ptr<Receiver>> receiver =
      Receiver::create(*loop_, std::move(options), random_,
                       [this](Instant now, std::span<const Payload> packets) { take(now, packets); });
  if (!receiver) return Unexpected<Failure>(system_failure(receiver.error()));
  url_ = url;
  receiver_ = std::move(*receiver);
  return {};
}

Result<void, Failure> LibraryReceiver::process() {
  const SysResult<void> done = loop_->process(monotonic_now());
  if (!done) return Unexpected<Failure>(system_failure(done.error()));
  return {};
}

Result<void, Failure> LibraryReceiver::join(const ChannelUrl& url) {
  if (config_.relay.native) {
    // The native socket is bound to the port.
    const ChannelUrl old_url = url_;
    std::unique_ptr<Receiver> old = std::move(receiver_);
    if (Result<void, Failure> begun = begin(url); !begun) {
      receiver_ = std::move(old);
      url_ = old_url;
      return begun;
    }
    old->shutdown();
  } else {
    if (!receiver_->change_channel(url.channel)) {
      return Unexpected<Failure>({AMT_ERROR_URL, url.channel.to_string() + ": no relay would take that"});
    }
    url_ = url;
  }
  queue_.clear();
  return {};
}

void LibraryReceiver::take(Instant now, std::span<const Payload> packets) {
  for (const Payload& packet : packets) {
    const bool is_asked = packet.destination.address == url_.channel.group &&
                          (!url_.channel.source || packet.source.address == *url_.channel.source);
    // On its way when the channel was changed.
    if (!is_asked) continue;
    if (url_.port && packet.destination.port != *url_.port) {
      ++counted_.other_ports;
    } else if (queue_.push(now, packet)) {
      ++counted_.packets;
      counted_.octets += packet.octets.size();
    } else {
      ++counted_.dropped_unread;
    }
  }
}

amt_receiver_statistics LibraryReceiver::statistics() const {
  const Client& client = receiver_->client();
  amt_receiver_statistics all = counted_;
  const PayloadDrops drops = client.payload_drops();
  all.other_ports += drops.other_port;
  all.dropped_damaged = drops.bad_checksum + drops.malformed + drops.reassembly;
  all.dropped_kernel = receiver_->receive_drops();
  all.relay_changes = client.counters()[GatewayCounter::kRelayChanges];
  client.for_each_relay([&](const Endpoint&, const Gateway& gateway) {
    if (gateway.phase() == GatewayPhase::kConnected) all.connected = 1;
  });
  return all;
}

}  // namespace amt
