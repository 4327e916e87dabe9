#pragma once
/// A running gateway's way to its relay: the state machine `Gateway` with its sockets and timer.
/// What it does with the data is the owner's: an interface (GatewayEngine) or an application (Receiver).

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/event_loop.hh"
#include "gateway/gateway.hh"
#include "sys/error.hh"

namespace amt {

struct GatewayConnectionOptions {
  GatewayOptions gateway;
  /// Outer source address; none: what the route to the relay gives.
  std::optional<IpAddress> local;
  /// Outer source port; 0: one that stays over restarts (sys/lasting_port.hh), or any where that is taken. A relay that
  /// knows gateways by address alone (the Linux kernel's) speaks to the first port it saw, for minutes.
  std::uint16_t port = 0;
  /// Which of this machine's gateways this is; each has its lasting port. Empty: any port will do.
  std::string port_purpose = {};
  /// Check inner transport checksums before the data is handed on (Gateway::accept_data).
  bool verify_transport = true;
};

/// Lives on its event loop's thread.
class GatewayConnection {
 public:
  /// Inner IP datagrams in order of arrival, checked and filtered; valid during the call.
  using DataHandler = std::function<void(Instant now, std::span<const Bytes> datagrams)>;
  /// What is told of the relay, after it was logged. The handler must not end the connection.
  using EventHandler = std::function<void(const GatewayEvent& event)>;

  /// Binds one socket for each family among the candidates; nothing is left behind by a failure.
  static SysResult<std::unique_ptr<GatewayConnection>> create(EventLoop& loop, const GatewayConnectionOptions& options,
                                                              Random& random, DataHandler on_data,
                                                              EventHandler on_event = {});
  ~GatewayConnection();

  /// INCLUDE({}) leaves. False: refused, see HostMachine::set_filter.
  [[nodiscard]] bool set_membership(const IpAddress& group, const SourceFilter& filter);
  /// Gateway::set_candidates; of a family that there was none of a socket is bound. Error: it cannot be, and nothing
  /// changed.
  [[nodiscard]] SysResult<void> set_candidates(std::vector<RelayCandidate> candidates);
  /// Teardown or leave (R-5.2.3.8-a) is sent before this returns.
  void shutdown();

  [[nodiscard]] const Gateway& gateway() const;
  [[nodiscard]] std::uint64_t receive_drops() const;
  /// Why the kernel would not send the last message; 0: it went.
  [[nodiscard]] int send_error() const;

 private:
  struct Impl;
  explicit GatewayConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
