#include "cli/send_source.hh"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "media/pacer.hh"
#include "media/test_pattern.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

static_assert(kSendSizeMin == kTestPacketHeaderOctets);

/// At a constant rate a sender may be this many packets late, or half a millisecond: a timer is not more exact.
constexpr int kBurstPackets = 4;
constexpr Duration kTimerSlack = std::chrono::microseconds(500);
/// For a stream with its own clock: four datagrams of 8 Mbit/s.
constexpr Duration kStreamLatenessMax = std::chrono::milliseconds(5);
/// Data of a pipe waits this long for the stream's clock, and as long again for its turn. PCRs stand 100 ms apart.
constexpr Duration kLiveHoldMax = std::chrono::milliseconds(250);

class ConstantRate {
 public:
  explicit ConstantRate(std::uint64_t bits_per_second) : bits_per_second_(bits_per_second) {}
  /// When the next datagram is due, which has `octets`.
  Duration next(std::size_t octets) {
    const Duration due = time_of(octets_);
    octets_ += octets;
    return due;
  }
  [[nodiscard]] Duration lateness_max(std::size_t octets) const {
    return std::max(kTimerSlack, time_of(std::uint64_t{octets}) * kBurstPackets);
  }

 private:
  [[nodiscard]] Duration time_of(std::uint64_t octets) const {
    return Duration(std::llround(static_cast<double>(octets) * 8e9 / static_cast<double>(bits_per_second_)));
  }
  std::uint64_t bits_per_second_;
  std::uint64_t octets_ = 0;
};

class NumberedSource final : public SendSource {
 public:
  NumberedSource(std::size_t size_octets, std::uint64_t rate, std::uint32_t stream)
      : buffer_(size_octets), rate_(rate), packet_{.stream = stream, .sequence = 0, .sent = Instant{}} {}

  SysResult<std::optional<Duration>> next() override { return rate_.next(buffer_.size()); }
  Bytes payload(Instant now) override {
    packet_.sent = now;
    write_test_packet(packet_, buffer_);
    ++packet_.sequence;
    return buffer_;
  }
  [[nodiscard]] Duration lateness_max() const override { return rate_.lateness_max(buffer_.size()); }
  [[nodiscard]] std::string description() const override {
    return "numbered packets of " + std::to_string(buffer_.size()) + " octets";
  }

 private:
  std::vector<std::byte> buffer_;
  ConstantRate rate_;
  TestPacket packet_;
};

/// A file or standard input, read in whole pieces.
class Input {
 public:
  Input(UniqueFd owned, int fd, std::string name, const StopSignal& stop)
      : owned_(std::move(owned)), fd_(fd), name_(std::move(name)), stop_(&stop) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Not a file on a disk: a read may have to wait.
  [[nodiscard]] bool is_live() const {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 && !S_ISREG(status.st_mode);
  }

  /// Octets that can be read at once.
  [[nodiscard]] std::size_t available() const {
    int octets = 0;
    return ::ioctl(fd_, FIONREAD, &octets) == 0 && octets > 0 ? static_cast<std::size_t>(octets) : 0;
  }

  /// Fills `buffer`; less only at the end of the input, or when a signal came.
  SysResult<std::size_t> read(MutableBytes buffer) {
    const SysResult<std::optional<std::size_t>> octets = read(buffer, kNoDeadline);
    if (!octets) return tl::unexpected(octets.error());
    return octets->value_or(0);
  }
  /// The same, or nothing when there is not enough until then: the next `read` returns the octets.
  SysResult<std::optional<std::size_t>> read(MutableBytes buffer, Instant until) {
    std::size_t filled = std::min(buffer.size(), pushed_back_.size());
    std::copy_n(pushed_back_.begin(), filled, buffer.begin());
    pushed_back_.erase(pushed_back_.begin(), pushed_back_.begin() + static_cast<std::ptrdiff_t>(filled));
    while (filled < buffer.size()) {
      const StopSignal::Waited waited = stop_->wait_readable(fd_, until);
      if (waited == StopSignal::Waited::kStop) break;
      if (waited == StopSignal::Waited::kTimeout) {
        push_back(buffer.first(filled));
        return std::nullopt;
      }
      const ssize_t octets = ::read(fd_, buffer.data() + filled, buffer.size() - filled);
      if (octets == 0) break;
      if (octets < 0 && errno != EINTR && errno != EAGAIN) return tl::unexpected(SysError::last("read", name_));
      if (octets > 0) filled += static_cast<std::size_t>(octets);
    }
    return std::optional(filled);
  }
  /// The next `read` begins with these.
  void push_back(Bytes octets) { pushed_back_.insert(pushed_back_.begin(), octets.begin(), octets.end()); }

 private:
  UniqueFd owned_;
  int fd_;
  std::string name_;
  const StopSignal* stop_;
  std::vector<std::byte> pushed_back_;
};

/// Any file, at a constant rate.
class FileSource final : public SendSource {
 public:
  FileSource(Input input, std::size_t size_octets, std::uint64_t rate)
      : input_(std::move(input)), buffer_(size_octets), rate_(rate) {}

  SysResult<std::optional<Duration>> next() override {
    const SysResult<std::size_t> octets = input_.read(buffer_);
    if (!octets) return tl::unexpected(octets.error());
    filled_ = *octets;
    if (filled_ == 0) return std::nullopt;
    return rate_.next(filled_);
  }
  Bytes payload(Instant) override { return Bytes(buffer_).first(filled_); }
  [[nodiscard]] Duration lateness_max() const override { return rate_.lateness_max(buffer_.size()); }
  [[nodiscard]] std::string description() const override {
    return input_.name() + ", " + std::to_string(buffer_.size()) + " octets a packet";
  }

