#include "io/frame_sender.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "sys/log.hh"

namespace amt {
namespace {

// How late a changed route or neighbour may be noticed; a call to ask costs less than sending one datagram.
constexpr Duration kPollInterval = std::chrono::milliseconds(5);
constexpr std::uint32_t kNobody = UINT32_MAX;

/// As the socket would write it into IPv4 headers; IPv6 takes the interface's.
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
  if (count == 0 || count > FrameSender::kFramesMax) return false;
  if (message.segment_octets == 0) return count == 1;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (message.pieces[i].size() != message.segment_octets) return false;
  }
  const std::size_t last = message.pieces.back().size();
  return last > 0 && last <= message.segment_octets;
}

/// The longest that fits both.
std::uint32_t payload_octets_max(const UdpFrameHeader& header, std::size_t mtu_octets) {
  const std::size_t octets = std::min(mtu_octets + kEthernetHeaderOctets, FrameSender::kFrameOctets);
  return static_cast<std::uint32_t>(octets - std::min(octets, header.octets()));
}

}  // namespace

void FrameSender::send(Instant now, UdpSocket& socket, std::span<const Transmit> messages,
                       const OnSendError& on_error) {
  now_ = now;
  messages_ = messages;
  ++call_;
  on_error_ = &on_error;
  last_told_ = kNobody;
  summed_ = nullptr;
  for_socket_.clear();
  deferred_.clear();
  poll_changes();
  for (std::uint32_t i = 0; i < messages.size(); ++i) {
    const Transmit& message = messages[i];
    Path* const path = path_to(socket, message);
    if (path == nullptr) {
      for_socket_.push_back(message);
      deferred_.push_back({i, 0});
      continue;
    }
    const bool may_be_frames = path->socket_call != call_ && path->link != nullptr && works(*path->link) &&
                               is_frame_by_frame(message) &&
                               // The first piece is as long as any.
                               message.pieces.front().size() <= path->payload_octets_max;
    if (!may_be_frames || !push(*path, message, i)) leave_to_socket(*path, message, i, 0);
  }
  // Before the socket: of each peer, frames came first.
  flush();
  if (for_socket_.empty()) return;
  socket.send(for_socket_, [&](const SendFailure& failure) {
    const Deferred& origin = deferred_[failure.index];
    on_error({origin.index, failure.code, failure.unsent << origin.first_piece});
  });
}

void FrameSender::leave_to_socket(Path& path, const Transmit& message, std::uint32_t index, std::size_t first_piece) {
  path.socket_call = call_;
  for_socket_.push_back(message);
  for_socket_.back().pieces = message.pieces.subspan(first_piece);
  deferred_.push_back({index, static_cast<std::uint32_t>(first_piece)});
}

void FrameSender::poll_changes() {
  if (now_ < next_poll_) return;
  next_poll_ = now_ + kPollInterval;
  const bool changed = queries_.poll_changes([&](const NeighbourChange& change) {
    const auto known = neighbours_.find(NeighbourKey{change.interface, change.neighbour});
    // Most only say that it was confirmed, or has not been for a while.
    if (known != neighbours_.end() && known->second != change.mac) ++generation_;
  });
  if (changed) ++generation_;
}

bool FrameSender::may_ask() {
  if (now_ - questions_since_ >= std::chrono::seconds(1)) {
    questions_since_ = now_;
    questions_ = 0;
  }
  return ++questions_ <= kQuestionsPerSecondMax;
}

FrameSender::Path* FrameSender::path_to(const UdpSocket& socket, const Transmit& message) {
  if (message.slot >= kSlotsMax) return nullptr;
  if (message.slot >= paths_.size()) paths_.resize(message.slot + 1);
  Path& path = paths_[message.slot];
  const bool is_known = path.socket == &socket && path.peer == message.to;
  if (is_known && path.generation == generation_ && now_ < path.until) return &path;
  if (!is_known) {
    path = Path();
    path.socket = &socket;
    path.peer = message.to;
  }
  // The first time and every few seconds the socket has its turn. A change alone is no reason.
  if (now_ >= path.until || path.link == nullptr) path.socket_call = call_;
  if (may_ask()) {
    resolve(socket, message.slot, path);
  } else {
    path.socket_call = call_;
  }
  return &path;
}

