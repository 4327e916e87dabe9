#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <list>
#include <optional>

#include "base/seconds.hh"
#include "cli/confinement.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/received_channel.hh"
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
/// Silence that the live line shows, and that is logged.
constexpr Duration kSilenceShown = std::chrono::seconds(3);
constexpr Duration kSilenceLogged = std::chrono::seconds(5);

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

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// One run of `amt receive`: ends by count, duration, silence, signal, or an output that is gone.
class ReceiveSession {
 public:
  ReceiveSession(const ReceiveConfig& config, const CommonConfig& common)
      : config_(config),
        common_(common),
        draws_(may_draw(config, common)),
        duration_timer_(loop_, [this] { end(0); }),
        silence_timer_(loop_, [this] { on_silence_check(); }),
        watch_timer_(loop_, [this] { on_watch(); }) {
    for (const ChannelUrl& url : config.urls) {
      channels_.emplace_back(
          loop_, config, url,
          ReceivedChannelEvents{.on_count = [this] { on_count(); },
                                .on_output_failure = [this](const SysError& error) { on_output_failure(error); }});
    }
  }

  int run();

 private:
  std::optional<int> open_outputs();
  std::optional<int> open_receivers();
  void on_count();
  void on_output_failure(const SysError& error);
  void on_silence_check();
  void on_watch();
  [[nodiscard]] std::string live_line(Instant now);
  [[nodiscard]] Instant last_arrival() const;
  void end(int status);
  void print_summary() const;

  const ReceiveConfig& config_;
  const CommonConfig& common_;
  bool draws_;
  OsRandom random_;
  EventLoop loop_;
  std::list<ReceivedChannel> channels_;
  std::size_t counted_ = 0;
  bool payload_on_stdout_ = false;
  int status_ = 0;
  bool ended_ = false;
  Timer duration_timer_;
  Timer silence_timer_;
  Timer watch_timer_;
};

/// The exit status, where it cannot go on.
std::optional<int> ReceiveSession::open_outputs() {
  const std::optional<ReceiveOutput> chosen = chosen_output(config_);
  if (!chosen) return std::nullopt;
  const bool is_file = chosen->kind == ReceiveOutput::Kind::kFile;
  const bool into_folder = is_file && (config_.urls.size() > 1 || is_folder(chosen->path));
  if (into_folder && ::mkdir(chosen->path.c_str(), 0777) != 0 && errno != EEXIST) {
    return fail(explain(SysError::last("mkdir", chosen->path)));
  }
  for (ReceivedChannel& channel : channels_) {
    ReceiveOutput output = *chosen;
    if (into_folder) output.path += "/" + recording_name(channel.url());
    const SysResult<void> opened = channel.open_output(output);
    if (opened) continue;
    if (opened.error().code != EEXIST) return fail(explain(opened.error()));
    return fail_usage("receive", fmt::format("--output {}: the file is there already and not empty (--overwrite, or "
                                             "another name)",
                                             output.path));
  }
  payload_on_stdout_ = chosen->kind == ReceiveOutput::Kind::kStandardOutput;
  return std::nullopt;
}

std::optional<int> ReceiveSession::open_receivers() {
  for (ReceivedChannel& channel : channels_) {
    Result<RelaySetOptions, std::string> relays =
        relay_set_options(loop_, relays_for(channel.url(), config_.relay), look_up_host);
    if (!relays) return fail(relays.error());
    const SysResult<void> opened = channel.open_receiver(std::move(*relays), random_);
    if (!opened) return fail(explain(opened.error()));
    log_info("ready to receive {}", channel.url().channel.to_string());
  }
  return std::nullopt;
}

