#pragma once
/// A running `amt relay`: its parts, and its changes while it runs.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/announcer.hh"
#include "cli/observation.hh"
#include "cli/own_addresses.hh"
#include "cli/relay_predecessor.hh"
#include "cli/relay_successor.hh"
#include "cli/reload_report.hh"
#include "cli/state_file.hh"
#include "config/command_line.hh"
#include "engine/relay/relay_engine.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/log_writer.hh"
#include "observe/flow_exporter.hh"
#include "observe/monitor.hh"
#include "observe/relay_events.hh"
#include "sys/os_random.hh"

namespace amt {

class RelayDaemon {
 public:
  /// `arguments`: those that `invocation` was made of.
  RelayDaemon(Invocation invocation, std::vector<std::string> arguments);

  /// Until it is stopped. The exit status.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] const RelayConfig& config() const { return std::get<RelayConfig>(invocation_.command); }
  /// Nothing: it runs. Else the exit status.
  [[nodiscard]] std::optional<int> open();
  /// Sockets that are opened with privileges that are given up afterwards.
  struct Opened {
    std::optional<LineOutput> events{};
    std::optional<UniqueFd> collector{};
    std::optional<ObservationPlaces> places{};
  };
  [[nodiscard]] std::optional<int> open_files(Opened& opened);
  /// The event file, the collector of flow records.
  void keep_books(Opened& opened, RelayEngineOptions& options);
  [[nodiscard]] std::optional<int> give_up_privileges(const Opened& opened, RelayEngineOptions& options);
  /// The control socket, and HTTP where that is wanted.
  void start_servers(ObservationPlaces places);
  [[nodiscard]] ReloadReply reload();
  /// The part of it that may fail.
  [[nodiscard]] Result<void, std::string> apply(const Reload& fresh);
  void watch_addresses(const std::vector<Endpoint>& local);
  /// False: it cannot.
  [[nodiscard]] bool serve_addresses(const std::vector<IpAddress>& local);
  [[nodiscard]] ReloadReply drain(std::string_view query);
  void look_at_drain();
  void note_upstream(const UpstreamOwner::Change& change);
  void announce();
  void stop(EndReason reason);

  // relay_daemon_hand_over.cc
  /// A relay that runs (--take-over), one that gave everything to systemd, or one that has died (--state). Nothing: go
  /// on, whether there was one or not. Else the exit status.
  [[nodiscard]] std::optional<int> find_predecessor(RelayEngineOptions& options);
  void find_stored_predecessor();
  void find_dead_predecessor(const std::string& path);
  /// This relay runs, and the one before may end.
  void confirm_take_over();
  /// Another process asks for this relay's state and descriptors.
  void answer_hand_over(const HttpRespond& respond);
  void begin_hand_over(const UniqueFd& client);
  void on_handed_over(int pid, const Result<void, std::string>& taken);
  /// False: that cannot be, and the workers may have stopped.
  [[nodiscard]] bool give_to_store();
  /// Without a word to gateways or upstream.
  void end_handed_over();

  Invocation invocation_;
  std::vector<std::string> arguments_;
  /// The restrictions in force, for the log.
  std::string confinement_;
  /// Its thread begins when there is nothing more to give up, and outlives all others.
  std::optional<LogWriter> log_writer_;
  EventLoop loop_;
  OsRandom random_;
  Announcer announcer_;
  std::optional<RelayPredecessor> predecessor_;
  /// Ends after the engine, whose workers report ends to it.
  std::optional<RelayEvents> events_;
  std::optional<FlowExporter> flows_;
  std::unique_ptr<RelayEngine> engine_;
  std::optional<RelayMonitor> monitor_;
  std::optional<Observation> observation_;
  std::optional<StateFile> state_file_;
  std::optional<OwnAddresses> own_addresses_;
  /// While another process takes over from this one.
  std::optional<RelaySuccessor> successor_;
  Instant drain_until_ = kNoDeadline;
  Timer drain_timer_;
};

}  // namespace amt
