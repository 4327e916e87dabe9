#pragma once
/// A running `amt gateway`: what it consists of, and what changes while it runs.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/gateway_predecessor.hh"
#include "cli/gateway_successor.hh"
#include "cli/observation.hh"
#include "cli/reload_report.hh"
#include "config/command_line.hh"
#include "engine/gateway/gateway_engine.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/log_writer.hh"
#include "observe/http_server.hh"
#include "observe/monitor.hh"
#include "sys/os_random.hh"

namespace amt {

class GatewayDaemon {
 public:
  /// `arguments`: those that `invocation` was made of.
  GatewayDaemon(Invocation invocation, std::vector<std::string> arguments);

  /// Until it is stopped. The exit status.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] const GatewayConfig& config() const { return std::get<GatewayConfig>(invocation_.command); }
  /// Nothing: it runs. Else the exit status.
  [[nodiscard]] std::optional<int> open();
  [[nodiscard]] std::optional<int> open_engine();
  [[nodiscard]] Result<GatewayEngineOptions, std::string> engine_options();
  /// Nothing: all that the options name can be used. Else the exit status.
  [[nodiscard]] std::optional<int> check_interfaces() const;
  void start_servers(ObservationPlaces places);
  [[nodiscard]] ReloadReply reload();
  void stop();

  // gateway_daemon_hand_over.cc
  /// A gateway that runs (--take-over), or one that gave everything to systemd. Nothing: go on, whether there was one
  /// or not. Else the exit status.
  [[nodiscard]] std::optional<int> find_predecessor();
  void find_stored_predecessor();
  [[nodiscard]] SysResult<ObservationPlaces> open_places();
  /// What the one before had, if there was one. Error: this process cannot go on; one line for the user.
  [[nodiscard]] Result<GatewayInheritance*, std::string> inheritance();
  /// What the one before left is of no use: false where this process starts empty, as the log says; true where it
  /// cannot, since the other one runs.
  [[nodiscard]] bool is_bound_to_predecessor(const std::string& why);
  /// This gateway runs, and the one before may end.
  void confirm_take_over();
  /// Somebody asks for all that this gateway has.
  void answer_hand_over(const HttpRespond& respond);
  void begin_hand_over(const UniqueFd& client);
  void on_handed_over(int process, const Result<void, std::string>& taken);
  /// False: that cannot be.
  [[nodiscard]] bool give_to_store();
  /// Without a word to relays, programs or hosts.
  void end_handed_over();

  Invocation invocation_;
  std::vector<std::string> arguments_;
  /// What is in force, for the log.
  std::string confinement_;
  int status_ = 0;
  /// Its thread begins when there is nothing more to give up, and outlives all others.
  std::optional<LogWriter> log_writer_;
  EventLoop loop_;
  OsRandom random_;
  std::optional<GatewayPredecessor> predecessor_;
  std::unique_ptr<GatewayEngine> engine_;
  std::optional<GatewayMonitor> monitor_;
  std::optional<Observation> observation_;
  /// While another process takes over from this one.
  std::optional<GatewaySuccessor> successor_;
};

}  // namespace amt
