/// A client as octets, and back.

#include <algorithm>

#include "client/client_impl.hh"
#include "client/tunnel_events.hh"

namespace amt {

template <typename Io, typename Self>
void Client::Impl::fields(Io& io, Self& self) {
  io(self.next_socket, self.closed_counters, self.closed_rejects, self.known_ways, self.native_packets, self.duplicates,
     self.first_doubted_until, self.first_is_silent, self.first_closes_at, self.first_closed_until);
}

void Client::Impl::save(StateRecordWriter& out) const {
  out(finds_from_start(), finds());
  fields(out, *this);
  if (finds()) {
    out(options.gateway.candidates);
    selection->save(out);
  }
  out.count(tunnels.size());
  for (const auto& [number, tunnel] : tunnels) {
    out(number, tunnel);
    out.count(tunnel.sockets.size());
    for (const auto& [family, socket] : tunnel.sockets) {
      out(family == Family::kIpv6, static_cast<std::uint32_t>(socket));
    }
    tunnel.gateway.save(out);
  }
  save_native(out);
}

void Client::Impl::restore(Instant now, StateRecordReader& in) {
  bool found_from_start = false;
  bool found = false;
  in(found_from_start, found);
  const bool is_succession = found && !found_from_start;
  if (found_from_start != finds_from_start() || (is_succession && !discovers_alone())) {
    static_cast<void>(in.rest());
    emit_event(LogLevel::kWarn, "relays are chosen in another way than before: tunnels begin anew");
    return begin(now);
  }
  fields(in, *this);
  kept_below = next_socket;
  if (found && !finds()) selection.emplace(options.search, random);
  if (finds()) restore_selection(now, in);
  if (!in.has_failed()) restore_tunnels(now, in);
  if (!in.has_failed()) restore_native(now, in);
  if (in.has_failed()) return;
  // Whatever changed meanwhile.
  if (finds()) network_check_at = now;
  drain(now);
}

void Client::Impl::restore_selection(Instant now, StateRecordReader& in) {
  std::vector<RelayCandidate> candidates;
  in(candidates);
  selection->restore(now, in);
  if (in.has_failed()) return;
  if (uses_services()) {
    services.emplace(random);
    begin_services(now);
  } else {
    selection->set_services(now, {});
  }
  if (candidates != options.gateway.candidates) begin_defaults(false);
}

void Client::Impl::restore_tunnels(Instant now, StateRecordReader& in) {
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) restore_tunnel(now, in);
  const std::size_t expected = (finds() ? selection->tunnel_count() : 0) + (tunnels.contains(kFirstTunnel) ? 1 : 0);
  if (tunnels.size() != expected || (!finds() && tunnels.empty())) in.fail();
}

void Client::Impl::restore_tunnel(Instant now, StateRecordReader& in) {
  TunnelNumber number = 0;
  in(number);
  const bool is_first = number == kFirstTunnel;
  const std::optional<Endpoint> relay = finds() ? selection->relay_of(number) : std::nullopt;
  const bool is_possible = is_first ? !finds_from_start() && !relay : relay.has_value();
  if (tunnels.contains(number) || !is_possible) return in.fail();
  const GatewayOptions gateway = is_first ? options.gateway : found_relay_options(options.gateway, *relay);
  Tunnel& tunnel = tunnels.try_emplace(number, gateway, random, now).first->second;
  in(tunnel);
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) {
    bool is_v6 = false;
    std::uint32_t socket = 0;
    in(is_v6, socket);
    const bool is_new = tunnel.sockets.emplace(is_v6 ? Family::kIpv6 : Family::kIpv4, SocketId{socket}).second &&
                        sockets.emplace(SocketId{socket}, number).second;
    if (!is_new || socket >= kept_below) in.fail();
  }
  tunnel.gateway.restore(now, in);
  if (in.has_failed()) return;
  for (const RelayCandidate& candidate : gateway.candidates) emit(RelayChosen{candidate.endpoint.address});
  const std::string& purpose = options.port_purpose;
  open_sockets(number, tunnel, gateway.candidates, 0, purpose);
}

void Client::Impl::save_native(StateRecordWriter& out) const {
  out(native.has_value(), native_duplicates.has_value(), tunnel_duplicates.has_value());
  if (native) native->save(out);
  if (native_duplicates) native_duplicates->save(out);
  if (tunnel_duplicates) tunnel_duplicates->save(out);
}

void Client::Impl::restore_native(Instant now, StateRecordReader& in) {
  bool had_native = false;
  bool had_native_duplicates = false;
  bool had_tunnel_duplicates = false;
  in(had_native, had_native_duplicates, had_tunnel_duplicates);
  if (had_native) {
    // Read in any case, and forgotten where the options have none.
    NativePreference unwanted;
    (native ? *native : unwanted).restore(now, in);
  }
  if (had_native_duplicates) native_duplicates.emplace(random).restore(in);
  if (had_tunnel_duplicates) tunnel_duplicates.emplace(random).restore(in);
}

Client::Client(ClientOptions options, Random& random, Instant now, StateRecordReader& kept)
    : impl_(std::make_unique<Impl>(std::move(options), random, now)) {
  impl_->restore(now, kept);
}

void Client::save(StateRecordWriter& out) const { impl_->save(out); }

void Client::for_each_socket(const std::function<void(SocketId socket, Family family)>& visit) const {
  for (const auto& [number, tunnel] : impl_->tunnels) {
    for (const auto& [family, socket] : tunnel.sockets) {
      if (static_cast<std::uint32_t>(socket) < impl_->kept_below) visit(socket, family);
    }
  }
}

}  // namespace amt
