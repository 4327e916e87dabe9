/// The delivery of a client's data: each packet once, from the way that brings it first.

#include "client/client_impl.hh"

namespace amt {

void Client::Impl::handle_tunnel_data(Instant now, TunnelNumber number) {
  const bool moving = is_moving();
  const bool watching = moving || (finds() && selection->is_watching());
  if (!watching && !native && !options.payloads) return datagrams.swap(accepted);
  if (moving && !tunnel_duplicates) tunnel_duplicates.emplace(random);
  IpAddress last;
  for (const DataPacket& packet : accepted) {
    // One read brings mostly one source's packets.
    if (watching && packet.source != last) {
      last = packet.source;
      selection->handle_traffic(now, number, last);
    }
    if (moving && !tunnel_duplicates->is_new(now, number, packet.datagram)) {
      ++duplicates;
      continue;
    }
    take_packet(now, packet);
  }
}

void Client::Impl::take_packet(Instant now, const DataPacket& packet) {
  if (!options.payloads) {
    if (!native || takes(now, Way::kTunnel, packet)) datagrams.push_back(packet);
    return;
  }
  const std::optional<Payload> payload = payload_reader.read(now, packet);
  if (payload && (!native || takes(now, Way::kTunnel, *payload))) payloads.push_back(*payload);
}

template <typename IsNew>
bool Client::Impl::takes_from(Instant now, Way way, const IpAddress& source, const IpAddress& group, IsNew is_new) {
  const NativeVerdict verdict =
      way == Way::kNative ? native->handle_native(now, source, group) : native->handle_tunnel(now, source, group);
  if (verdict == NativeVerdict::kUnwanted) return false;
  if (verdict == NativeVerdict::kCheck) {
    if (!native_duplicates) native_duplicates.emplace(random);
    if (!is_new(*native_duplicates)) {
      ++duplicates;
      return false;
    }
  }
  if (way == Way::kNative) ++native_packets;
  return true;
}

bool Client::Impl::takes(Instant now, Way way, const DataPacket& packet) {
  return takes_from(now, way, packet.source, packet.destination, [&](DuplicateFilter& seen) {
    return seen.is_new(now, static_cast<std::uint32_t>(way), packet.datagram);
  });
}

bool Client::Impl::takes(Instant now, Way way, const Payload& payload) {
  return takes_from(now, way, payload.source.address, payload.destination.address, [&](DuplicateFilter& seen) {
    return seen.is_new(now, static_cast<std::uint32_t>(way), payload.source, payload.destination, payload.octets);
  });
}

bool Client::Impl::drain_native(Instant now) {
  if (!native) return false;
  bool spoke = false;
  while (std::optional<NativeStep> step = native->poll_step()) {
    spoke = true;
    if (auto* join = std::get_if<JoinNatively>(&*step)) {
      emit(std::move(*join));
    } else if (const auto* ask = std::get_if<AskTunnel>(&*step)) {
      static_cast<void>(set_relay_membership(now, ask->group, ask->filter));
    } else {
      emit_event(LogLevel::kInfo, std::get<ChangedOver>(*step).text);
    }
  }
  if (!native->may_double()) native_duplicates.reset();
  return spoke;
}

void Client::handle_native(Instant now, std::span<const Bytes> datagrams) {
  impl_->begin_packets();
  if (!impl_->native || impl_->options.payloads) return;
  for (const Bytes octets : datagrams) {
    const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
    if (!datagram) continue;
    const DataPacket packet = data_packet(*datagram);
    if (impl_->takes(now, Impl::Way::kNative, packet)) impl_->datagrams.push_back(packet);
  }
  impl_->drain(now);
}

void Client::handle_native(Instant now, std::span<const Payload> payloads) {
  impl_->begin_packets();
  if (!impl_->native || !impl_->options.payloads) return;
  for (const Payload& payload : payloads) {
    if (impl_->takes(now, Impl::Way::kNative, payload)) impl_->payloads.push_back(payload);
  }
  impl_->drain(now);
}

PayloadDrops Client::payload_drops() const {
  PayloadDrops drops = impl_->payload_reader.drops();
  // The tunnels verify whole datagrams.
  drops.bad_checksum += rejects()[GatewayReject::kDataBadChecksum];
  return drops;
}

std::uint64_t Client::duplicates() const { return impl_->duplicates; }
std::uint64_t Client::native_packets() const { return impl_->native_packets; }

void Client::for_each_channel(const std::function<void(const Channel& channel, ServedBy served)>& visit) const {
  if (impl_->native) impl_->native->for_each_channel(visit);
}

}  // namespace amt
