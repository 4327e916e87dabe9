#pragma once
/// Whole IP datagrams of any source address, in batches. Needs CAP_NET_RAW in its namespace.

#include <vector>

#include "ip/datagram.hh"
#include "sys/unique_fd.hh"

namespace amt::attack {

class Forger {
 public:
  /// All datagrams go to `target`, by this host's routes.
  explicit Forger(const IpAddress& target);

  /// A UDP datagram to `target`; leaves with the next `flush`, or when `kBatch` of them wait.
  void add_udp(const IpAddress& source, std::uint16_t source_port, std::uint16_t port, Bytes payload);
  /// Any other one, whole.
  void add(Bytes datagram);
  void flush();

  [[nodiscard]] std::size_t sent() const { return sent_; }
  [[nodiscard]] std::size_t sent_octets() const { return sent_octets_; }

  static constexpr std::size_t kBatch = 64;

 private:
  IpAddress target_;
  UniqueFd socket_;
  std::vector<std::vector<std::byte>> waiting_;
  std::size_t sent_ = 0;
  std::size_t sent_octets_ = 0;
};

}  // namespace amt::attack
