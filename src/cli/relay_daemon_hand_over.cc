/// A relay that takes the place of another one, and one whose place is taken.

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "cli/control_paths.hh"
#include "cli/failure.hh"
#include "cli/hand_over_words.hh"
#include "cli/relay_daemon.hh"
#include "sys/descriptor_channel.hh"
#include "sys/log.hh"
#include "sys/service_manager.hh"

namespace amt {

std::optional<int> RelayDaemon::ask_predecessor(RelayEngineOptions& options) {
  if (!config().take_over) return std::nullopt;
  if (options.router) return fail_usage("relay", "--take-over: not with --interface");
  predecessor_.emplace();
  const Result<bool, std::string> asked = predecessor_->ask(control_paths(config().observe.control, {"relay"}));
  if (!asked) return fail(asked.error());
  if (!*asked) {
    log_info("--take-over: no relay runs here");
    predecessor_.reset();
    return std::nullopt;
  }
  options.inheritance = predecessor_->inheritance();
  const std::size_t workers = options.inheritance->state->shared()->workers;
  if (config().workers.value_or(workers) != workers) {
    log_warn("--workers {}: {} go on with the sockets of the relay before; a restart without --take-over changes it",
             *config().workers, workers);
  }
  return std::nullopt;
}

void RelayDaemon::confirm_take_over() {
  if (!predecessor_) return;
  predecessor_->confirm();
  // What it read refers to it.
  predecessor_.reset();
  for (std::optional<HttpListener>* const listener : {&observation_->control, &observation_->http}) {
    if (*listener) (*listener)->set_file_kept(false);
  }
  if (events_) events_->add("take-over", {{"tunnels", std::to_string(engine_->tunnel_count())}});
  notify_main_process(::getpid());
}

void RelayDaemon::answer_hand_over(const HttpRespond& respond) {
  constexpr unsigned kConflict = 409;
  if (config().interface) return respond(http_error(kConflict, "a relay in router mode does not hand over"));
  if (successor_) return respond(http_error(kConflict, "another process is taking over already"));
  if (engine_->is_draining()) return respond(http_error(kConflict, "the relay drains; amt drain --cancel comes first"));
  respond(http_switch([this](const UniqueFd& client) { begin_hand_over(client); }));
}

void RelayDaemon::begin_hand_over(const UniqueFd& client) {
  const SysResult<PeerIdentity> peer = peer_identity(client.get());
  if (!peer || successor_) return;
  if (peer->uid != 0 && peer->uid != ::geteuid()) {
    return log_warn("process {} of user {} asked to take over, and is refused: this relay's user alone may", peer->pid,
                    peer->uid);
  }
  SysResult<std::pair<DescriptorChannel, DescriptorChannel>> ends = DescriptorChannel::pair();
  if (!ends) return log_warn("{}", ends.error().to_string());
  if (const SysResult<void> sent = send_descriptor(client.get(), ends->second.fd()); !sent) {
    return log_warn("{}", sent.error().to_string());
  }
  log_info("process {} takes over", peer->pid);
  std::vector<LentDescriptor> listeners;
  const auto lend = [&listeners](const std::optional<HttpListener>& listener, const char* name) {
    if (!listener) return;
    listeners.push_back({{.kind = RelayDescriptor::Kind::kListener, .name = name}, listener->listening_fd()});
  };
  lend(observation_->control, kControlListener);
  lend(observation_->http, kHttpListener);
  successor_.emplace(loop_, *engine_, std::move(ends->first), std::move(listeners),
                     [this, pid = peer->pid](const Result<void, std::string>& taken) { on_handed_over(pid, taken); });
}

void RelayDaemon::on_handed_over(int pid, const Result<void, std::string>& taken) {
  successor_.reset();
  if (!taken) return log_warn("process {} has not taken over: {}; this relay goes on", pid, taken.error());
  log_info("process {} has taken over", pid);
  notify_main_process(pid);
  if (events_) {
    events_->add("hand-over", {{"process", std::to_string(pid)}});
    events_->finish();
  }
  if (flows_) flows_->finish();
  for (std::optional<HttpListener>* const listener : {&observation_->control, &observation_->http}) {
    if (*listener) (*listener)->set_file_kept(true);
  }
  drain_timer_.set(kNoDeadline);
  engine_->abandon();
  loop_.stop();
}

}  // namespace amt
