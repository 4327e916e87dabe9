#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "cli/confinement.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/payload_writer.hh"
#include "cli/receive_report.hh"
#include "cli/relay_arguments.hh"
#include "cli/subcommands.hh"
#include "library/way_to_relay.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/os_random.hh"

namespace amt {
namespace {

/// The live line is drawn anew, and it is looked whether anything comes.
constexpr Duration kWatchInterval = std::chrono::seconds(1);
/// Silence that the live line shows, and that the log tells of.
constexpr Duration kSilenceShown = std::chrono::seconds(3);
constexpr Duration kSilenceTold = std::chrono::seconds(5);
/// The log tells of silence no more often than this.
constexpr Duration kSilenceToldInterval = std::chrono::minutes(1);

/// Where the payload goes without `-o`: standard output, unless a person would see it there; nowhere when it is
/// checked.
std::optional<ReceiveOutput> chosen_output(const ReceiveConfig& config) {
  if (config.output) return config.output;
  if (config.verify || isatty(STDOUT_FILENO) != 0) return std::nullopt;
  return ReceiveOutput{};
}

/// May a line be drawn on the terminal again and again? Not where standard output is a pipe: the player behind it most
/// likely draws on the same line.
bool may_draw(const ReceiveConfig& config, const CommonConfig& common) {
  if (config.quiet || common.log_json || isatty(STDERR_FILENO) == 0) return false;
  struct stat status {};
  return fstat(STDOUT_FILENO, &status) != 0 || !S_ISFIFO(status.st_mode);
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// One run of `amt receive`: ends by count, duration, silence, signal, or an output that is gone.
class ReceiveSession {
 public:
  ReceiveSession(const ReceiveConfig& config, const CommonConfig& common)
      : config_(config),
        common_(common),
        draws_(may_draw(config, common)),
        report_(config.verify),
        duration_timer_(loop_, [this] { end(0); }),
        silence_timer_(loop_, [this] { on_silence_check(); }),
        watch_timer_(loop_, [this] { on_watch(); }) {}

  int run();

 private:
  SysResult<void> open_writer();
  SysResult<void> open_receiver(RelaySetOptions relays);
  void on_packets(Instant now, std::span<const Payload> packets);
  void on_output_failure(const SysError& error);
  void on_silence_check();
  void on_watch();
  void tell_of_silence(Instant now, Duration silence);
  [[nodiscard]] std::string live_line(Instant now, Duration silence);
  [[nodiscard]] std::string reason_of_silence() const;
  void end(int status);
  [[nodiscard]] ReceiveReport::Surroundings surroundings() const;
  void print_summary(const ReceiveReport::Surroundings& surroundings) const;

  const ReceiveConfig& config_;
  const CommonConfig& common_;
  bool draws_;
  OsRandom random_;
  EventLoop loop_;
  ReceiveReport report_;
  std::optional<PayloadWriter> writer_;
  bool payload_on_stdout_ = false;
  Instant started_{};
  Instant last_arrival_{};
  Instant silence_told_ = Instant::min();
  bool is_silence_told_ = false;
  int status_ = 0;
  bool ended_ = false;
  std::unique_ptr<Receiver> receiver_;
  Timer duration_timer_;
  Timer silence_timer_;
  Timer watch_timer_;
};

SysResult<void> ReceiveSession::open_writer() {
  if (const std::optional<ReceiveOutput> chosen = chosen_output(config_)) {
    SysResult<std::unique_ptr<PayloadOutput>> output = open_output(*chosen, config_.overwrite);
    if (!output) return Unexpected<SysError>(output.error());
    writer_.emplace(loop_, std::move(*output), unwrapping(config_.rtp, *chosen),
                    [this](const SysError& error) { on_output_failure(error); });
    payload_on_stdout_ = chosen->kind == ReceiveOutput::Kind::kStandardOutput;
  }
  return {};
}

SysResult<void> ReceiveSession::open_receiver(RelaySetOptions relays) {
  ReceiverOptions options;
  options.relays = std::move(relays);
  options.channel = config_.url.channel;
  options.port = config_.url.port;
  options.native = config_.relay.native;
  options.native_interface = config_.relay.native_interface;
  SysResult<std::unique_ptr<Receiver>> receiver =
      Receiver::create(loop_, std::move(options), random_,
                       [this](Instant now, std::span<const Payload> packets) { on_packets(now, packets); });
  if (!receiver) return Unexpected<SysError>(receiver.error());
  receiver_ = std::move(*receiver);
  return {};
}

int ReceiveSession::run() {
  if (const std::optional<std::string> problem = unusable_native_interface(config_.relay)) {
    return fail_usage("receive", *problem);
  }
  // From here on the output may be there, and whoever waits for it may stop this.
  loop_.on_stop_signal([this](int) { end(0); });
  if (const SysResult<void> opened = open_writer(); !opened) {
    if (opened.error().code == EEXIST && config_.output) {
      return fail_usage("receive", fmt::format("--output {}: the file is there already and not empty (--overwrite, or "
                                               "another name)",
                                               config_.output->path));
    }
    return fail(explain(opened.error()));
  }
  SandboxOptions sandbox;
  // A FIFO is opened again and again until it has a reader.
  if (config_.output && config_.output->kind == ReceiveOutput::Kind::kFile) {
    sandbox.files.writable = {config_.output->path};
  }
  if (config_.relay.dns.trust_anchor) sandbox.files.readable = {directory_of(*config_.relay.dns.trust_anchor)};
  if (const auto confined = confine(common_, std::move(sandbox)); !confined) return fail(confined.error());
  Result<RelaySetOptions, std::string> relays = relay_set_options(loop_, config_.relay, look_up_host);
  if (!relays) return fail(relays.error());
  started_ = last_arrival_ = monotonic_now();
  if (const SysResult<void> opened = open_receiver(std::move(*relays)); !opened) return fail(explain(opened.error()));
  if (config_.duration) duration_timer_.set(started_ + *config_.duration);
  if (config_.timeout) silence_timer_.set(started_ + *config_.timeout);
  watch_timer_.set(started_ + kWatchInterval);
  log_info("ready to receive {}", config_.url.channel.to_string());
  loop_.run();
  if (writer_) writer_->finish();
  const ReceiveReport::Surroundings known = surroundings();
  receiver_->shutdown();
  print_summary(known);
  if (status_ == 0 && config_.verify && !report_.is_faultless(receiver_->client().payload_drops())) return 1;
  return status_;
}

void ReceiveSession::on_packets(Instant now, std::span<const Payload> packets) {
  if (ended_) return;
  if (config_.count) {
    const std::uint64_t left = *config_.count - report_.packets();
    packets = packets.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, packets.size())));
  }
  if (report_.packets() == 0 && !packets.empty()) {
    log_info("first packet after {} ms, from {}",
             std::chrono::duration_cast<std::chrono::milliseconds>(now - started_).count(),
             packets.front().source.address.to_string());
  }
  if (is_silence_told_) {
    log_info("data comes again, after {:.1f} s", seconds(now - last_arrival_));
    is_silence_told_ = false;
  }
  last_arrival_ = now;
  for (const Payload& packet : packets) report_.add(now, packet.octets);
  if (writer_) writer_->write(now, packets);
  if (config_.count && report_.packets() == *config_.count) end(0);
}

