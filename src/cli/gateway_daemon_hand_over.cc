/// A gateway that takes the place of another one, and one whose place is taken.

#include <unistd.h>

#include <utility>

#include "cli/control_paths.hh"
#include "cli/failure.hh"
#include "cli/gateway_daemon.hh"
#include "cli/hand_over.hh"
#include "sys/log.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

/// Of the channel that systemd keeps (`--descriptor-store`).
constexpr const char* kStoredName = "amt-gateway";

}  // namespace

std::optional<int> GatewayDaemon::find_predecessor() {
  if (config().take_over) {
    GatewayPredecessor& running = predecessor_.emplace();
    const Result<bool, std::string> asked = running.ask(control_paths(config().observe.control, {"gateway"}));
    if (!asked) return fail(asked.error());
    if (!*asked) predecessor_.reset();
    if (!*asked) log_info("--take-over: no gateway runs here");
  }
  if (!predecessor_) find_stored_predecessor();
  return std::nullopt;
}

void GatewayDaemon::find_stored_predecessor() {
  std::optional<UniqueFd> stored = take_stored_descriptor(kStoredName);
  if (!stored) return;
  // It can be read once.
  forget_descriptor(kStoredName);
  const Result<void, std::string> received = predecessor_.emplace().receive(DescriptorChannel(std::move(*stored)));
  if (!received) static_cast<void>(is_bound_to_predecessor(received.error()));
}

SysResult<ObservationPlaces> GatewayDaemon::open_places() {
  return predecessor_ ? adopt_observation(config().observe, "gateway", predecessor_->take_listeners())
                      : bind_observation(config().observe, "gateway");
}

Result<GatewayInheritance*, std::string> GatewayDaemon::inheritance() {
  if (!predecessor_) return nullptr;
  const Result<GatewayInheritance*, std::string> rest = predecessor_->take_rest();
  if (rest) return *rest;
  if (is_bound_to_predecessor(rest.error())) return Unexpected<std::string>(predecessor_->failure(rest.error()));
  return nullptr;
}

bool GatewayDaemon::is_bound_to_predecessor(const std::string& why) {
  if (predecessor_->is_running()) return true;
  log_warn("what systemd kept of the gateway before is of no use: {}; the gateway starts empty", why);
  predecessor_.reset();
  return false;
}

void GatewayDaemon::confirm_take_over() {
  if (!predecessor_) return;
  predecessor_->confirm();
  predecessor_.reset();
  set_listener_files_kept(*observation_, false);
  log_info("this gateway goes on with what the one before had");
  notify_main_process(::getpid());
}

void GatewayDaemon::answer_hand_over(const HttpRespond& respond) {
  constexpr unsigned kConflict = 409;
  if (successor_) return respond(http_error(kConflict, "another process is taking over already"));
  respond(http_switch([this](const UniqueFd& client) { begin_hand_over(client); }));
}

void GatewayDaemon::begin_hand_over(const UniqueFd& client) {
  if (successor_) return;
  std::optional<Claimant> claimant = admit_claimant(client, "gateway");
  if (!claimant) return;
  successor_.emplace(
      loop_, *engine_, std::move(claimant->channel), lend_listeners(*observation_),
      [this, process = claimant->process](const Result<void, std::string>& taken) { on_handed_over(process, taken); });
}

void GatewayDaemon::on_handed_over(int process, const Result<void, std::string>& taken) {
  successor_.reset();
  if (!taken) return log_warn("process {} has not taken over: {}; this gateway goes on", process, taken.error());
  log_info("process {} has taken over", process);
  notify_main_process(process);
  end_handed_over();
}

bool GatewayDaemon::give_to_store() {
  successor_.reset();
  const bool is_left = leave_in_store(kStoredName, [this](DescriptorChannel& channel) {
    return leave_everything(*engine_, channel, lend_listeners(*observation_));
  });
  if (!is_left) return false;
  log_info("systemd has interface and tunnels for the gateway that it starts next");
  end_handed_over();
  return true;
}

void GatewayDaemon::end_handed_over() {
  set_listener_files_kept(*observation_, true);
  loop_.stop();
}

}  // namespace amt