void FrameSender::resolve(const UdpSocket& socket, std::uint32_t slot, Path& path) {
  path.generation = generation_;
  path.link = nullptr;
  path.until = now_ + kRetryInterval;
  const std::optional<FlowRoute> route = queries_.route(socket.local(), path.peer);
  if (!route) return;
  Link* const link = working_link(route->interface);
  if (link == nullptr) return;
  const std::optional<MacAddress> mac = neighbour(route->interface, route->neighbour);
  if (!mac) return;
  const std::uint8_t usual = path.peer.address.is_v4() ? time_to_live(socket.fd()) : link->ethernet->ipv6_hop_limit;
  path.header = UdpFrameHeader({.neighbour = *mac,
                                .interface = link->ethernet->mac,
                                .from = {route->source, socket.local().port},
                                .to = path.peer,
                                .hop_limit = route->hop_limit.value_or(usual)});
  const std::uint32_t mtu_octets = std::min(link->ethernet->mtu_octets, route->mtu_octets.value_or(UINT32_MAX));
  path.payload_octets_max = payload_octets_max(path.header, mtu_octets);
  path.link = link;
  path.until = now_ + kPathLifetime;
  handle_new_header(slot, path);
}

FrameSender::Link* FrameSender::working_link(int index) {
  auto link = std::ranges::find(links_, index, &Link::index);
  if (link == links_.end() && links_.size() < kLinksMax) {
    link = links_.insert(links_.end(), Link{.number = links_.size(), .index = index});
  } else if (link == links_.end()) {
    link = std::ranges::find_if(links_, [](const Link& one) { return !one.is_open; });
    if (link == links_.end()) return nullptr;
    *link = Link{.number = link->number, .index = index};
    // Paths may still point at it.
    ++generation_;
  }
  if (link->generation != generation_) {
    link->generation = generation_;
    link->ethernet = queries_.ethernet_link(index);
  }
  if (!link->ethernet) {
    close(*link);
    return nullptr;
  }
  if (!link->is_open && now_ >= link->retry_at) {
    const SysResult<void> opened = open_link(*link);
    const std::string_view way = to_string(frame_path_);
    if (opened) {
      log_info("data path to gateways behind {}: {}", link->ethernet->name, way);
    } else if (!link->failure_told) {
      log_warn("--data-path {}: {}; gateways behind {} are served by the socket", way, opened.error().to_string(),
               link->ethernet->name);
    }
    link->is_open = opened.has_value();
    link->failure_told = !opened;
    link->retry_at = now_ + kPathLifetime;
  }
  return link->is_open ? &*link : nullptr;
}

std::optional<MacAddress> FrameSender::neighbour(int interface, const IpAddress& address) {
  if (neighbours_.size() > kSlotsMax) neighbours_.clear();
  // Asked anew each time: it is remembered only to know when it changes.
  return neighbours_[NeighbourKey{interface, address}] = queries_.neighbour(interface, address);
}

std::span<const std::uint16_t> FrameSender::sums_of(const Transmit& message) {
  if (summed_ != message.pieces.data() || sums_.size() != message.pieces.size()) {
    summed_ = message.pieces.data();
    sums_.clear();
    for (const Bytes piece : message.pieces) sums_.push_back(payload_sum(piece));
  }
  return sums_;
}

void FrameSender::give_up(Link& link) {
  close(link);
  ++generation_;
}

void FrameSender::close(Link& link) {
  if (!link.is_open) return;
  close_link(link);
  link.is_open = false;
  // The kernel takes a moment to let go of the queue.
  link.retry_at = now_ + kRetryInterval;
}

void FrameSender::report(std::uint32_t index, int code) {
  if (index != last_told_) (*on_error_)({index, code});
  last_told_ = index;
}

SendPath FrameSender::path_of(std::uint32_t slot, const Endpoint& peer) const {
  if (slot >= paths_.size()) return SendPath::kSocket;
  const Path& path = paths_[slot];
  const bool by_frames = path.peer == peer && path.link != nullptr && works(*path.link);
  return by_frames ? frame_path_ : SendPath::kSocket;
}

}  // namespace amt
