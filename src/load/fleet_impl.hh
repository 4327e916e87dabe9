#pragma once
/// The inside of `Fleet`.

#include "ip/datagram.hh"
#include "load/fleet.hh"
#include "membership/message.hh"

namespace amt {

struct Fleet::Impl {
  enum class State : std::uint8_t {
    kWaiting,    ///< for its turn to send a Request
    kAsking,     ///< for a Query
    kConnected,  ///< `kStay`: has a tunnel
    kGone,
  };
  struct Member {
    State state = State::kWaiting;
    bool has_tunnel = false;
    /// A packet of the channel came since it was joined.
    bool is_heard = false;
    std::uint8_t requests = 0;  ///< of one series: with one nonce
    std::uint8_t repeats = 0;   ///< of the Update that joined
    std::uint32_t channel = 0;
    wire::RequestNonce nonce;
    /// Of the last Query.
    wire::RequestNonce granted;
    wire::ResponseMac mac;
    std::optional<wire::GatewayFields> seen_as;
    Instant asked;
    Instant joined;
    Instant restated;
    Instant refresh;
    std::uint32_t stream = 0;
    /// Begins anew with each channel; none before the first numbered packet.
    std::optional<SequenceTracker> numbers;
  };
  /// A message that is due. Its octets are written when it is polled.
  struct Due {
    enum class Kind : std::uint8_t { kRequest, kJoin, kChange, kLeave, kTeardown };
    Kind kind;
    std::uint32_t member;
    std::uint32_t left = 0;  ///< kChange: the channel before
  };

  Impl(FleetOptions fleet_options, Random& random_source, Instant start);

  // fleet.cc
  void handle_datagram(Instant at, Instant arrived_at, std::size_t gateway, Bytes datagram);
  void handle_query(std::uint32_t index, Bytes datagram);
  void handle_timeout(Instant at);
  void sweep();
  void change_channel(std::uint32_t index);
  void leave(Instant at);
  void enqueue(std::uint32_t index);
  void begin_turn(std::uint32_t index);
  void finish(std::uint32_t index);
  FleetOutput poll_output();
  // fleet_messages.cc
  Bytes write(const Due& due);
  Bytes write_update(const Member& member, std::span<const GroupRecord> records);
  // fleet_data.cc
  void handle_data(std::uint32_t index, Bytes message);
  void count_number(Member& member, Bytes payload);
  /// Numbers after these have nothing to do with them.
  void end_numbers(Member& member);
  static std::uint64_t lost_of(const Member& member) { return member.numbers ? member.numbers->lost() : 0; }

  [[nodiscard]] const Channel& channel_of(const Member& member) const { return options.channels[member.channel]; }
  [[nodiscard]] Duration change_interval() const;

  FleetOptions options;
  Random& random;
  Instant now;
  /// The datagram at hand, at its socket.
  Instant arrived;
  std::vector<Member> members;
  /// When something is to be done for a member at the latest; apart from the members, since all are looked at often.
  std::vector<Instant> due_at;
  Instant next_sweep;
  /// Channel changes go round: when the next is due, and how many there were.
  Instant next_change = kNoDeadline;
  std::uint64_t changes = 0;
  std::deque<std::uint32_t> waiting;
  std::size_t in_flight = 0;
  std::size_t answered = 0;
  std::size_t gone = 0;
  bool is_leaving = false;
  /// Polled from the front; emptied, with its room kept, when all are out.
  std::vector<Due> outputs;
  std::size_t polled = 0;
  std::vector<std::byte> scratch;
  LoadTally tally;
};

}  // namespace amt
