#pragma once
/// What the last packet of data was found to be: it holds for those of its flow behind it.

#include <array>
#include <optional>

#include "amt/endpoint.hh"
#include "gateway/flow_watch.hh"
#include "ip/checksum.hh"
#include "ip/datagram.hh"
#include "ip/udp_flow.hh"

namespace amt {

/// Packets of a stream come one behind the other and differ in payload, checksums and identification: whether the next
/// is wanted, and everything else about its headers, is known. Only its checksums are not. Pure; on the data path.
class KnownFlow {
 public:
  /// `message` of the relay at `from` was accepted with `datagram` in it, which was left as it was. Nothing is learned
  /// of datagrams without plain headers. `flow` is valid until `forget`.
  void learn(const Endpoint& from, Ecn outer_ecn, Bytes message, const DatagramView& datagram,
             const FlowWatch::Flow& flow);
  /// Something changed by which packets are judged.
  void forget() { flow_.reset(); }

  /// Whether `message` holds the next datagram of this flow.
  [[nodiscard]] bool covers(const Endpoint& from, Ecn outer_ecn, Bytes message) const;
  /// Of a message that is covered, as `DatagramView::parse` and `transport_checksum_ok` would find it.
  [[nodiscard]] bool has_right_header_checksum(Bytes message) const;
  [[nodiscard]] bool has_right_udp_checksum(Bytes message) const;
  [[nodiscard]] const FlowWatch::Flow& flow() const { return *flow_; }

 private:
  /// None: nothing is known.
  std::optional<FlowWatch::Flow> flow_;
  Endpoint from_;
  Ecn outer_ecn_ = Ecn::kNotEct;
  /// Of the whole message.
  std::size_t octets_ = 0;
  /// Where the inner UDP header begins in the inner datagram.
  std::size_t udp_at_ = 0;
  std::array<std::byte, kPlainUdpOctetsMax> headers_{};
  InternetChecksum pseudo_header_;
};

}  // namespace amt
