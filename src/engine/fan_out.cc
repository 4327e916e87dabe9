#include "engine/fan_out.hh"

#include <algorithm>
#include <cerrno>

#include "base/assert.hh"
#include "ip/fragment.hh"

namespace amt {
namespace {

// Messages that wait for one sendmmsg call.
constexpr std::size_t kMessagesMax = 1024;
constexpr std::uint32_t kNoRun = UINT32_MAX;
// 2^32 over the golden ratio: its multiples are spread evenly over any number of tunnels.
constexpr std::size_t kStartStep = 2654435769U;

}  // namespace

FanOut::FanOut(Relay& relay, std::span<UdpSocket* const> sockets, const PathMtuOptions& path_mtu,
               TooBigListener* too_big, const RateCapOptions& rate_cap, XdpSender* xdp)
    : relay_(relay), narrow_paths_(path_mtu), rate_cap_(rate_cap), too_big_listener_(too_big), xdp_(xdp) {
  queues_.resize(sockets.size());
  for (std::size_t i = 0; i < sockets.size(); ++i) queues_[i].socket = sockets[i];
}

void FanOut::replicate(Instant now, std::span<const CapturedDatagram> batch, HopLimit hop_limit) {
  now_ = now;
  runs_.clear();
  open_run_of_.clear();
  run_of_.assign(batch.size(), kNoRun);
  Counters<RelayCounter>& counters = relay_.counters();
  counters.add(RelayCounter::kDataPacketsIn, batch.size());

  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Result<DatagramAddresses, IpError> addresses = peek_addresses(batch[i].bytes);
    if (!addresses) {
      counters.add(RelayCounter::kDataMalformed);
      continue;
    }
    const ChannelKey key{addresses->source, addresses->destination};
    const std::uint32_t run =
        assign(key, static_cast<std::uint32_t>(batch[i].bytes.size() + wire::kDataHeaderOctets), addresses->ecn);
    if (!runs_[run].wanted) {
      counters.add(RelayCounter::kDataPacketsNoListener);
      continue;
    }
    if (hop_limit == HopLimit::kLower && !decrement_hop_limit(batch[i].bytes)) {
      counters.add(RelayCounter::kDataHopLimitExceeded);
      continue;
    }
    Run& joined = runs_[run];
    const auto octets = static_cast<std::uint32_t>(batch[i].bytes.size() + wire::kDataHeaderOctets);
    if (joined.count == 0) {
      joined.segment_octets = octets;
      joined.ecn = addresses->ecn;
    }
    joined.open = octets == joined.segment_octets;
    joined.total_octets += octets;
    ++joined.count;
    run_of_[i] = run;
  }

  lay_out_pieces(batch);
  for (std::uint32_t run = 0; run < runs_.size(); ++run) {
    if (runs_[run].count != 0) enqueue(now, run);
  }
  for (Queue& queue : queues_) flush(now, queue);
  start_ += kStartStep;
  report_too_big(now);
  for (const Endpoint& gateway : unreachable_) relay_.handle_unreachable(now, TunnelEndpoint{gateway});
  unreachable_.clear();
}

std::uint32_t FanOut::assign(const ChannelKey& key, std::uint32_t octets, Ecn ecn) {
  const auto [entry, is_new] = open_run_of_.try_emplace(key, static_cast<std::uint32_t>(runs_.size()));
  if (!is_new) {
    const Run& run = runs_[entry->second];
    const bool fits = run.count == 0 || (run.open && octets <= run.segment_octets && run.ecn == ecn &&
                                         run.count < kSegmentsMax && run.total_octets + octets <= kTransmitOctetsMax);
    if (fits || !run.wanted) return entry->second;
    entry->second = static_cast<std::uint32_t>(runs_.size());
  }
  Run run;
  run.source = key.source;
  run.group = key.group;
  run.ecn = ecn;
  run.wanted = is_new ? !relay_.targets(key.source, key.group).empty() : true;
  runs_.push_back(run);
  return entry->second;
}

void FanOut::lay_out_pieces(std::span<const CapturedDatagram> batch) {
  std::uint32_t first = 0;
  for (Run& run : runs_) {
    run.first_piece = first;
    first += run.count;
    run.count = 0;
  }
  pieces_.resize(first);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (run_of_[i] == kNoRun) continue;
    const MutableBytes message = batch[i].with_headroom();
    std::copy(wire::kDataHeader.begin(), wire::kDataHeader.end(), message.begin());
    Run& run = runs_[run_of_[i]];
    pieces_[run.first_piece + run.count++] = message;
  }
}