void ReceiveSession::on_output_failure(const SysError& error) {
  const bool reader_left = error.code == EPIPE;
  if (reader_left) {
    log_info("{}: the reader is gone", error.object);
  } else {
    log_error("{}", explain(error));
  }
  end(reader_left ? 0 : 1);
}

void ReceiveSession::on_silence_check() {
  const Instant due = last_arrival_ + *config_.timeout;
  if (monotonic_now() < due) return silence_timer_.set(due);
  log_error("nothing arrived for {} s: {}", seconds(*config_.timeout), reason_of_silence());
  end(1);
}

std::string ReceiveSession::reason_of_silence() const {
  const PayloadDrops drops = receiver_->client().payload_drops();
  if (report_.packets() == 0 && drops.other_port != 0)
    return fmt::format("{} packets came for other UDP ports of the group", drops.other_port);
  if (report_.packets() == 0 && drops.not_udp != 0) return "what comes is not UDP";
  return receiver_->reason_of_silence();
}

void ReceiveSession::on_watch() {
  const Instant now = monotonic_now();
  const Duration silence = now - last_arrival_;
  if (draws_) {
    // The cursor goes back: a line of the log takes the place of this one.
    fmt::print(stderr, "{}\x1b[K\r", live_line(now, silence));
    std::fflush(stderr);
  }
  if (silence >= kSilenceTold && !is_silence_told_) tell_of_silence(now, silence);
  watch_timer_.set(now + kWatchInterval);
}

std::string ReceiveSession::live_line(Instant now, Duration silence) {
  if (silence < kSilenceShown || report_.packets() == 0) return report_.live_line(now);
  return fmt::format("data stopped {:.0f} s ago", seconds(silence));
}

void ReceiveSession::tell_of_silence(Instant now, Duration silence) {
  if (silence_told_ != Instant::min() && now - silence_told_ < kSilenceToldInterval) return;
  silence_told_ = now;
  is_silence_told_ = report_.packets() != 0;
  log_warn("{} {:.0f} s{}: {}", report_.packets() == 0 ? "nothing came in" : "data stopped", seconds(silence),
           report_.packets() == 0 ? "" : " ago", reason_of_silence());
}

void ReceiveSession::end(int status) {
  if (ended_) return;
  ended_ = true;
  status_ = status;
  loop_.stop();
}

ReceiveReport::Surroundings ReceiveSession::surroundings() const {
  ReceiveReport::Surroundings known;
  known.started = started_;
  known.ended = monotonic_now();
  known.drops = receiver_->client().payload_drops();
  known.output_dropped = writer_ ? writer_->dropped() : 0;
  known.late = writer_ ? writer_->late() : 0;
  // The last that was taken.
  receiver_->client().for_each_relay([&known](const Endpoint& one, const Gateway&) { known.relay = one; });
  known.native = receiver_->native();
  return known;
}

void ReceiveSession::print_summary(const ReceiveReport::Surroundings& surroundings) const {
  if (draws_) fmt::print(stderr, "\x1b[K");
  switch (config_.stats) {
    case StatsFormat::kNone:
      return;
    case StatsFormat::kText: {
      if (config_.quiet && report_.is_smooth(surroundings)) return;
      const std::string text = report_.text(surroundings);
      if (common_.log_json) return log_info("{}", text);
      fmt::print(stderr, "{}\n", text);
      return;
    }
    case StatsFormat::kJson:
      fmt::print(payload_on_stdout_ ? stderr : stdout, "{}\n", report_.json(surroundings));
      std::fflush(stdout);
      return;
  }
}

}  // namespace

int run_receive(const ReceiveConfig& config, const CommonConfig& common) {
  return ReceiveSession(config, common).run();
}

}  // namespace amt
