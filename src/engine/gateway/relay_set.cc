#include "engine/gateway/relay_set.hh"

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "engine/runtime/host_client.hh"
#include "engine/runtime/host_domains.hh"
#include "io/udp_socket.hh"
#include "sys/clock.hh"
#include "sys/lasting_port.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/netlink.hh"
#include "sys/network_watch.hh"

namespace amt {
namespace {

/// Then the loop's other work comes: timers and other descriptors. A few milliseconds at most.
constexpr std::size_t kDatagramsPerTurn = 768;
/// With receive offload a slot holds up to 64 KB of one flow.
constexpr std::size_t kReceiveSlots = 64;

/// One for all that a thread receives: what it holds is handed on before the next socket is read. With one for each, a
/// process of a thousand receivers would hold a thousand.
ReceiveBatch& receive_batch() {
  thread_local ReceiveBatch batch{kReceiveSlots};
  return batch;
}

SysResult<UdpSocket> bind_socket(const OpenSocket& wanted) {
  UdpOptions options;
  options.receive_offload = true;
  options.first_octet_without_checksum = static_cast<std::uint8_t>(wire::MessageType::kMulticastData);
  // Anyone can forge an ICMP error that would keep reports from leaving; they fit into every path (H-e).
  options.ignore_path_mtu = true;
  const IpAddress address = wanted.local.value_or(IpAddress::unspecified(wanted.family));
  if (wanted.port == 0 && !wanted.purpose.empty()) {
    if (const auto port = lasting_port(wanted.purpose)) {
      SysResult<UdpSocket> socket = UdpSocket::bind({address, *port}, options);
      // Anything but a port in use is an error below, too.
      if (socket) return socket;
    }
  }
  return UdpSocket::bind({address, wanted.port}, options);
}

}  // namespace

struct RelaySet::Impl {
  Impl(Loop& event_loop, RelaySetOptions given, Random& random, PacketHandler handler, StateRecordReader* kept)
      : loop(event_loop),
        options(std::move(given)),
        on_packets(std::move(handler)),
        started(kept != nullptr ? kept->moment() : monotonic_now()),
        closed_drops(kept != nullptr ? kept->u64() : 0),
        client(kept != nullptr ? Client(options.client, random, monotonic_now(), *kept)
                               : Client(options.client, random, started)),
        hosts(loop),
        timer(loop, [this] {
          client.handle_timeout(monotonic_now());
          drain();
        }) {}

  SysResult<void> start();
  SysResult<void> adopt_sockets(std::vector<GivenDescriptor>& given);
  void watch(SocketId id, UdpSocket socket);
  void watch_network();
  void on_readable(SocketId id, UdpSocket& socket);
  /// Carries out the client's outputs, and those that follow from them.
  void drain();
  void apply(Instant now, const ClientPackets& packets) { on_packets(now, packets); }
  void apply(Instant now, const ClientTransmit& transmit);
  void apply(Instant now, const OpenSocket& wanted);
  void apply(Instant now, const CloseSocket& close);
  void apply(Instant now, const AskDns& ask);
  void apply(Instant now, const AskHost& ask);
  void apply(Instant now, const AskSource& ask);
  void apply(Instant now, const AskServiceDomains& ask);
  void apply(Instant now, const JoinNatively& join);
  void apply(Instant now, const RelayChosen& chosen);
  void apply(Instant now, const ClientEvent& event);
  void apply(Instant, const ClientDeadline& deadline) { timer.set(deadline.at); }

  struct Open {
    explicit Open(UdpSocket bound) : socket(std::move(bound)) {}

    UdpSocket socket;
    // Last: it ends before the members that its handler uses.
    std::optional<ReadWatch> watch;
  };

