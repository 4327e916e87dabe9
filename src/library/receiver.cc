#include "library/receiver.hh"

#include <utility>

#include "library/c_values.hh"
#include "library/way_to_relay.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr std::size_t kQueueOctetsDefault = 8 << 20;

Failure system_failure(const SysError& error) { return {AMT_ERROR_SYSTEM, error.to_string(), error.code}; }

}  // namespace

Result<std::unique_ptr<LibraryReceiver>, Failure> LibraryReceiver::open(const ReceiveConfig& config,
                                                                        const amt_receiver_options& options) {
  // Only the caller's `on_event` is called.
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
  amt_receiver_statistics all = statistics_of(receiver_->client());
  all.packets = counted_.packets;
  all.octets = counted_.octets;
  all.dropped_unread = counted_.dropped_unread;
  all.other_ports += counted_.other_ports;
  all.dropped_kernel = receiver_->receive_drops();
  return all;
}

}  // namespace amt
