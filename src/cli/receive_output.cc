#include "cli/receive_output.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <vector>

#include "io/multicast_sender.hh"
#include "io/udp_socket.hh"
#include "sys/log.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

// A player that takes nothing for this long has stopped; packets are dropped then, so that the relay's socket goes on
// being read.
constexpr int kPatienceMilliseconds = 500;
constexpr std::size_t kPiecesPerCall = 512;  // below IOV_MAX, 1024

/// A regular file, or another output that takes all octets at once.
class FileOutput final : public PayloadOutput {
 public:
  FileOutput(UniqueFd owned, int fd, std::string name) : owned_(std::move(owned)), fd_(fd), name_(std::move(name)) {}

  SysResult<void> write(std::span<const Bytes> payloads) override {
    pieces_.clear();
    for (const Bytes payload : payloads) {
      // writev(2) takes the pieces without const and does not write to them.
      pieces_.push_back({const_cast<std::byte*>(payload.data()), payload.size()});
    }
    std::span<iovec> rest = pieces_;
    while (!rest.empty()) {
      const ssize_t written = writev(fd_, rest.data(), static_cast<int>(std::min(rest.size(), kPiecesPerCall)));
      if (written < 0) {
        if (errno == EINTR) continue;
        return Unexpected<SysError>(SysError::last("write", name_));
      }
      advance(rest, static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
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
  std::vector<iovec> pieces_;
};

/// A pipe or a terminal, whose reader may stop: whole packets are dropped then, and the stream goes on when it does.
class PipeOutput final : public PayloadOutput {
 public:
  PipeOutput(UniqueFd owned, int fd, std::string name) : owned_(std::move(owned)), fd_(fd), name_(std::move(name)) {}

  SysResult<void> write(std::span<const Bytes> payloads) override {
    if (const SysResult<void> written = write_unfinished(); !written) return written;
    while (unfinished_.empty() && !payloads.empty() && is_ready()) {
      pieces_.clear();
      std::size_t octets = 0;
      // A pipe that can be written to has room for PIPE_BUF octets; more would block. Few calls, many packets.
      for (const Bytes payload : payloads) {
        const bool fits = octets + payload.size() <= PIPE_BUF && pieces_.size() < kPiecesPerCall;
        if (!fits && !pieces_.empty()) break;
        const std::size_t part = std::min<std::size_t>(payload.size(), PIPE_BUF);
        pieces_.push_back({const_cast<std::byte*>(payload.data()), part});
        octets += part;
      }
      if (octets == 0) {
        payloads = payloads.subspan(pieces_.size());
        continue;
      }
      const ssize_t written = ::writev(fd_, pieces_.data(), static_cast<int>(pieces_.size()));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return failure();
      if (written > 0) payloads = without(payloads, static_cast<std::size_t>(written));
      if (const SysResult<void> rest = write_unfinished(); !rest) return rest;
    }
    dropped_ += payloads.size();
    return {};
  }

 private:
  Unexpected<SysError> failure() const { return Unexpected<SysError>(SysError::last("write", name_)); }

  /// Waits once for a reader that is slow, and then no more until it has taken something.
  bool is_ready() {
    int count = -1;
    do {
      pollfd ready{fd_, POLLOUT, 0};
      count = poll(&ready, 1, is_stopped_ ? 0 : kPatienceMilliseconds);
    } while (count < 0 && errno == EINTR);
    is_stopped_ = count <= 0;
    return !is_stopped_;
  }

  /// Those of which nothing was written, when the first `octets` of all were. The rest of one that has begun is kept.
  std::span<const Bytes> without(std::span<const Bytes> payloads, std::size_t octets) {
    while (octets > 0) {
      const Bytes payload = payloads.front();
      payloads = payloads.subspan(1);
      if (octets < payload.size())
        unfinished_.assign(payload.begin() + static_cast<std::ptrdiff_t>(octets), payload.end());
      octets -= std::min(octets, payload.size());
    }
    return payloads;
  }

  SysResult<void> write_unfinished() {
    std::size_t done = 0;
    while (done < unfinished_.size() && is_ready()) {
      const std::size_t part = std::min<std::size_t>(unfinished_.size() - done, PIPE_BUF);
      const ssize_t written = ::write(fd_, unfinished_.data() + done, part);
      if (written < 0 && errno != EINTR && errno != EAGAIN) return failure();
      if (written > 0) done += static_cast<std::size_t>(written);
    }
    unfinished_.erase(unfinished_.begin(), unfinished_.begin() + static_cast<std::ptrdiff_t>(done));
    return {};
  }

  UniqueFd owned_;
  int fd_;
  std::string name_;
  bool is_stopped_ = false;
  /// Of a packet that has begun.
  std::vector<std::byte> unfinished_;
  std::vector<iovec> pieces_;
};

/// One datagram a packet, to a unicast address.
class UdpOutput final : public PayloadOutput {
 public:
  UdpOutput(UdpSocket socket, const Endpoint& to) : socket_(std::move(socket)), to_(to) {}

  SysResult<void> write(std::span<const Bytes> payloads) override {
    messages_.clear();
    for (const Bytes& payload : payloads) {
      messages_.push_back(Transmit{.to = to_, .pieces = {&payload, 1}});
    }
    // There may be no listener yet: a datagram that could not be sent is only counted.
    socket_.send(messages_, [this](const SendFailure&) { ++dropped_; });
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

  SysResult<void> write(std::span<const Bytes> payloads) override {
    for (const Bytes payload : payloads) {
      if (!sender_.send(payload)) ++dropped_;
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

std::unique_ptr<PayloadOutput> stream_output(UniqueFd owned, int fd, std::string name) {
  // Of the kernel's memory devices, such as /dev/null: they take everything at once, too.
  constexpr unsigned kMemoryMajor = 1;
  struct stat status {};
  const bool is_known = fstat(fd, &status) == 0;
  const bool is_memory = is_known && S_ISCHR(status.st_mode) && major(status.st_rdev) == kMemoryMajor;
  if (is_known && (S_ISREG(status.st_mode) || is_memory)) {
    return std::make_unique<FileOutput>(std::move(owned), fd, std::move(name));
  }
  return std::make_unique<PipeOutput>(std::move(owned), fd, std::move(name));
}

/// Never waits for the reader of a FIFO.
UniqueFd open_for_writing(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666));
}

bool is_fifo(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

/// A FIFO that had no reader at the start. Data before there is one is dropped.
class FifoOutput final : public PayloadOutput {
 public:
  explicit FifoOutput(std::string path) : path_(std::move(path)) {}

  SysResult<void> write(std::span<const Bytes> payloads) override {
    if (!pipe_ && !open_pipe()) {
      dropped_ += payloads.size();
      if (errno == ENXIO) return {};
      return Unexpected<SysError>(SysError::last("open", path_));
    }
    const std::uint64_t before = pipe_->dropped();
    SysResult<void> written = pipe_->write(payloads);
    dropped_ += pipe_->dropped() - before;
    return written;
  }

 private:
  bool open_pipe() {
    UniqueFd file = open_for_writing(path_);
    if (!file) return false;
    const int fd = file.get();
    pipe_.emplace(std::move(file), fd, path_);
    return true;
  }

  std::string path_;
  std::optional<PipeOutput> pipe_;
};

/// EEXIST: the file is not empty, and --overwrite was not given.
SysResult<std::unique_ptr<PayloadOutput>> open_file(const std::string& path, bool overwrite) {
  struct stat present {};
  const bool is_recording = stat(path.c_str(), &present) == 0 && S_ISREG(present.st_mode) && present.st_size > 0;
  if (is_recording && !overwrite) return Unexpected<SysError>(SysError{"open", path, EEXIST});
  UniqueFd file = open_for_writing(path);
  if (!file && errno == ENXIO && is_fifo(path)) {
    log_info("{} has no reader yet; what comes before it has is dropped", path);
    return std::make_unique<FifoOutput>(path);
  }
  if (!file) return Unexpected<SysError>(SysError::last("open", path));
  const int fd = file.get();
  return stream_output(std::move(file), fd, path);
}

}  // namespace

SysResult<std::unique_ptr<PayloadOutput>> open_output(const ReceiveOutput& output, bool overwrite) {
  switch (output.kind) {
    case ReceiveOutput::Kind::kStandardOutput:
      return stream_output(UniqueFd(), STDOUT_FILENO, "standard output");
    case ReceiveOutput::Kind::kFile:
      return open_file(output.path, overwrite);
    case ReceiveOutput::Kind::kUdp:
      return open_udp(output.endpoint);
  }
  return Unexpected<SysError>(SysError{"open output", {}, EINVAL});
}

}  // namespace amt
