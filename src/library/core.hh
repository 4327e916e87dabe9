#pragma once
/// What stands behind `amt_core`: a `Client` whose inputs are checked and whose outputs are structs of C.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "amt/core.h"
#include "amt/result.hh"
#include "base/random.hh"
#include "client/client.hh"
#include "library/failure.hh"

namespace amt {

/// One thread at a time. Whatever a caller passes is an error or has no effect. No allocation for a packet in steady
/// state.
class LibraryCore {
 public:
  using Done = Result<void, Failure>;

  static Result<std::unique_ptr<LibraryCore>, Failure> open(const amt_core_options* options, std::int64_t now_ns);

  [[nodiscard]] Done set_membership(std::int64_t now_ns, const amt_endpoint& group, int mode,
                                    std::span<const amt_endpoint> sources);
  [[nodiscard]] Done receive(std::int64_t now_ns, std::uint32_t socket, std::span<const amt_datagram> datagrams);
  [[nodiscard]] Done timeout(std::int64_t now_ns);
  [[nodiscard]] Done shutdown(std::int64_t now_ns);
  [[nodiscard]] Done answer(std::int64_t now_ns, const amt_answer& answer);
  /// Good until the next call.
  [[nodiscard]] amt_output poll();

  /// `struct_size` is 0.
  [[nodiscard]] amt_receiver_statistics statistics() const;
  [[nodiscard]] std::string reason_of_silence() const { return client_.reason_of_silence(); }

 private:
  LibraryCore(ClientOptions options, std::unique_ptr<Random> random, Instant now)
      : random_(std::move(random)), now_(now), client_(std::move(options), *random_, now) {}

  /// Takes the time of an input.
  [[nodiscard]] Done advance(std::int64_t now_ns);
  /// The same for an input that has to wait until all output was polled.
  [[nodiscard]] Done begin_input(std::int64_t now_ns);
  [[nodiscard]] Done answer_dns(const amt_answer& answer);
  [[nodiscard]] Done answer_source(const amt_answer& answer);
  [[nodiscard]] Done answer_domains(const amt_answer& answer);
  [[nodiscard]] Done answer_socket(const amt_answer& answer);

  void describe(const ClientDeadline& deadline, amt_output& out);
  void describe(const ClientPackets& packets, amt_output& out);
  void describe(const ClientTransmit& message, amt_output& out) const;
  void describe(const OpenSocket& wanted, amt_output& out) const;
  void describe(const CloseSocket& close, amt_output& out) const;
  void describe(const AskDns& ask, amt_output& out) const;
  void describe(const AskSource& ask, amt_output& out) const;
  void describe(const AskServiceDomains& ask, amt_output& out) const;
  void describe(const RelayChosen& chosen, amt_output& out) const;
  void describe(const ClientEvent& event, amt_output& out) const;
  // Neither names of relays nor the local network are used here.
  void describe(const AskHost&, amt_output&) const {}
  void describe(const JoinNatively&, amt_output&) const {}

  std::unique_ptr<Random> random_;
  Instant now_;
  Client client_;
  bool is_polled_ = false;
  bool is_shut_down_ = false;
  /// The output polled last.
  ClientOutput output_ = ClientDeadline{};
  std::vector<Received> received_;
  std::vector<amt_packet> packets_;
  std::uint64_t packet_count_ = 0;
  std::uint64_t octet_count_ = 0;
};

}  // namespace amt
