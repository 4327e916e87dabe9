#include "io/xdp_sender.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "sys/log.hh"

namespace amt {
namespace {

// How late a changed route or neighbour may be noticed; a call to ask costs less than sending one datagram.
constexpr Duration kPollInterval = std::chrono::milliseconds(5);
// Few enough that their memory stays in the cache between us and the kernel.
constexpr std::size_t kFramesPerFlush = 64;
constexpr std::uint32_t kNobody = UINT32_MAX;

/// What the socket would write into IPv4 headers; IPv6 takes the interface's.
std::uint8_t time_to_live(int fd) {
  int value = 0;
  socklen_t octets = sizeof value;
  constexpr int kUsual = 64;
  if (::getsockopt(fd, IPPROTO_IP, IP_TTL, &value, &octets) != 0 || value <= 0) value = kUsual;
  return static_cast<std::uint8_t>(value);
}

/// Each piece is a datagram, as the kernel would cut them, and there are few.
bool is_frame_by_frame(const Transmit& message) {
  const std::size_t count = message.pieces.size();
  if (count == 0 || count > XdpSender::kFramesMax) return false;
  if (message.segment_octets == 0) return count == 1;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (message.pieces[i].size() != message.segment_octets) return false;
  }
  const std::size_t last = message.pieces.back().size();
  return last > 0 && last <= message.segment_octets;
}

}  // namespace

SysResult<XdpSender> XdpSender::open() {
  SysResult<NextHopQueries> queries = NextHopQueries::open();
  if (!queries) return tl::unexpected(queries.error());
  return XdpSender(std::move(*queries));
}

void XdpSender::send(Instant now, UdpSocket& socket, std::span<const Transmit> messages, const OnSendError& on_error) {
  ++call_;
  on_error_ = &on_error;
  last_told_ = kNobody;
  summed_ = nullptr;
  for_socket_.clear();
  for_socket_index_.clear();
  poll_changes(now);
  for (std::uint32_t i = 0; i < messages.size(); ++i) {
    Path& path = path_to(now, socket, messages[i].to);
    if (path.socket_call != call_ && send_as_frames(now, messages[i], path, i)) continue;
    path.socket_call = call_;
    for_socket_.push_back(messages[i]);
    for_socket_index_.push_back(i);
  }
  // Before the socket: of each peer, frames came first.
  for (Port& port : ports_) flush(now, port);
  if (for_socket_.empty()) return;
  socket.send(for_socket_, [&](const SendFailure& failure) {
    on_error({for_socket_index_[failure.index], failure.code, failure.unsent});
  });
}

void XdpSender::poll_changes(Instant now) {
  if (now < next_poll_) return;
  next_poll_ = now + kPollInterval;
  bool changed = queries_.poll_changes([&](const NeighbourChange& change) {
    const auto known = neighbours_.find(NeighbourKey{change.interface, change.neighbour});
    // Most only say that it was confirmed, or has not been for a while.
    if (known != neighbours_.end() && known->second != change.mac) ++generation_;
  });
  if (changed || paths_.size() > kPathsMax) ++generation_;
  if (paths_.size() > kPathsMax) paths_.clear();
}

bool XdpSender::may_ask(Instant now) {
  if (now - questions_since_ >= std::chrono::seconds(1)) {
    questions_since_ = now;
    questions_ = 0;
  }
  return ++questions_ <= kQuestionsPerSecondMax;
}

XdpSender::Path& XdpSender::path_to(Instant now, const UdpSocket& socket, const Endpoint& peer) {
  Path& path = paths_[PathKey{socket.local(), peer}];
  if (path.generation == generation_ && now < path.until) return path;
  // The first time and every few seconds the socket has its turn. A change alone is no reason.
  if (now >= path.until || path.port == nullptr) path.socket_call = call_;
  if (may_ask(now)) {
    resolve(now, socket, peer, path);
  } else {
    path.socket_call = call_;
  }
  return path;
}

void XdpSender::resolve(Instant now, const UdpSocket& socket, const Endpoint& peer, Path& path) {
  path.generation = generation_;
  path.port = nullptr;
  path.until = now + kRetryInterval;
  const std::optional<FlowRoute> route = queries_.route(socket.local(), peer);
  if (!route) return;
  Port* const port = working_port(now, route->interface);
  if (port == nullptr) return;
  const std::optional<MacAddress> mac = neighbour(route->interface, route->neighbour);
  if (!mac) return;
  const std::uint8_t usual = peer.address.is_v4() ? time_to_live(socket.fd()) : port->link->ipv6_hop_limit;
  path.header = UdpFrameHeader({.neighbour = *mac,
                                .interface = port->link->mac,
                                .from = {route->source, socket.local().port},
                                .to = peer,
                                .hop_limit = route->hop_limit.value_or(usual)});
  path.datagram_octets_max = std::min(port->link->mtu_octets, route->mtu_octets.value_or(UINT32_MAX));
  path.port = port;
  path.until = now + kPathLifetime;
}

