#pragma once
/// The verdict on the last packet of each flow, which holds for the packets after it.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "amt/endpoint.hh"
#include "gateway/flow_watch.hh"
#include "ip/checksum.hh"
#include "ip/data_packet.hh"
#include "ip/udp_flow.hh"

namespace amt {

/// Packets of a stream differ in payload, checksums and identification: whether the next is wanted, and everything else
/// about its headers, is known. Only its checksums are not. Pure; on the data path.
class KnownFlow {
 public:
  /// `message` of the relay at `from` was accepted with `datagram` in it, which was left as it was. Nothing is learned
  /// of datagrams without plain headers. `flow` is valid until `forget`.
  void learn(const Endpoint& from, Ecn outer_ecn, Bytes message, const DatagramView& datagram,
             const FlowWatch::Flow& flow);
  void forget() { flow_.reset(); }

  /// Whether `message` holds the next datagram of this flow.
  [[nodiscard]] bool covers(const Endpoint& from, Ecn outer_ecn, Bytes message) const;
  /// Of a message that is covered, as `DatagramView::parse` and `transport_checksum_ok` would find it.
  [[nodiscard]] bool has_right_header_checksum(Bytes message) const;
  [[nodiscard]] bool has_right_udp_checksum(Bytes message) const;
  /// Of a message that is covered, as `data_packet` would find it.
  [[nodiscard]] DataPacket packet(Bytes message) const;
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
  /// Of the last packet that was learned; its spans are out of date.
  DataPacket packet_;
};

/// The flows that come by one gateway, as far as there is room. Pure; on the data path: a hash of the addresses and
/// ports, and two comparisons.
class KnownFlows {
 public:
  /// Room for 256 flows: more hardly come at once.
  static constexpr std::size_t kSetsMax = 128;

  /// Makes room for this many flows, and forgets all flows. Allocates, unlike the other functions.
  void make_room(std::size_t flows);
  /// The flow of which `message` holds the next datagram; null: none is known.
  [[nodiscard]] const KnownFlow* find(const Endpoint& from, Ecn outer_ecn, Bytes message) const;
  /// See `KnownFlow::learn`.
  void learn(const Endpoint& from, Ecn outer_ecn, Bytes message, const DatagramView& datagram,
             const FlowWatch::Flow& flow);
  /// Something changed by which packets are judged.
  void forget();

 private:
  struct Set {
    /// The last that was learned first.
    std::array<KnownFlow, 2> flows;
    /// Learned since the `generation_` of this number.
    std::uint64_t generation = 0;
  };

  /// Whether `message` can hold plain headers at all.
  [[nodiscard]] static bool is_long_enough(Bytes message);
  [[nodiscard]] std::size_t set_of(Bytes message) const;

  /// A power of two of them.
  std::vector<Set> sets_ = std::vector<Set>(1);
  std::uint64_t generation_ = 1;
};

}  // namespace amt
