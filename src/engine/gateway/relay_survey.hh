#pragma once
/// Asks several relays at once whether they would serve this host.

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "client/relay_probes.hh"
#include "engine/runtime/loop.hh"
#include "io/udp_socket.hh"

namespace amt {

/// One socket per family, so that relays see one endpoint. Lives on its loop's thread.
class RelaySurvey {
 public:
  using Ticket = RelayProbes::Ticket;
  using ResultHandler = std::function<void(const ProbeResult& result)>;

  /// `local`: the source address, of which family alone relays are then asked; none: those of the routes.
  RelaySurvey(Loop& loop, Random& random, std::optional<IpAddress> local = {});

  /// Begins at once; `on_result` is called once, from the event loop.
  Ticket ask(const RelayProbeOptions& options, ResultHandler on_result);
  /// Nothing more is sent, and no result follows.
  void cancel(Ticket ticket);

 private:
  struct Port {
    UdpSocket socket;
    std::optional<ReadWatch> watch;
  };

  [[nodiscard]] SysResult<UdpSocket*> socket_for(Family family);
  void on_readable(Port& port);
  /// Sends due messages, hands on results, sets the timer.
  void drain();
  void send(const RelayProbes::Transmit& transmit);

  Loop& loop_;
  std::optional<IpAddress> local_;
  RelayProbes probes_;
  std::map<RelayProbes::Ticket, ResultHandler> handlers_;
  ReceiveBatch received_{16};
  Timer timer_;
  // Last: their watches end first.
  std::unique_ptr<Port> v4_;
  std::unique_ptr<Port> v6_;
};

}  // namespace amt
