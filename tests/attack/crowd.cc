#include "crowd.hh"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "options.hh"
#include "sys/clock.hh"
#include "sys/descriptor_limit.hh"
#include "sys/os_random.hh"
#include "sys/socket_address.hh"

namespace amt::attack {
namespace {

constexpr std::size_t kMessageOctetsMax = 65'535;
constexpr std::size_t kEventsMax = 256;
/// A Request without its Query is sent again.
constexpr Duration kPatience = std::chrono::milliseconds(300);
/// Requests that are sent in one go: as many as one address may send a second.
constexpr std::size_t kBurst = 190;
constexpr int kReceiveBufferOctets = 8 << 20;
constexpr std::size_t kOtherDescriptors = 32;

const IpAddress& of_family(const std::vector<IpAddress>& addresses, Family family) {
  for (const IpAddress& address : addresses) {
    if (address.family() == family) return address;
  }
  fail("no relay address of the family of", addresses.front().to_string());
}

UniqueFd connect_socket(const Endpoint& local, const IpAddress& relay) {
  UniqueFd out(::socket(address_family(relay.family()), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const SocketAddress from(local);
  const SocketAddress to({relay, kAmtPort});
  if (!out || ::bind(out.get(), from.data(), from.size()) != 0 || ::connect(out.get(), to.data(), to.size()) != 0) {
    fail("socket", std::strerror(errno));
  }
  // Refused where this host may not: then the system's limit holds.
  if (::setsockopt(out.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferOctets, sizeof kReceiveBufferOctets) != 0) {
    static_cast<void>(
        ::setsockopt(out.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferOctets, sizeof kReceiveBufferOctets));
  }
  return out;
}

void send_to_relay(const Tunnel& tunnel, Bytes message) {
  // A refusal is an ICMP error for something sent earlier, or a full queue: this host has done its worst all the same.
  if (::send(tunnel.socket.get(), message.data(), message.size(), 0) < 0) {
    static_cast<void>(::send(tunnel.socket.get(), message.data(), message.size(), 0));
  }
}

}  // namespace

Crowd::Crowd(const CrowdOptions& options)
    : options_(options), tunnels_(options.tunnels), epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(kMessageOctetsMax) {
  const std::size_t descriptors = options.tunnels + kOtherDescriptors;
  if (raise_descriptor_limit(descriptors) < descriptors) fail("tunnels", "not so many descriptors (ulimit -n)");
  OsRandom random;
  for (std::size_t i = 0; i < tunnels_.size(); ++i) {
    const IpAddress& local = options_.locals[i % options_.locals.size()];
    tunnels_[i].number = i;
    tunnels_[i].socket = connect_socket({local, options_.port}, of_family(options_.relays, local.family()));
    // High: a low one looks like an old gateway's.
    tunnels_[i].nonce = {random.u32() | 1U << 30};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, tunnels_[i].socket.get(), &event) != 0) {
      fail("epoll_ctl", std::strerror(errno));
    }
  }
}

void Crowd::send_request(Tunnel& tunnel) {
  std::array<std::byte, wire::kRequestOctets> message{};
  ByteWriter out(message);
  const auto protocol = options_.inner == Family::kIpv4 ? wire::Protocol::kIgmp : wire::Protocol::kMld;
  wire::Request{.nonce = tunnel.nonce, .protocol = protocol}.write(out);
  send_to_relay(tunnel, message);
}

std::size_t Crowd::request_all(Duration patience) {
  const Instant end = monotonic_now() + patience;
  std::size_t granted = 0;
  do {
    granted = 0;
    std::size_t sent = 0;
    for (Tunnel& tunnel : tunnels_) {
      granted += tunnel.granted ? 1 : 0;
      if (!tunnel.granted && sent < kBurst * options_.locals.size()) {
        send_request(tunnel);
        ++sent;
      }
    }
    const Instant again = monotonic_now() + kPatience;
    while (granted < tunnels_.size() && monotonic_now() < again) receive(std::chrono::milliseconds(20), {});
  } while (granted < tunnels_.size() && monotonic_now() < end);
  return granted;
}

std::size_t Crowd::send_update(Tunnel& tunnel, Bytes datagram) {
  std::vector<std::byte> message(wire::kUpdateHeaderOctets + datagram.size());
  ByteWriter out(message);
  wire::MembershipUpdate{tunnel.mac, tunnel.nonce, datagram}.write(out);
  send_to_relay(tunnel, message);
  return message.size();
}

std::size_t Crowd::send_report(Tunnel& tunnel, std::span<const GroupRecord> records) {
  return send_update(tunnel, write_report(IpAddress::unspecified(options_.inner), records));
}

void Crowd::send_teardown(Tunnel& tunnel) {
  if (!tunnel.seen_as) return;
  std::array<std::byte, wire::kTeardownOctets> message{};
  ByteWriter out(message);
  wire::Teardown{tunnel.mac, tunnel.nonce, *tunnel.seen_as}.write(out);
  send_to_relay(tunnel, message);
  tunnel.granted = false;
}

void Crowd::receive(Duration patience, const OnData& on_data) {
  std::array<epoll_event, kEventsMax> events{};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  const int ready = ::epoll_wait(epoll_.get(), events.data(), kEventsMax, static_cast<int>(wait));
  for (int i = 0; i < ready; ++i) {
    Tunnel& tunnel = tunnels_[events[static_cast<std::size_t>(i)].data.u64];
    for (;;) {
      const ssize_t octets = ::recv(tunnel.socket.get(), buffer_.data(), buffer_.size(), 0);
      if (octets < 0 && errno == EAGAIN) break;
      if (octets > 0) handle(tunnel, Bytes(buffer_).first(static_cast<std::size_t>(octets)), on_data);
    }
  }
}

void Crowd::handle(Tunnel& tunnel, Bytes message, const OnData& on_data) {
  if (const auto data = wire::MulticastData::parse(message)) {
    if (on_data) on_data(tunnel, data->datagram, message);
    return;
  }
  const auto query = wire::MembershipQuery::parse(message);
  if (!query || query->nonce != tunnel.nonce) return;
  tunnel.mac = query->mac;
  tunnel.seen_as = query->gateway;
  tunnel.granted = true;
}

}  // namespace amt::attack