std::span<const Bytes> FanOut::pieces_of(const Run& run) const {
  return std::span(pieces_).subspan(run.first_piece, run.count);
}

void FanOut::enqueue(Instant now, std::uint32_t index) {
  const Run& run = runs_[index];
  const std::uint64_t inner_octets = run.total_octets - run.count * wire::kDataHeaderOctets;
  relay_.count_channel(run.source, run.group, run.count, inner_octets);
  const auto enqueue_for = [&](TunnelId id) {
    const RelayTunnel& tunnel = relay_.tunnel(id);
    Queue& queue = queue_of(tunnel.local);
    const std::optional<std::size_t> inner_max = narrow_paths_.inner_octets_max(now, tunnel.endpoint.address);
    if (inner_max && run.segment_octets - wire::kDataHeaderOctets > *inner_max) {
      enqueue_apart(queue, id, index, *inner_max);
    } else {
      push(queue, {id, index, run.count, inner_octets}, pieces_of(run), run.count > 1 ? run.segment_octets : 0);
    }
    if (queue.messages.size() >= kMessagesMax) flush(now, queue);
  };
  relay_.targets(run.source, run.group).for_each(enqueue_for, start_);
}

void FanOut::enqueue_apart(Queue& queue, TunnelId id, std::uint32_t index, std::size_t inner_octets_max) {
  const Run& run = runs_[index];
  for (std::size_t piece = run.first_piece; piece < run.first_piece + run.count; ++piece) {
    const std::size_t inner_octets = pieces_[piece].size() - wire::kDataHeaderOctets;
    if (inner_octets > inner_octets_max) {
      enqueue_fragments(queue, id, index, piece, inner_octets_max);
    } else {
      push(queue, {id, index, 1, inner_octets}, {&pieces_[piece], 1}, 0);
    }
  }
}

void FanOut::enqueue_fragments(Queue& queue, TunnelId id, std::uint32_t index, std::size_t piece,
                               std::size_t inner_octets_max) {
  // RFC 7450 §5.3.3.6.2.1: with DF=0 "the relay MUST fragment the datagram and encapsulate each fragment within a
  // separate Multicast Data message"; with DF=1, and IPv6 (§5.3.3.6.2.2), it "MUST discard the datagram".
  const Result<DatagramView, IpError> datagram = DatagramView::parse(pieces_[piece].subspan(wire::kDataHeaderOctets));
  std::vector<std::vector<std::byte>> fragments;
  if (datagram) fragments = fragment_ipv4(*datagram, inner_octets_max);
  if (fragments.empty()) {
    relay_.counters().add(RelayCounter::kDataTooBig);
    note_too_big(piece, inner_octets_max);
  }
  for (std::vector<std::byte>& fragment : fragments) {
    const std::size_t octets = fragment.size();
    fragment.insert(fragment.begin(), wire::kDataHeader.begin(), wire::kDataHeader.end());
    queue.fragments.push_back(std::move(fragment));
    queue.fragment_pieces.push_back(queue.fragments.back());
    push(queue, {id, index, 1, octets}, {&queue.fragment_pieces.back(), 1}, 0);
  }
}

void FanOut::note_too_big(std::size_t piece, std::size_t inner_octets_max) {
  too_big_.resize(pieces_.size());
  std::size_t& smallest = too_big_[piece];
  smallest = smallest == 0 ? inner_octets_max : std::min(smallest, inner_octets_max);
}

void FanOut::report_too_big(Instant now) {
  // RFC 7450 §5.3.3.6.2.1: "send a single ICMP message with a Next-Hop MTU equal to the smallest TMTU of all tunnels to
  // which the datagram was to be forwarded" (R-5.3.3.6.2.1-c).
  for (std::size_t piece = 0; piece < too_big_.size() && too_big_listener_ != nullptr; ++piece) {
    if (too_big_[piece] == 0) continue;
    too_big_listener_->report(now, pieces_[piece].subspan(wire::kDataHeaderOctets), too_big_[piece]);
  }
  too_big_.clear();
}

bool FanOut::admit(Outgoing& origin, std::span<const Bytes>& pieces) {
  const bool is_v4 = relay_.tunnel(origin.tunnel).endpoint.address.is_v4();
  const std::size_t outer_octets = (is_v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets) + kUdpHeaderOctets;
  std::uint64_t inner_octets = 0;
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    const RateCap::Verdict verdict = rate_cap_.admit(now_, origin.tunnel, pieces[i].size() + outer_octets);
    if (verdict != RateCap::Verdict::kGo) {
      relay_.counters().add(
          verdict == RateCap::Verdict::kTunnelFull ? RelayCounter::kDataTunnelRate : RelayCounter::kDataTotalRate,
          pieces.size() - i);
      origin.packets = i;
      origin.octets = inner_octets;
      pieces = pieces.first(i);
      break;
    }
    inner_octets += pieces[i].size() - wire::kDataHeaderOctets;
  }
  return !pieces.empty();
}

