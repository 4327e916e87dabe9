#include "cli/receive_output.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "io/multicast_sender.hh"
#include "io/udp_socket.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

// A player that takes nothing for so long has stopped; packets are dropped then, so that the relay's socket goes on
// being read.
constexpr int kPatienceMilliseconds = 500;
constexpr std::size_t kPiecesPerCall = 512;  // below IOV_MAX, 1024

/// A file, a pipe or a terminal.
class StreamOutput final : public PayloadOutput {
 public:
  StreamOutput(UniqueFd owned, int fd, std::string name) : owned_(std::move(owned)), fd_(fd), name_(std::move(name)) {
    struct stat status {};
    is_regular_ = fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  }

  SysResult<void> write(std::span<const Receiver::Packet> packets) override {
    while (!packets.empty()) {
      const std::span<const Receiver::Packet> head = packets.first(std::min(packets.size(), kPiecesPerCall));
      if (const SysResult<void> written = write_some(head); !written) return written;
      packets = packets.subspan(head.size());
    }
    return {};
  }

 private:
  SysResult<void> write_some(std::span<const Receiver::Packet> packets) {
    pieces_.clear();
    for (const Receiver::Packet& packet : packets) {
      // writev(2) takes the pieces without const and does not write to them.
      pieces_.push_back({const_cast<std::byte*>(packet.payload.data()), packet.payload.size()});
    }
    std::span<iovec> rest = pieces_;
    while (!rest.empty()) {
      pollfd ready{fd_, POLLOUT, 0};
      if (poll(&ready, 1, kPatienceMilliseconds) == 0) {
        // Whole packets only: the rest of one that has begun is waited for.
        const bool at_boundary = rest.front().iov_base == packets[packets.size() - rest.size()].payload.data();
        if (at_boundary) {
          dropped_ += rest.size();
          return {};
        }
        continue;
      }
      // A pipe that can be written to has room for PIPE_BUF octets; more would block, so one packet at a time there.
      const ssize_t written = writev(fd_, rest.data(), is_regular_ ? static_cast<int>(rest.size()) : 1);
      if (written < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        return Unexpected<SysError>(SysError::last("write", name_));
      }
      advance(rest, static_cast<std::size_t>(written));
    }
    return {};
  }

  static void advance(std::span<iovec>& rest, std::size_t octets) {
    while (!rest.empty() && octets >= rest.front().iov_len) {
      octets -= rest.front().iov_len;
      rest = rest.subspan(1);
    }
    if (octets == 0) return;
    rest.front().iov_base = static_cast<std::byte*>(rest.front().iov_base) + octets;
    rest.front().iov_len -= octets;
  }

  UniqueFd owned_;
  int fd_;
  std::string name_;
  bool is_regular_ = false;
  std::vector<iovec> pieces_;
};

/// One datagram a packet, to a unicast address.
class UdpOutput final : public PayloadOutput {
 public:
  UdpOutput(UdpSocket socket, const Endpoint& to) : socket_(std::move(socket)), to_(to) {}

  SysResult<void> write(std::span<const Receiver::Packet> packets) override {
    messages_.clear();
    for (const Receiver::Packet& packet : packets) {
      messages_.push_back(Transmit{.to = to_, .pieces = {&packet.payload, 1}});
    }
    // Nobody may be listening yet: what could not be sent is counted, no more.
    socket_.send(messages_, [this](std::size_t, int) { ++dropped_; });
    socket_.poll_errors([](const SocketError&) {});
    return {};
  }

 private:
  UdpSocket socket_;
  Endpoint to_;
  std::vector<Transmit> messages_;
};

/// The same to a multicast group on this host alone.
class LoopbackMulticastOutput final : public PayloadOutput {
 public:
  explicit LoopbackMulticastOutput(MulticastSender sender) : sender_(std::move(sender)) {}

  SysResult<void> write(std::span<const Receiver::Packet> packets) override {
    for (const Receiver::Packet& packet : packets) {
      if (!sender_.send(packet.payload)) ++dropped_;
    }
    return {};
  }

 private:
  MulticastSender sender_;
};

SysResult<std::unique_ptr<PayloadOutput>> open_udp(const Endpoint& to) {
  if (to.address.is_multicast()) {
    MulticastSenderOptions options;
    options.group = to;
    options.interface = "lo";
    SysResult<MulticastSender> sender = MulticastSender::open(options);
    if (!sender) return Unexpected<SysError>(sender.error());
    return std::make_unique<LoopbackMulticastOutput>(std::move(*sender));
  }
  SysResult<UdpSocket> socket = UdpSocket::bind({IpAddress::unspecified(to.address.family()), 0}, {});
  if (!socket) return Unexpected<SysError>(socket.error());
  return std::make_unique<UdpOutput>(std::move(*socket), to);
}

SysResult<std::unique_ptr<PayloadOutput>> open_file(const std::string& path) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return Unexpected<SysError>(SysError::last("open", path));
  const int fd = file.get();
  return std::make_unique<StreamOutput>(std::move(file), fd, path);
}

}  // namespace

SysResult<std::unique_ptr<PayloadOutput>> open_output(const ReceiveOutput& output) {
  switch (output.kind) {
    case ReceiveOutput::Kind::kStandardOutput:
      return std::make_unique<StreamOutput>(UniqueFd(), STDOUT_FILENO, "standard output");
    case ReceiveOutput::Kind::kFile:
      return open_file(output.path);
    case ReceiveOutput::Kind::kUdp:
      return open_udp(output.endpoint);
  }
  return Unexpected<SysError>(SysError{"open output", {}, EINVAL});
}

}  // namespace amt