 private:
  Input input_;
  std::vector<std::byte> buffer_;
  std::size_t filled_ = 0;
  ConstantRate rate_;
};

/// A transport stream in the time of its own clock.
class TransportStreamSource final : public SendSource {
 public:
  TransportStreamSource(Input input, std::size_t packets)
      : input_(std::move(input)), packets_max_(packets), pacer_(kSendRateDefault), live_(input_.is_live()) {}

  SysResult<std::optional<Duration>> next() override {
    datagram_.clear();
    released_ = false;
    Duration due{};
    while (datagram_.size() < packets_max_ * kTsPacketOctets) {
      if (const std::optional<TsPacer::Paced> paced = pacer_.poll()) {
        if (datagram_.empty()) due = paced->at;
        datagram_.insert(datagram_.end(), paced->packet.begin(), paced->packet.end());
        continue;
      }
      // The octets so far are due; the datagram need not be full.
      if (ended_ || (released_ && !datagram_.empty())) break;
      if (SysResult<void> read = read_packet(); !read) return tl::unexpected(read.error());
    }
    if (datagram_.empty()) return std::nullopt;
    return due;
  }
  Bytes payload(Instant) override { return datagram_; }
  /// Where more waits in a pipe this program is late, and has to catch up with all of it: octets that stay in the pipe
  /// stop the source.
  [[nodiscard]] Duration lateness_max() const override {
    return live_ && input_.available() >= datagram_.size() ? Duration::max() : kStreamLatenessMax;
  }
  [[nodiscard]] Duration hold_max() const override { return live_ ? kLiveHoldMax : Duration::max(); }
  [[nodiscard]] std::string description() const override {
    return input_.name() + ", MPEG-TS in its own time, " + std::to_string(packets_max_ * kTsPacketOctets) +
           " octets a packet";
  }

 private:
  SysResult<void> read_packet() {
    std::array<std::byte, kTsPacketOctets> packet;
    const bool is_held = live_ && (pacer_.waiting() > 0 || !datagram_.empty());
    const SysResult<std::optional<std::size_t>> octets =
        input_.read(packet, is_held ? held_since_ + kLiveHoldMax : kNoDeadline);
    if (!octets) return tl::unexpected(octets.error());
    if (!*octets) {
      release();
    } else if (**octets < packet.size()) {
      ended_ = true;
      pacer_.finish();
    } else if (packet[0] == kTsSync) {
      const Instant now = monotonic_now();
      pacer_.add(packet);
      // Alone: a PCR gave those before it their time.
      if (pacer_.waiting() <= 1) held_since_ = now;
      if (live_ && now - held_since_ >= kLiveHoldMax) release();
    } else {
      // Out of step: look for the next sync octet.
      const auto sync = std::find(packet.begin(), packet.end(), kTsSync);
      input_.push_back(Bytes(packet).subspan(static_cast<std::size_t>(sync - packet.begin())));
    }
    return {};
  }

  /// The next PCR does not come, or not in time.
  void release() {
    const Instant now = monotonic_now();
    pacer_.release(now - held_since_);
    held_since_ = now;
    released_ = true;
  }

  Input input_;
  std::size_t packets_max_;
  TsPacer pacer_;
  bool live_;
  /// When the oldest packet that waits for the next PCR was read.
  Instant held_since_{};
  bool released_ = false;
  std::vector<std::byte> datagram_;
  bool ended_ = false;
};

SysResult<Input> open_input(const std::string& file, const StopSignal& stop) {
  if (file == "-") return Input(UniqueFd(), STDIN_FILENO, "standard input", stop);
  // A FIFO without a writer: `Input` waits for one, and for signals.
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return tl::unexpected(SysError::last("open", file));
  const int descriptor = fd.get();
  return Input(std::move(fd), descriptor, file, stop);
}

}  // namespace

SysResult<std::unique_ptr<SendSource>> make_send_source(const SendConfig& config, const StopSignal& stop,
                                                        Random& random) {
  const std::uint64_t rate = config.rate_bits_per_second.value_or(kSendRateDefault);
  if (!config.file) return std::make_unique<NumberedSource>(config.size_octets, rate, random.u32());
  SysResult<Input> input = open_input(*config.file, stop);
  if (!input) return tl::unexpected(input.error());
  constexpr std::size_t kProbePackets = 5;
  std::array<std::byte, kProbePackets * kTsPacketOctets> probe;
  const SysResult<std::size_t> octets = input->read(probe);
  if (!octets) return tl::unexpected(octets.error());
  const Bytes whole_packets = Bytes(probe).first(*octets / kTsPacketOctets * kTsPacketOctets);
  input->push_back(Bytes(probe).first(*octets));
  // A rate that was asked for wins over the stream's clock.
  if (is_transport_stream(whole_packets) && !config.rate_bits_per_second) {
    const std::size_t packets = std::max<std::size_t>(config.size_octets / kTsPacketOctets, 1);
    return std::make_unique<TransportStreamSource>(std::move(*input), packets);
  }
  return std::make_unique<FileSource>(std::move(*input), config.size_octets, rate);
}

}  // namespace amt
