/// A relay that takes the place of another one, and one whose place is taken.

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "cli/control_paths.hh"
#include "cli/failure.hh"
#include "cli/hand_over.hh"
#include "cli/relay_daemon.hh"
#include "sys/descriptor_channel.hh"
#include "sys/log.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

/// Of the channel that systemd keeps (`--descriptor-store`).
constexpr const char* kStoredName = "amt-relay";

}  // namespace

std::optional<int> RelayDaemon::find_predecessor(RelayEngineOptions& options) {
  if (config().take_over) {
    RelayPredecessor& running = predecessor_.emplace();
    const Result<bool, std::string> asked = running.ask(control_paths(config().observe.control, {"relay"}));
    if (!asked) return fail(asked.error());
    if (!*asked) predecessor_.reset();
    if (!*asked) log_info("--take-over: no relay runs here");
  }
  if (!predecessor_) find_stored_predecessor();
  if (!predecessor_ && config().state) find_dead_predecessor(*config().state);
  if (!predecessor_) return std::nullopt;
  options.inheritance = predecessor_->inheritance();
  const std::size_t workers = predecessor_->shared().workers;
  if (predecessor_->gives_sockets() && config().workers.value_or(workers) != workers) {
    log_warn("--workers {}: {} go on with the sockets of the relay before; a start without those changes it",
             *config().workers, workers);
  }
  return std::nullopt;
}

void RelayDaemon::find_stored_predecessor() {
  std::optional<UniqueFd> stored = take_stored_descriptor(kStoredName);
  if (!stored) return;
  // It can be read once.
  forget_descriptor(kStoredName);
  RelayPredecessor& before = predecessor_.emplace();
  const Result<void, std::string> received = before.receive(DescriptorChannel(std::move(*stored)));
  if (received) return;
  log_warn("what systemd kept of the relay before is of no use: {}; the relay starts empty", received.error());
  predecessor_.reset();
}

void RelayDaemon::find_dead_predecessor(const std::string& path) {
  Result<std::optional<std::vector<std::byte>>, std::string> document = take_state_file(path);
  if (!document) return log_warn("{}", document.error());
  if (!*document) return;
  RelayPredecessor& before = predecessor_.emplace();
  const Result<void, std::string> read = before.read(std::move(**document));
  if (read) return;
  log_warn("--state {}: of the relay before, {}; the relay starts empty", path, read.error());
  predecessor_.reset();
}

void RelayDaemon::confirm_take_over() {
  if (config().state) state_file_.emplace(loop_, *engine_, *config().state);
  if (!predecessor_) return;
  predecessor_->confirm();
  const bool was_draining = predecessor_->shared().is_draining;
  // The parsed state refers to it.
  predecessor_.reset();
  set_listener_files_kept(*observation_, false);
  if (events_) events_->add("take-over", {{"tunnels", std::to_string(engine_->tunnel_count())}});
  notify_main_process(::getpid());
  if (was_draining) static_cast<void>(drain({}));
}

void RelayDaemon::answer_hand_over(const HttpRespond& respond) {
  constexpr unsigned kConflict = 409;
  if (successor_) return respond(http_error(kConflict, "another process is taking over already"));
  if (engine_->is_draining()) return respond(http_error(kConflict, "the relay drains; amt drain --cancel comes first"));
  respond(http_switch([this](const UniqueFd& client) { begin_hand_over(client); }));
}

void RelayDaemon::begin_hand_over(const UniqueFd& client) {
  if (successor_) return;
  std::optional<Claimant> claimant = admit_claimant(client, "relay");
  if (!claimant) return;
  successor_.emplace(
      loop_, *engine_, std::move(claimant->channel), lend_listeners(*observation_),
      [this, process = claimant->process](const Result<void, std::string>& taken) { on_handed_over(process, taken); });
}

void RelayDaemon::on_handed_over(int pid, const Result<void, std::string>& taken) {
  successor_.reset();
  if (!taken) return log_warn("process {} has not taken over: {}; this relay goes on", pid, taken.error());
  log_info("process {} has taken over", pid);
  notify_main_process(pid);
  if (events_) events_->add("hand-over", {{"process", std::to_string(pid)}});
  end_handed_over();
}

bool RelayDaemon::give_to_store() {
  if (engine_->is_draining()) return false;
  successor_.reset();
  engine_->stop_workers();
  const bool is_left = leave_in_store(kStoredName, [this](DescriptorChannel& channel) {
    return leave_everything(*engine_, channel, lend_listeners(*observation_));
  });
  if (!is_left) return false;
  log_info("systemd has the tunnels for the relay that it starts next");
  if (events_) events_->add("hand-over", {{"process", "next"}});
  end_handed_over();
  return true;
}

void RelayDaemon::end_handed_over() {
  if (events_) events_->finish();
  if (flows_) flows_->finish();
  state_file_.reset();
  set_listener_files_kept(*observation_, true);
  drain_timer_.set(kNoDeadline);
  engine_->abandon();
  loop_.stop();
}

}  // namespace amt