  Loop& loop;
  RelaySetOptions options;
  PacketHandler on_packets;
  Instant started;
  std::uint64_t closed_drops = 0;
  Client client;
  /// Of those that could not be opened, the first.
  std::optional<SysError> socket_error;
  bool is_starting = true;
  bool draining = false;
  std::optional<NetworkWatch> network;
  std::optional<HostClient> hosts;
  Timer timer;
  // Last: their handlers use the members above.
  std::map<SocketId, Open> sockets;
  std::optional<ReadWatch> network_reading;
};

SysResult<void> RelaySet::Impl::start() {
  drain();
  // Relays that are found come later, and with them other sockets.
  if (socket_error) return Unexpected<SysError>(*socket_error);
  is_starting = false;
  if (client.follows_network()) watch_network();
  return {};
}

void RelaySet::Impl::watch_network() {
  SysResult<NetworkWatch> watch = NetworkWatch::open();
  // Silence shows a changed network, too, only later.
  if (!watch) return log_warn("changes of the network go unnoticed: {}", watch.error().to_string());
  network.emplace(std::move(*watch));
  network_reading.emplace(loop, network->fd(), [this] {
    network->drain();
    client.handle_network_change(monotonic_now());
    drain();
  });
}

void RelaySet::Impl::on_readable(SocketId id, UdpSocket& socket) {
  ReceiveBatch& received = receive_batch();
  for (std::size_t datagrams = 0; datagrams < kDatagramsPerTurn;) {
    const Instant now = monotonic_now();
    const SysResult<std::size_t> count = socket.receive(received);
    if (!count) {
      log_warn_limited(socket.local().to_string(), "{}", count.error().to_string());
      break;
    }
    if (*count == 0) break;
    for (const Received& message : received.received()) datagrams += message.datagram_count();
    client.handle_datagrams(now, id, received.received());
    drain();
    // The received datagrams may have led to its end.
    if (!sockets.contains(id)) return;
  }
  socket.poll_errors([&](const SocketError& error) {
    if (error.is_unreachable) client.handle_unreachable(monotonic_now(), id, error.to);
  });
  drain();
}

void RelaySet::Impl::drain() {
  // An answer that is given at once comes here again.
  if (std::exchange(draining, true)) return;
  for (bool more = true; more;) {
    const ClientOutput output = client.poll_output();
    more = !std::holds_alternative<ClientDeadline>(output);
    std::visit([this, now = monotonic_now()](const auto& one) { this->apply(now, one); }, output);
  }
  draining = false;
}

void RelaySet::Impl::apply(Instant now, const ClientTransmit& transmit) {
  const auto open = sockets.find(transmit.socket);
  if (open == sockets.end()) return;
  const Bytes piece(transmit.datagram.data(), transmit.datagram.size());
  const Transmit message{.to = transmit.to, .pieces = {&piece, 1}};
  int code = 0;
  open->second.socket.send({&message, 1}, [&code](const SendFailure& failure) { code = failure.code; });
  if (code != 0) client.handle_send_error(now, transmit.socket, transmit.to, std::strerror(code));
}

void RelaySet::Impl::apply(Instant now, const OpenSocket& wanted) {
  SysResult<UdpSocket> socket = bind_socket(wanted);
  if (!socket) {
    if (!socket_error) socket_error = socket.error();
    return client.handle_socket_failed(now, wanted.socket, socket.error().to_string());
  }
  watch(wanted.socket, std::move(*socket));
}

void RelaySet::Impl::watch(SocketId id, UdpSocket socket) {
  Open& open = sockets.try_emplace(id, std::move(socket)).first->second;
  open.watch.emplace(loop, open.socket.fd(), [this, id, &bound = open.socket] { on_readable(id, bound); });
}

SysResult<void> RelaySet::Impl::adopt_sockets(std::vector<GivenDescriptor>& given) {
  SysResult<void> result;
  client.for_each_socket([&](SocketId id, Family family) {
    std::optional<GivenDescriptor> taken =
        take_descriptor(given, NamedDescriptor::Kind::kSocket,
                        [id](const NamedDescriptor& what) { return SocketId{what.owner} == id; });
    SysResult<UdpSocket> socket = taken ? UdpSocket::adopt(std::move(taken->descriptor), false)
                                        : Unexpected<SysError>(SysError{"take over", "no socket of a tunnel", EBADMSG});
    if (socket && socket->local().address.family() != family) {
      socket = Unexpected<SysError>(SysError{"take over", "another socket than that of a tunnel", EBADMSG});
    }
    if (!socket) {
      result = Unexpected<SysError>(socket.error());
    } else {
      watch(id, std::move(*socket));
    }
  });
  return result;
}

void RelaySet::Impl::apply(Instant, const CloseSocket& close) {
  const auto open = sockets.find(close.socket);
  if (open == sockets.end()) return;
  closed_drops += open->second.socket.receive_drops();
  sockets.erase(open);
}

void RelaySet::Impl::apply(Instant, const AskDns& ask) {
  if (!options.dns) return;
  options.dns->look_up(ask.name, ask.type, [this, question = ask.question](const DnsAnswer& answer) {
    client.handle_dns_answer(monotonic_now(), question, answer);
    drain();
  });
}

void RelaySet::Impl::apply(Instant, const AskHost& ask) {
  if (!hosts) return;
  hosts->look_up(ask.name, [this, question = ask.question](const HostAnswer& answer) {
    client.handle_host_answer(monotonic_now(), question, answer);
    drain();
  });
}

void RelaySet::Impl::apply(Instant now, const AskSource& ask) {
  client.handle_source_answer(now, ask.destination, source_address_towards(ask.destination));
}

void RelaySet::Impl::apply(Instant now, const AskServiceDomains&) {
  client.handle_service_domains(now, service_domains_of_this_host());
}

void RelaySet::Impl::apply(Instant, const JoinNatively& join) {
  if (options.on_join_natively) options.on_join_natively(join.group, join.filter);
}

void RelaySet::Impl::apply(Instant, const RelayChosen& chosen) {
  if (options.on_relay) options.on_relay(chosen.relay);
}

void RelaySet::Impl::apply(Instant, const ClientEvent& event) {
  // The caller gets the error, and reports it.
  if (is_starting && event.level == LogLevel::kError) return;
  if (options.on_event) return options.on_event(event);
  log_at(event.level, "{}", event.text);
}

SysResult<std::unique_ptr<RelaySet>> RelaySet::create(Loop& loop, RelaySetOptions options, Random& random,
                                                      PacketHandler on_packets, const KeptRelays& kept) {
  options.client.has_dns = options.dns != nullptr;
  auto impl = std::make_unique<Impl>(loop, std::move(options), random, std::move(on_packets), kept.record);
  if (kept.record != nullptr) {
    if (!kept.record->is_good()) return Unexpected<SysError>(SysError{"take over", "what is damaged", EBADMSG});
    if (SysResult<void> adopted = impl->adopt_sockets(*kept.descriptors); !adopted) {
      return Unexpected<SysError>(adopted.error());
    }
  }
  if (const SysResult<void> begun = impl->start(); !begun) return Unexpected<SysError>(begun.error());
  return std::unique_ptr<RelaySet>(new RelaySet(std::move(impl)));
}

RelaySet::RelaySet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelaySet::~RelaySet() = default;

void RelaySet::save(StateRecordWriter& out) const {
  out.time(impl_->started);
  out.u64(impl_->closed_drops);
  impl_->client.save(out);
}

void RelaySet::append_descriptors(std::vector<LentDescriptor>& out) const {
  for (const auto& [id, open] : impl_->sockets) {
    const auto number = static_cast<std::uint32_t>(id);
    out.push_back(
        {{.kind = NamedDescriptor::Kind::kSocket, .owner = number, .local = open.socket.local()}, open.socket.fd()});
  }
}

bool RelaySet::set_membership(const IpAddress& group, const SourceFilter& filter) {
  const bool accepted = impl_->client.set_membership(monotonic_now(), group, filter);
  impl_->drain();
  return accepted;
}

void RelaySet::handle_native(Instant now, std::span<const Bytes> datagrams) {
  impl_->client.handle_native(now, datagrams);
  impl_->drain();
}

void RelaySet::handle_native(Instant now, std::span<const Payload> payloads) {
  impl_->client.handle_native(now, payloads);
  impl_->drain();
}

void RelaySet::shutdown() {
  impl_->network_reading.reset();
  // Nothing that is still under way may begin anything anew.
  impl_->hosts.reset();
  impl_->options.dns.reset();
  impl_->client.shutdown(monotonic_now());
  impl_->drain();
}

const Client& RelaySet::client() const { return impl_->client; }
Instant RelaySet::started() const { return impl_->started; }

std::uint64_t RelaySet::receive_drops() const {
  std::uint64_t drops = impl_->closed_drops;
  for (const auto& [id, open] : impl_->sockets) drops += open.socket.receive_drops();
  return drops;
}

}  // namespace amt