void FanOut::push(Queue& queue, Outgoing origin, std::span<const Bytes> pieces, std::size_t segment_octets) {
  if (rate_cap_.is_on() && !admit(origin, pieces)) return;
  const RelayTunnel& tunnel = relay_.tunnel(origin.tunnel);
  queue.messages.push_back(Transmit{.to = tunnel.endpoint,
                                    .pieces = pieces,
                                    .segment_octets = segment_octets,
                                    // RFC 6040 §4.1: normal mode copies, compatibility mode sends Not-ECT (E-6040-a);
                                    // fragments have the ECN of the whole (E-9601-g).
                                    .ecn = tunnel.ecn_capable ? runs_[origin.run].ecn : Ecn::kNotEct});
  queue.origins.push_back(origin);
}

void FanOut::flush(Instant now, Queue& queue) {
  send(queue);
  if (!refused_.empty()) {
    // The kernel has just said how much these paths take.
    queue.socket->poll_errors([&](const SocketError& error) {
      note_path_mtu(now, error);
      if (error.is_unreachable) unreachable_.push_back(error.to);
    });
    for (const Outgoing& refused : refused_) resend_refused(now, queue, refused);
    refused_.clear();
    send(queue);
    relay_.counters().add(RelayCounter::kDataTooBig, refused_.size());
    refused_.clear();
  }
  queue.fragments.clear();
  queue.fragment_pieces.clear();
}

void FanOut::resend_refused(Instant now, Queue& queue, const Outgoing& refused) {
  const std::optional<std::size_t> inner_max =
      narrow_paths_.inner_octets_max(now, relay_.tunnel(refused.tunnel).endpoint.address);
  const Run& run = runs_[refused.run];
  for (std::size_t piece = run.first_piece; piece < run.first_piece + run.count; ++piece) {
    const std::size_t inner_octets = pieces_[piece].size() - wire::kDataHeaderOctets;
    if (!inner_max) {
      relay_.counters().add(RelayCounter::kDataTooBig);
    } else if (inner_octets > *inner_max) {
      enqueue_fragments(queue, refused.tunnel, refused.run, piece, *inner_max);
    } else {
      // Below that, the end of a run, it is out already.
      account({refused.tunnel, refused.run, 1, inner_octets}, 1);
    }
  }
}

void FanOut::send(Queue& queue) {
  if (queue.messages.empty()) return;
  for (const Outgoing& origin : queue.origins) account(origin, 1);
  const auto on_error = [&](std::size_t index, int code) {
    const Outgoing& origin = queue.origins[index];
    account(origin, -1);
    if (code == EMSGSIZE) {
      refused_.push_back(origin);
    } else {
      relay_.counters().add(RelayCounter::kDataSendErrors, origin.packets);
    }
  };
  if (xdp_ != nullptr) {
    xdp_->send(now_, *queue.socket, queue.messages, on_error);
  } else {
    queue.socket->send(queue.messages, on_error);
  }
  queue.messages.clear();
  queue.origins.clear();
}

void FanOut::note_path_mtu(Instant now, const SocketError& error) {
  if (error.code != EMSGSIZE || error.mtu_octets == 0 || !relay_.has_tunnel_at(error.to)) return;
  narrow_paths_.learn(now, error.to.address, error.mtu_octets, error.from_network);
}

void FanOut::account(const Outgoing& origin, int copies) {
  // Unsigned arithmetic wraps, so adding minus one times a number takes it away.
  const auto sign = static_cast<std::uint64_t>(copies);
  RelayTunnel& tunnel = relay_.tunnel(origin.tunnel);
  tunnel.packets += sign * origin.packets;
  tunnel.bytes += sign * origin.octets;
  relay_.counters().add(RelayCounter::kDataPacketsSent, sign * origin.packets);
  relay_.counters().add(RelayCounter::kDataBytesSent, sign * origin.octets);
}

FanOut::Queue& FanOut::queue_of(const LocalAddress& local) {
  const auto queue =
      std::ranges::find_if(queues_, [&](const Queue& candidate) { return candidate.socket->local() == local; });
  AMT_ASSERT(queue != queues_.end());
  return *queue;
}

}  // namespace amt