int ReceiveSession::run() {
  if (const std::optional<std::string> problem = unusable_native_interface(config_.relay)) {
    return fail_usage("receive", *problem);
  }
  // From here on the output may be there, and a script that waits for it may stop this program.
  loop_.on_stop_signal([this](int) { end(0); });
  if (const std::optional<int> failed = open_outputs()) return *failed;
  SandboxOptions sandbox;
  // A FIFO is opened again and again until it has a reader.
  if (config_.output && config_.output->kind == ReceiveOutput::Kind::kFile) {
    sandbox.files.writable = {config_.output->path};
  }
  if (config_.relay.dns.trust_anchor) sandbox.files.readable = {directory_of(*config_.relay.dns.trust_anchor)};
  if (const auto confined = confine(common_, std::move(sandbox)); !confined) return fail(confined.error());
  if (const std::optional<int> failed = open_receivers()) return *failed;
  const Instant started = monotonic_now();
  if (config_.duration) duration_timer_.set(started + *config_.duration);
  if (config_.timeout) silence_timer_.set(started + *config_.timeout);
  watch_timer_.set(started + kWatchInterval);
  loop_.run();
  for (ReceivedChannel& channel : channels_) channel.close();
  if (draws_) fmt::print(stderr, "\x1b[K");
  print_summary();
  const bool is_faultless = std::ranges::all_of(channels_, &ReceivedChannel::is_faultless);
  return status_ == 0 && config_.verify && !is_faultless ? 1 : status_;
}

void ReceiveSession::on_count() {
  if (++counted_ == channels_.size()) end(0);
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

Instant ReceiveSession::last_arrival() const {
  return std::ranges::max_element(channels_, {}, &ReceivedChannel::last_arrival)->last_arrival();
}

void ReceiveSession::on_silence_check() {
  const Instant due = last_arrival() + *config_.timeout;
  if (monotonic_now() < due) return silence_timer_.set(due);
  log_error("nothing arrived for {} s: {}", seconds(*config_.timeout), channels_.front().reason_of_silence());
  end(1);
}

void ReceiveSession::on_watch() {
  const Instant now = monotonic_now();
  if (draws_) {
    // The cursor goes back: a line of the log takes the place of this one.
    fmt::print(stderr, "{}\x1b[K\r", live_line(now));
    std::fflush(stderr);
  }
  for (ReceivedChannel& channel : channels_) {
    if (now - channel.last_arrival() >= kSilenceLogged) channel.log_silence(now);
  }
  watch_timer_.set(now + kWatchInterval);
}

std::string ReceiveSession::live_line(Instant now) {
  const auto is_silent = [now](const ReceivedChannel& one) { return now - one.last_arrival() >= kSilenceShown; };
  if (channels_.size() > 1) {
    std::uint64_t packets = 0;
    for (ReceivedChannel& channel : channels_) packets += channel.report().packets();
    const auto silent = std::ranges::count_if(channels_, is_silent);
    return fmt::format("{} channels  {} packets  {} silent", channels_.size(), packets, silent);
  }
  ReceivedChannel& channel = channels_.front();
  if (!is_silent(channel) || channel.report().packets() == 0) return channel.report().live_line(now);
  return fmt::format("data stopped {:.0f} s ago", seconds(now - channel.last_arrival()));
}

void ReceiveSession::end(int status) {
  if (ended_) return;
  ended_ = true;
  status_ = status;
  loop_.stop();
}

void ReceiveSession::print_summary() const {
  for (const ReceivedChannel& channel : channels_) {
    const ReceiveReport::Surroundings& known = channel.surroundings();
    if (config_.stats == StatsFormat::kJson) {
      fmt::print(payload_on_stdout_ ? stderr : stdout, "{}\n", channel.report().json(known));
      continue;
    }
    if (config_.stats == StatsFormat::kNone || (config_.quiet && channel.report().is_smooth(known))) continue;
    const std::string text = channel.report().text(known);
    if (common_.log_json) {
      log_info("{}", text);
    } else {
      fmt::print(stderr, "{}\n", text);
    }
  }
  std::fflush(stdout);
}

}  // namespace

int run_receive(const ReceiveConfig& config, const CommonConfig& common) {
  return ReceiveSession(config, common).run();
}

}  // namespace amt
