#include "engine/serve/stream_viewer.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace amt {
namespace {

/// Of the ring, kept free of viewers: a batch must not overwrite octets that are being sent.
constexpr std::size_t kMarginShare = 8;
/// A viewer sends nothing on such a connection.
constexpr std::size_t kReceivedOctetsMax = 64 * 1024;

void set_up(int fd) {
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &StreamViewer::kSocketBufferOctets, sizeof(int)));
  // Each write is one batch already. A UNIX socket has no such option.
  constexpr int kOn = 1;
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn));
}

iovec piece(Bytes octets) {
  // iov_base is not const because it serves reading, too.
  return {const_cast<std::byte*>(octets.data()), octets.size()};
}

}  // namespace

StreamViewer::StreamViewer(EventLoop& loop, const LiveStream& stream, UniqueFd socket, std::string name)
    : stream_(stream),
      socket_(std::move(socket)),
      name_(std::move(name)),
      watch_(
          loop, socket_.get(), [this] { on_readable(); },
          [this] {
            is_blocked_ = false;
            on_writable_();
          }) {
  set_up(socket_.get());
}

void StreamViewer::on_events(std::function<void()> on_gone, std::function<void()> on_writable) {
  on_gone_ = std::move(on_gone);
  on_writable_ = std::move(on_writable);
}

void StreamViewer::begin(Instant now) {
  since_ = last_progress_ = now;
  start_at(*stream_.start_of_newcomer(now));
}

void StreamViewer::on_readable() {
  std::array<std::byte, 4096> ignored{};
  const ssize_t octets = ::recv(socket_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
  if (octets > 0) {
    received_octets_ += static_cast<std::size_t>(octets);
    if (received_octets_ <= kReceivedOctetsMax) return;
  } else if (octets < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  has_failed_ = true;
  // Out of this object, which it may destroy.
  const std::function<void()> on_gone = std::move(on_gone_);
  on_gone();
}

void StreamViewer::start_at(const StartPoint& start) {
  first_.insert(first_.end(), start.tables->begin(), start.tables->end());
  position_ = start.position;
}

void StreamViewer::skip_if_late() {
  const StreamRing& ring = stream_.ring();
  const std::size_t lag_max = ring.capacity() - ring.capacity() / kMarginShare;
  if (ring.end() - position_ <= lag_max) return;
  const StartPoint* const start = stream_.latest_start();
  // Without a start that is newer, whole packets go on where the ring has the newest.
  const StartPoint fallback{.position = ring.end(), .at = {}, .tables = std::make_shared<std::vector<std::byte>>()};
  const StartPoint& next = start != nullptr && start->position > position_ ? *start : fallback;
  // A packet that has been begun is sent to its end. `first_` ends with one.
  std::vector<std::byte> rest;
  const Bytes unsent = Bytes(first_).subspan(first_sent_);
  const std::size_t into_packet = position_ % kTsPacketOctets;
  if (unsent.empty() && into_packet != 0) {
    for (const Bytes octets : ring.read(position_, kTsPacketOctets - into_packet)) {
      rest.insert(rest.end(), octets.begin(), octets.end());
    }
  } else {
    const Bytes octets = unsent.first(unsent.size() % kTsPacketOctets);
    rest.assign(octets.begin(), octets.end());
  }
  first_ = std::move(rest);
  first_sent_ = 0;
  ++skips_;
  skipped_octets_ += next.position - position_;
  start_at(next);
}

void StreamViewer::send(Instant now) {
  if (has_failed_) return;
  skip_if_late();
  while (!is_blocked_) {
    const Bytes first = Bytes(first_).subspan(first_sent_);
    const std::array<Bytes, 2> ring = stream_.ring().read(position_, kSendOctetsMax);
    std::array<iovec, 3> pieces{piece(first), piece(ring[0]), piece(ring[1])};
    const std::size_t wanted = first.size() + ring[0].size() + ring[1].size();
    if (wanted == 0) return;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      last_progress_ = now;
      advance(static_cast<std::size_t>(sent));
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != ENOBUFS) {
      has_failed_ = true;
      return;
    }
    if (sent < 0 || static_cast<std::size_t>(sent) < wanted) {
      is_blocked_ = true;
      watch_.await_writable();
    }
  }
}

void StreamViewer::advance(std::size_t octets) {
  sent_octets_ += octets;
  const std::size_t of_first = std::min(octets, first_.size() - first_sent_);
  first_sent_ += of_first;
  position_ += octets - of_first;
  if (first_sent_ == first_.size()) {
    first_.clear();
    first_sent_ = 0;
  }
}

}  // namespace amt
