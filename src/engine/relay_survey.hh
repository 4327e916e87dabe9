#pragma once
/// Asks several relays at once whether they would serve this host.

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "discovery/relay_probe.hh"
#include "engine/event_loop.hh"
#include "io/udp_socket.hh"

namespace amt {

struct SurveyResult {
  RelayProbe::State state = RelayProbe::State::kNoAnswer;
  std::optional<Endpoint> relay;
  std::optional<Endpoint> seen_as;
  std::optional<Duration> discovery_time;
  std::optional<Duration> request_time;
  /// An ICMP error came back.
  bool unreachable = false;
  /// The kernel would not even send: errno, else 0.
  int send_error = 0;
};

/// Why it does not serve: "refuses new gateways (L flag)", "does not answer a Request".
[[nodiscard]] std::string explain_failure(const SurveyResult& result);

/// One socket per family, so that relays see one endpoint. Lives on its event loop's thread.
class RelaySurvey {
 public:
  using Ticket = std::uint64_t;
  using ResultHandler = std::function<void(const SurveyResult& result)>;

  /// `local`: the source address, of which family alone relays are then asked; none: what the routes give.
  RelaySurvey(EventLoop& loop, Random& random, std::optional<IpAddress> local = {});

  /// Begins at once; `on_result` is called once, from the event loop.
  Ticket ask(const RelayProbeOptions& options, ResultHandler on_result);
  /// Nothing more is sent, nor told.
  void cancel(Ticket ticket);

 private:
  struct Asked {
    Ticket ticket = 0;
    RelayProbe probe;
    ResultHandler on_result;
    int send_error = 0;
  };
  struct Port {
    UdpSocket socket;
    std::optional<ReadWatch> watch;
  };

  [[nodiscard]] Port* port_for(Family family, int& error);
  void on_readable(Port& port);
  void on_timer();
  /// Sends what is due, tells what is over, sets the timer.
  void advance();
  void send(Asked& asked, const RelayProbe::Transmit& transmit);

  EventLoop& loop_;
  Random& random_;
  std::optional<IpAddress> local_;
  Ticket next_ticket_ = 1;
  ReceiveBatch received_{16};
  std::list<Asked> asked_;
  Timer timer_;
  // Last: their watches end first.
  std::unique_ptr<Port> v4_;
  std::unique_ptr<Port> v6_;
};

}  // namespace amt
