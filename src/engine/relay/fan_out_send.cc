/// Sends the queued messages of the fan-out, once more where the link took less, and handles their errors.

#include <cerrno>

#include "engine/relay/fan_out.hh"

namespace amt {

void FanOut::flush(Instant now, Queue& queue) {
  send(queue);
  if (!refused_.empty()) {
    // The kernel has just said how much these links take.
    queue.socket->poll_errors([&](const SocketError& error) { note_error(now, error); });
    std::swap(refused_, resent_);
    for (const Refused& refused : resent_) resend(now, queue, refused);
    resent_.clear();
    send(queue);
    relay_.counters().add(RelayCounter::kDataTooBig, refused_.size());
    refused_.clear();
  }
  queue.fragments.clear();
  queue.fragment_pieces.clear();
}

void FanOut::resend(Instant now, Queue& queue, const Refused& refused) {
  const std::optional<NarrowPaths::Room> room = narrow_paths_.room(now, relay_.tunnel(refused.tunnel).endpoint);
  const std::size_t inner_octets = refused.message->size() - wire::kDataHeaderOctets;
  if (room && inner_octets > room->inner_octets_max) {
    enqueue_fragments(queue, refused.tunnel, refused.run, refused.piece, *refused.message, *room);
  } else {
    append(queue, {refused.tunnel, refused.run, 1, inner_octets, refused.piece}, {refused.message, 1}, 0);
  }
}

void FanOut::send(Queue& queue) {
  if (queue.messages.empty()) return;
  for (const Outgoing& origin : queue.origins) account(origin, 1);
  back_end_.send(now_, *queue.socket, queue.messages,
                 [&](const SendFailure& failure) { note_failure(queue, failure); });
  queue.messages.clear();
  queue.origins.clear();
}

void FanOut::note_failure(const Queue& queue, const SendFailure& failure) {
  const Outgoing& origin = queue.origins[failure.index];
  for (std::uint32_t i = 0; i < origin.packets; ++i) {
    if (!failure.is_unsent(i)) continue;
    const Bytes& message = queue.messages[failure.index].pieces[i];
    account({origin.tunnel, origin.run, 1, message.size() - wire::kDataHeaderOctets, origin.first_piece}, -1);
    if (failure.code == EMSGSIZE) {
      const std::uint32_t piece = origin.first_piece == kFragment ? kFragment : origin.first_piece + i;
      refused_.push_back({origin.tunnel, origin.run, piece, &message});
    } else {
      relay_.counters().add(RelayCounter::kDataSendErrors);
    }
  }
}

void FanOut::handle_error(Instant now, const SocketError& error) {
  note_error(now, error);
  end_unreachable(now);
}

void FanOut::note_error(Instant now, const SocketError& error) {
  if (!relay_.has_tunnel_at(error.to)) return;
  if (!error.from_network) {
    if (error.code == EMSGSIZE) narrow_paths_.learn_link(now, error.to.address, error.mtu_octets);
    return;
  }
  const bool is_proven = probes_.is_answer(now, error);
  if (error.code == EMSGSIZE && is_proven) {
    narrow_paths_.learn_path(now, error.to, error.mtu_octets);
    probes_.settle(error.to);
  } else if (error.code == EMSGSIZE) {
    const std::optional<std::size_t> octets = narrow_paths_.octets_to_ask(now, error.to, error.mtu_octets);
    if (!octets) return;
    probes_.ask(now, error.to, *octets);
  } else if (error.is_unreachable) {
    if (!is_proven) probes_.ask(now, error.to, 0);
    unreachable_.push_back({error.to, is_proven});
  } else {
    return;
  }
  relay_.counters().add(is_proven ? RelayCounter::kIcmpProven : RelayCounter::kIcmpUnproven);
  if (!is_proven) send_probes(now);
}

void FanOut::end_unreachable(Instant now) {
  for (const Unreachable& one : unreachable_) {
    relay_.handle_unreachable(now, TunnelEndpoint{one.gateway}, one.is_proven);
  }
  unreachable_.clear();
}

void FanOut::send_probes(Instant now) {
  probes_.send_due(now, [this](const Endpoint& gateway, std::span<const Bytes> pieces) {
    const RelayTunnel* const tunnel = relay_.tunnel_at(gateway);
    if (tunnel == nullptr) return false;
    const Transmit probe{.to = gateway, .pieces = pieces};
    // A probe that is lost here is like one lost on the way: the next ICMP error starts another.
    queue_of(tunnel->local).socket->send({&probe, 1}, [](const SendFailure&) {});
    relay_.counters().add(RelayCounter::kPathProbesSent);
    return true;
  });
}

void FanOut::account(const Outgoing& origin, int copies) {
  // Unsigned arithmetic wraps, so adding minus one times a number takes it away.
  const auto sign = static_cast<std::uint64_t>(copies);
  RelayTunnel& tunnel = relay_.tunnel(origin.tunnel);
  tunnel.packets += sign * origin.packets;
  tunnel.bytes += sign * origin.octets;
  if (tunnel.counts_channels) {
    const Run& run = runs_[origin.run];
    relay_.count_sent(origin.tunnel, run.source, run.group, sign * origin.packets, sign * origin.octets);
  }
  relay_.counters().add(RelayCounter::kDataPacketsSent, sign * origin.packets);
  relay_.counters().add(RelayCounter::kDataBytesSent, sign * origin.octets);
}

}  // namespace amt
