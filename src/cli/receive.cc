#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/receive_output.hh"
#include "cli/receive_report.hh"
#include "cli/subcommands.hh"
#include "cli/way_to_relay.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/os_random.hh"

namespace amt {
namespace {

constexpr Duration kLiveLineInterval = std::chrono::seconds(1);

/// Where the payload goes without `-o`: standard output, unless a person would see it there.
std::optional<ReceiveOutput> chosen_output(const ReceiveConfig& config) {
  if (config.output) return config.output;
  if (isatty(STDOUT_FILENO) != 0) return std::nullopt;
  return ReceiveOutput{};
}

/// One run of `amt receive`: ends by count, duration, silence, signal, or an output that is gone.
class ReceiveSession {
 public:
  explicit ReceiveSession(const ReceiveConfig& config)
      : config_(config),
        report_(config.verify),
        duration_timer_(loop_, [this] { end(0); }),
        silence_timer_(loop_, [this] { on_silence_check(); }),
        live_timer_(loop_, [this] { on_live_line(); }) {}

  int run();

 private:
  SysResult<void> open(RelaySetOptions relays);
  void on_packets(Instant now, std::span<const Receiver::Packet> packets);
  void on_silence_check();
  void on_live_line();
  [[nodiscard]] std::string reason_of_silence() const;
  void end(int status);
  void print_summary(const std::optional<Endpoint>& relay, const std::optional<Receiver::Native>& native) const;

  const ReceiveConfig& config_;
  OsRandom random_;
  EventLoop loop_;
  ReceiveReport report_;
  std::unique_ptr<PayloadOutput> output_;
  bool payload_on_stdout_ = false;
  Instant started_{};
  Instant last_arrival_{};
  int status_ = 0;
  bool ended_ = false;
  std::unique_ptr<Receiver> receiver_;
  Timer duration_timer_;
  Timer silence_timer_;
  Timer live_timer_;
};

SysResult<void> ReceiveSession::open(RelaySetOptions relays) {
  if (const std::optional<ReceiveOutput> chosen = chosen_output(config_)) {
    SysResult<std::unique_ptr<PayloadOutput>> output = open_output(*chosen);
    if (!output) return Unexpected<SysError>(output.error());
    output_ = std::move(*output);
    payload_on_stdout_ = chosen->kind == ReceiveOutput::Kind::kStandardOutput;
  }
  ReceiverOptions options;
  options.relays = std::move(relays);
  options.channel = config_.url.channel;
  options.port = config_.url.port;
  options.native = config_.relay.native;
  options.native_interface = config_.relay.native_interface;
  SysResult<std::unique_ptr<Receiver>> receiver =
      Receiver::create(loop_, std::move(options), random_,
                       [this](Instant now, std::span<const Receiver::Packet> packets) { on_packets(now, packets); });
  if (!receiver) return Unexpected<SysError>(receiver.error());
  receiver_ = std::move(*receiver);
  return {};
}

int ReceiveSession::run() {
  if (const std::optional<std::string> problem = unusable_native_interface(config_.relay)) {
    return fail_usage("receive", *problem);
  }
  Result<RelaySetOptions, std::string> relays = relay_set_options(loop_, config_.relay);
  if (!relays) return fail(relays.error());
  started_ = last_arrival_ = monotonic_now();
  if (const SysResult<void> opened = open(std::move(*relays)); !opened) return fail(explain(opened.error()));
  loop_.on_stop_signal([this](int) { end(0); });
  if (config_.duration) duration_timer_.set(started_ + *config_.duration);
  if (config_.timeout) silence_timer_.set(started_ + *config_.timeout);
  if (!config_.quiet && isatty(STDERR_FILENO) != 0) live_timer_.set(started_ + kLiveLineInterval);
  log_info("ready to receive {}", config_.url.channel.to_string());
  loop_.run();
  std::optional<Endpoint> relay;
  // The last that was taken.
  receiver_->relays().for_each_relay([&relay](const Endpoint& one, const Gateway&) { relay = one; });
  const std::optional<Receiver::Native> native = receiver_->native();
  receiver_->shutdown();
  print_summary(relay, native);
  if (status_ == 0 && config_.verify && !report_.is_faultless(receiver_->drops())) return 1;
  return status_;
}

void ReceiveSession::on_packets(Instant now, std::span<const Receiver::Packet> packets) {
  if (ended_) return;
  if (config_.count) {
    const std::uint64_t left = *config_.count - report_.packets();
    packets = packets.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, packets.size())));
  }
  if (report_.packets() == 0 && !packets.empty()) {
    log_info("first packet after {} ms, from {}",
             std::chrono::duration_cast<std::chrono::milliseconds>(now - started_).count(),
             packets.front().source.to_string());
  }
  last_arrival_ = now;
  for (const Receiver::Packet& packet : packets) report_.add(now, packet.payload);
  if (output_) {
    if (const SysResult<void> written = output_->write(packets); !written) {
      const bool reader_left = written.error().code == EPIPE;
      if (reader_left) {
        log_info("{}: the reader is gone", written.error().object);
      } else {
        log_error("{}", explain(written.error()));
      }
      return end(reader_left ? 0 : 1);
    }
  }
  if (config_.count && report_.packets() == *config_.count) end(0);
}

void ReceiveSession::on_silence_check() {
  const Instant due = last_arrival_ + *config_.timeout;
  if (monotonic_now() < due) return silence_timer_.set(due);
  log_error("nothing arrived for {} s: {}", std::chrono::duration<double>(*config_.timeout).count(),
            reason_of_silence());
  end(1);
}

std::string ReceiveSession::reason_of_silence() const {
  const ReceiverDrops drops = receiver_->drops();
  if (report_.packets() == 0 && drops.other_port != 0)
    return fmt::format("{} packets came for other UDP ports of the group", drops.other_port);
  if (report_.packets() == 0 && drops.not_udp != 0) return "what comes is not UDP";
  return receiver_->reason_of_silence();
}

void ReceiveSession::on_live_line() {
  const Instant now = monotonic_now();
  fmt::print(stderr, "\r{}\x1b[K", report_.live_line(now));
  std::fflush(stderr);
  live_timer_.set(now + kLiveLineInterval);
}

void ReceiveSession::end(int status) {
  if (ended_) return;
  ended_ = true;
  status_ = status;
  loop_.stop();
}

void ReceiveSession::print_summary(const std::optional<Endpoint>& relay,
                                   const std::optional<Receiver::Native>& native) const {
  if (!config_.quiet && isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K");
  ReceiveReport::Surroundings surroundings;
  surroundings.started = started_;
  surroundings.ended = monotonic_now();
  surroundings.drops = receiver_->drops();
  surroundings.output_dropped = output_ ? output_->dropped() : 0;
  surroundings.relay = relay;
  surroundings.native = native;
  switch (config_.stats) {
    case StatsFormat::kNone:
      return;
    case StatsFormat::kText:
      if (!config_.quiet) fmt::print(stderr, "{}\n", report_.text(surroundings));
      return;
    case StatsFormat::kJson:
      fmt::print(payload_on_stdout_ ? stderr : stdout, "{}\n", report_.json(surroundings));
      std::fflush(stdout);
      return;
  }
}

}  // namespace

int run_receive(const ReceiveConfig& config, const CommonConfig&) { return ReceiveSession(config).run(); }

}  // namespace amt