XdpSender::Port* XdpSender::working_port(Instant now, int index) {
  auto port = std::ranges::find(ports_, index, &Port::index);
  if (port == ports_.end() && ports_.size() < kPortsMax) {
    port = ports_.insert(ports_.end(), Port{.index = index});
  } else if (port == ports_.end()) {
    port = std::ranges::find_if(ports_, [](const Port& one) { return !one.xdp; });
    if (port == ports_.end()) return nullptr;
    *port = Port{.index = index};
    // Paths may still point at it.
    ++generation_;
  }
  if (port->generation != generation_) {
    port->generation = generation_;
    port->link = queries_.ethernet_link(index);
  }
  if (!port->link) {
    close(now, *port);
    return nullptr;
  }
  if (!port->xdp && now >= port->retry_at) {
    SysResult<XdpPort> opened = XdpPort::open(port->link->name);
    if (opened) {
      port->xdp = std::move(*opened);
      log_info("data path to gateways behind {}: xdp", port->link->name);
    } else if (!port->failure_told) {
      log_warn("--data-path xdp: {}; gateways behind {} are served by the socket", opened.error().to_string(),
               port->link->name);
    }
    port->failure_told = !opened;
    port->retry_at = now + kPathLifetime;
  }
  return port->xdp ? &*port : nullptr;
}

std::optional<MacAddress> XdpSender::neighbour(int interface, const IpAddress& address) {
  if (neighbours_.size() > kPathsMax) neighbours_.clear();
  // Asked anew each time: it is remembered only to know when it changes.
  return neighbours_[NeighbourKey{interface, address}] = queries_.neighbour(interface, address);
}

bool XdpSender::send_as_frames(Instant now, const Transmit& message, Path& path, std::uint32_t index) {
  if (path.port == nullptr || !path.port->xdp || !is_frame_by_frame(message)) return false;
  // The first is as long as any.
  const std::size_t longest = message.pieces.front().size();
  if (path.header.datagram_octets(longest) > path.datagram_octets_max ||
      path.header.octets() + longest > XdpPort::kFrameOctets) {
    return false;
  }
  if (path.port->pushed + message.pieces.size() > kFramesPerFlush) flush(now, *path.port);
  if (!path.port->xdp || !path.port->xdp->has_room(message.pieces.size())) return false;
  note_sums(message);
  XdpPort& port = *path.port->xdp;
  for (std::size_t i = 0; i < message.pieces.size(); ++i) {
    const Bytes payload = message.pieces[i];
    const MutableBytes frame = port.frame();
    path.header.write(frame, payload.size(), sums_[i], message.ecn);
    // Octet by octet, which is what std::ranges::copy becomes here, would cost as much as the kernel does.
    std::memcpy(frame.subspan(path.header.octets(), payload.size()).data(), payload.data(), payload.size());
    port.push(path.header.octets() + payload.size(), index);
  }
  path.port->pushed += message.pieces.size();
  statistics_.frames += message.pieces.size();
  return true;
}

void XdpSender::note_sums(const Transmit& message) {
  if (summed_ == message.pieces.data() && sums_.size() == message.pieces.size()) return;
  summed_ = message.pieces.data();
  sums_.clear();
  for (const Bytes piece : message.pieces) sums_.push_back(payload_sum(piece));
}

void XdpSender::flush(Instant now, Port& port) {
  if (port.pushed == 0 || !port.xdp) return;
  port.pushed = 0;
  const bool working = port.xdp->flush([&](std::uint32_t index, int code) { report(index, code); });
  if (working) return;
  close(now, port);
  ++generation_;
}

void XdpSender::close(Instant now, Port& port) {
  if (!port.xdp) return;
  port.xdp.reset();
  // The kernel takes a moment to let go of the queue.
  port.retry_at = now + kRetryInterval;
}

void XdpSender::report(std::uint32_t index, int code) {
  ++statistics_.drops;
  if (index != last_told_) (*on_error_)({index, code});
  last_told_ = index;
}

bool XdpSender::carries(const Endpoint& local, const Endpoint& peer) const {
  const auto path = paths_.find(PathKey{local, peer});
  return path != paths_.end() && path->second.port != nullptr && path->second.port->xdp;
}

}  // namespace amt
