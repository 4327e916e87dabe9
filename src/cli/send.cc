#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/printable.hh"
#include "base/seconds.hh"
#include "cli/confinement.hh"
#include "cli/failure.hh"
#include "cli/send_source.hh"
#include "cli/subcommands.hh"
#include "io/multicast_sender.hh"
#include "media/pacer.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/os_random.hh"

namespace amt {
namespace {

int open_failed(const SendConfig& config, const SysError& error) {
  if (error.code == ENODEV && config.interface) {
    return fail_usage("send", no_such_interface("--interface", *config.interface));
  }
  if (error.code == EADDRNOTAVAIL && config.source) {
    return fail_usage("send", fmt::format("--source {}: not an address of this host", config.source->to_string()));
  }
  if (error.code == ENETUNREACH || error.code == EADDRNOTAVAIL) {
    return fail(config.interface ? fmt::format("{} (is {} up, and has it an {} address and a multicast route?)",
                                               error.to_string(), *config.interface,
                                               config.group.address.is_v4() ? "IPv4" : "IPv6")
                                 : error.to_string() + " (name the interface to send on: --interface IF)");
  }
  return fail(error.to_string());
}

/// Largest datagram, IP header included, that passes every tunnel over a path of 1500 octets: an IPv6 header, UDP and
/// the two octets of AMT are around it.
constexpr std::size_t kTunnelDatagramMax = 1500 - 40 - 8 - 2;
constexpr std::size_t kUdpOctets = 8;

/// The kernel sends such datagrams with DF=1, and IPv6 is never fragmented on the way.
void warn_of_large_datagrams(const SendConfig& config) {
  const std::size_t headers = (config.group.address.is_v4() ? 20 : 40) + kUdpOctets;
  if (config.size_octets + headers <= kTunnelDatagramMax) return;
  log_warn(
      "--size {}: with {} octets of headers these datagrams do not fit into AMT tunnels over a path of 1500 octets; at "
      "most {} do",
      config.size_octets, headers, kTunnelDatagramMax - headers);
}

/// On a terminal, unless a program in front of the pipe most likely draws on the same line.
bool draws_line(const SendConfig& config) {
  const bool reads_pipe = config.file == "-" && ::isatty(STDIN_FILENO) == 0;
  return ::isatty(STDERR_FILENO) == 1 && !reads_pipe;
}

/// The sent packets; the live line on a terminal.
class Progress {
 public:
  Progress(Instant start, bool is_shown) : is_shown_(is_shown), start_(start), shown_at_(start) {}

  void add(std::size_t octets, Instant now) {
    ++packets_;
    octets_ += octets;
    if (!is_shown_ || now - shown_at_ < kInterval) return;
    const double rate = static_cast<double>(octets_ - shown_octets_) * 8 / 1e6 / seconds(now - shown_at_);
    fmt::print(stderr, "\r{} packets, {:.3f} Mbit/s, {:.0f} s  ", packets_, rate, seconds(now - start_));
    shown_at_ = now;
    shown_octets_ = octets_;
  }
  void finish(Instant now) const {
    if (is_shown_ && shown_octets_ > 0) fmt::print(stderr, "\n");
    log_info("sent {} packets, {} octets in {:.3f} s", packets_, octets_, seconds(now - start_));
  }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }

 private:
  static constexpr Duration kInterval = std::chrono::milliseconds(500);
  bool is_shown_;
  Instant start_;
  Instant shown_at_;
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t shown_octets_ = 0;
};

/// Sends until the end of the source, the count, or a signal. The error that ended it, if one did.
SysResult<void> send_all(const SendConfig& config, SendSource& source, MulticastSender& sender, const StopSignal& stop,
                         Progress& progress) {
  Schedule schedule(monotonic_now(), source.hold_max());
  while (!config.count || progress.packets() < *config.count) {
    const SysResult<std::optional<Duration>> due = source.next();
    if (!due) return tl::unexpected(due.error());
    if (!*due || stop.wait_until(schedule.due(**due, monotonic_now(), source.lateness_max()))) return {};
    const Instant now = monotonic_now();
    const Bytes payload = source.payload(now);
    SysResult<void> sent = sender.send(payload);
    // A full queue of the interface costs this packet, as it does on any network.
    if (!sent && sent.error().code != ENOBUFS) return sent;
    progress.add(payload.size(), now);
  }
  return {};
}

}  // namespace

int run_send(const SendConfig& config, const CommonConfig& common) {
  const SysResult<StopSignal> stop = StopSignal::create();
  if (!stop) return fail(stop.error().to_string());
  SysResult<MulticastSender> sender = MulticastSender::open(
      {.group = config.group, .interface = config.interface, .source = config.source, .ttl = config.ttl});
  if (!sender) return open_failed(config, sender.error());
  OsRandom random;
  const SysResult<std::unique_ptr<SendSource>> source = make_send_source(config, *stop, random);
  if (!source) return fail(source.error().to_string());
  if (const auto confined = confine(common, {}); !confined) return fail(confined.error());

  log_info("sending {} from {} to {}{}, TTL {}", (*source)->description(), sender->local().to_string(),
           config.group.to_string(), config.interface ? " on " + *config.interface : "", config.ttl);
  warn_of_large_datagrams(config);
  Progress progress(monotonic_now(), draws_line(config));
  const SysResult<void> sent = send_all(config, **source, *sender, *stop, progress);
  progress.finish(monotonic_now());
  return sent ? 0 : fail(sent.error().to_string());
}

}  // namespace amt
