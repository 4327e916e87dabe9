/// The relay of amt/test_relay.h: `Relay` behind functions of C.

#include "amt/test_relay.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hh"
#include "ip/udp.hh"
#include "relay/relay.hh"

namespace {

/// What is sent and not polled yet; then `amt_test_relay_send` has no memory.
constexpr std::size_t kMessagesMax = 100'000;
constexpr std::size_t kPayloadOctetsMax = 65'000;
constexpr std::uint8_t kHopLimit = 32;

struct Message {
  amt::Endpoint to;
  std::vector<std::byte> octets;
};

std::optional<amt::Endpoint> endpoint_of(const amt_endpoint& endpoint) {
  if (endpoint.length != 4 && endpoint.length != 16) return std::nullopt;
  const amt::Bytes octets = std::as_bytes(std::span(endpoint.octets)).first(endpoint.length);
  return amt::Endpoint{amt::IpAddress::from_bytes(octets), endpoint.port};
}

amt_endpoint endpoint_of(const amt::Endpoint& endpoint) {
  amt_endpoint out{};
  const auto octets = endpoint.address.bytes();
  std::memcpy(out.octets, octets.data(), octets.size());
  out.length = static_cast<std::uint8_t>(octets.size());
  out.port = endpoint.port;
  return out;
}

amt::RelayOptions options_of(const amt::Endpoint& address) {
  amt::RelayOptions options;
  (address.address.is_v4() ? options.advertise_v4 : options.advertise_v6) = address.address;
  return options;
}

bool is_time(std::int64_t now_ns) { return now_ns >= 0 && now_ns <= AMT_TIME_MAX; }

/// The Multicast Data message (RFC 7450 §5.1.6) with this datagram inside.
std::vector<std::byte> data_message(const amt::Endpoint& source, const amt::Endpoint& group, amt::Bytes payload) {
  amt::HeaderFields header;
  header.source = source.address;
  header.destination = group.address;
  header.hop_limit = kHopLimit;
  std::vector<std::byte> message(amt::wire::kDataHeaderOctets + amt::header_octets(header) + amt::kUdpHeaderOctets +
                                 payload.size());
  message[0] = static_cast<std::byte>(amt::wire::MessageType::kMulticastData);
  amt::write_udp_datagram(std::span(message).subspan(amt::wire::kDataHeaderOctets), header, source.port, group.port,
                          payload);
  return message;
}

}  // namespace

struct amt_test_relay {
  amt_test_relay(const amt::Endpoint& address, amt::Instant now)
      : local{address}, last(now), relay(options_of(address), random, now) {}

  amt::Instant advance(std::int64_t now_ns) {
    return last = std::max(last, amt::Instant(std::chrono::nanoseconds(now_ns)));
  }
  /// Collects what the machine has to say, and gives when it is to be woken.
  amt::Instant drain();

  amt::SeededRandom random{1};
  amt::LocalAddress local;
  amt::Instant last;
  amt::Relay relay;
  std::deque<Message> messages;
  /// Polled last.
  Message polled;
};

amt::Instant amt_test_relay::drain() {
  while (relay.poll_upstream()) {
  }
  for (;;) {
    const amt::RelayOutput output = relay.poll_output();
    if (const auto* deadline = std::get_if<amt::Deadline>(&output)) return deadline->at;
    if (const auto* message = std::get_if<amt::RelayTransmit>(&output)) {
      messages.push_back({message->to, {message->datagram.begin(), message->datagram.end()}});
    }
  }
}

extern "C" {

amt_test_relay* amt_test_relay_open(const amt_endpoint* address, int64_t now_ns) {
  const std::optional<amt::Endpoint> own = address == nullptr ? std::nullopt : endpoint_of(*address);
  if (!own || !is_time(now_ns)) return nullptr;
  try {
    auto relay = std::make_unique<amt_test_relay>(*own, amt::Instant(std::chrono::nanoseconds(now_ns)));
    relay->drain();
    return relay.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void amt_test_relay_close(amt_test_relay* relay) { const std::unique_ptr<amt_test_relay> ended(relay); }

amt_status amt_test_relay_receive(amt_test_relay* relay, int64_t now_ns, const amt_endpoint* from, const void* octets,
                                  size_t size) {
  if (relay == nullptr || from == nullptr || !is_time(now_ns) || (octets == nullptr && size != 0)) {
    return AMT_ERROR_ARGUMENT;
  }
  const std::optional<amt::Endpoint> gateway = endpoint_of(*from);
  if (!gateway) return AMT_ERROR_ARGUMENT;
  try {
    const amt::Bytes message(static_cast<const std::byte*>(octets), size);
    // What is rejected changes nothing.
    static_cast<void>(relay->relay.handle_datagram(relay->advance(now_ns), {*gateway}, relay->local, message));
    relay->drain();
    return AMT_OK;
  } catch (const std::bad_alloc&) {
    return AMT_ERROR_MEMORY;
  }
}

amt_status amt_test_relay_send(amt_test_relay* relay, int64_t now_ns, const amt_packet* packet, size_t* tunnels) {
  if (relay == nullptr || packet == nullptr || !is_time(now_ns)) return AMT_ERROR_ARGUMENT;
  const std::optional<amt::Endpoint> source = endpoint_of(packet->source);
  const std::optional<amt::Endpoint> group = endpoint_of(packet->group);
  if (!source || !group || source->address.family() != group->address.family() || !group->address.is_multicast() ||
      packet->octets > kPayloadOctetsMax || (packet->payload == nullptr && packet->octets != 0)) {
    return AMT_ERROR_ARGUMENT;
  }
  relay->advance(now_ns);
  const amt::ReplicationTargets targets = relay->relay.targets(source->address, group->address);
  if (tunnels != nullptr) *tunnels = targets.size();
  if (relay->messages.size() + targets.size() > kMessagesMax) return AMT_ERROR_MEMORY;
  try {
    const std::vector<std::byte> message =
        data_message(*source, *group, {static_cast<const std::byte*>(packet->payload), packet->octets});
    targets.for_each([&](amt::TunnelId id) { relay->messages.push_back({relay->relay.tunnel(id).endpoint, message}); });
    return AMT_OK;
  } catch (const std::bad_alloc&) {
    return AMT_ERROR_MEMORY;
  }
}

amt_status amt_test_relay_poll(amt_test_relay* relay, int64_t now_ns, amt_output* output) {
  if (relay == nullptr || output == nullptr || !is_time(now_ns) || output->struct_size < sizeof output->struct_size) {
    return AMT_ERROR_ARGUMENT;
  }
  amt_output out{};
  out.struct_size = std::min(output->struct_size, sizeof out);
  try {
    amt::Instant deadline = relay->drain();
    if (deadline <= relay->advance(now_ns)) {
      relay->relay.handle_timeout(relay->last);
      deadline = relay->drain();
    }
    if (relay->messages.empty()) {
      out.kind = AMT_OUTPUT_DEADLINE;
      out.deadline_ns = deadline == amt::kNoDeadline ? AMT_NO_DEADLINE : deadline.time_since_epoch().count();
    } else {
      relay->polled = std::move(relay->messages.front());
      relay->messages.pop_front();
      out.kind = AMT_OUTPUT_TRANSMIT;
      out.endpoint = endpoint_of(relay->polled.to);
      out.octets = relay->polled.octets.data();
      out.size = relay->polled.octets.size();
    }
  } catch (const std::bad_alloc&) {
    return AMT_ERROR_MEMORY;
  }
  std::memcpy(output, &out, out.struct_size);
  return AMT_OK;
}

}  // extern "C"
