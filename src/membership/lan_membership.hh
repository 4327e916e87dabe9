#pragma once
/// The membership of one LAN's hosts, of both families (RFC 4605 §4: the router part of the proxy).

#include <array>
#include <utility>
#include <vector>

#include "membership/querier.hh"

namespace amt {

struct LanMembershipOptions {
  std::uint8_t robustness = 2;
  Duration query_interval = std::chrono::seconds(125);
};

/// The IGMP and the MLD querier of one link. Decides, never sends; not thread-safe.
class LanMembership {
 public:
  /// By family, IPv4 first.
  struct Tally {
    std::array<Counters<QuerierCounter>, 2> counters;
    std::array<Counters<QuerierReject>, 2> rejects;

    /// See base/state_record.hh.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.counters[0], self.counters[1], self.rejects[0], self.rejects[1]);
    }
  };

  LanMembership(const LanMembershipOptions& options, Instant now);

  /// Where the queries of `family` come from; none: none are sent.
  void set_address(Instant now, Family family, const std::optional<IpAddress>& address);
  /// Querier::ask_anew, both families.
  void ask_anew(Instant now);
  /// This host's addresses on the LAN, of both families: Querier::set_subnets.
  void set_subnets(Instant now, const std::vector<Prefix>& addresses);
  /// One IP datagram from the LAN; anything but IGMP and MLD is ignored. Returns its family and the querier's result.
  std::pair<Family, Result<void, QuerierReject>> handle_datagram(Instant now, Bytes datagram,
                                                                 std::vector<FilterChange>& changes);
  void handle_timeout(Instant now, std::vector<FilterChange>& changes);
  [[nodiscard]] Instant next_deadline() const;
  /// The next query to send, a whole IP datagram.
  [[nodiscard]] std::optional<std::vector<std::byte>> poll_query();
  /// For another one that goes on with it.
  void save(StateRecordWriter& out) const;
  /// Of one that knows nothing yet: what is wanted is appended to `changes`. What cannot be makes `in` bad.
  void restore(Instant now, StateRecordReader& in, std::vector<FilterChange>& changes);
  /// Everything ends.
  void clear(std::vector<FilterChange>& changes);

  /// Adds this object's counters.
  void add_to(Tally& tally) const;
  [[nodiscard]] const Querier& querier(Family family) const { return family == Family::kIpv4 ? igmp_ : mld_; }

 private:
  [[nodiscard]] Querier& querier_of(Family family) { return family == Family::kIpv4 ? igmp_ : mld_; }

  Querier igmp_;
  Querier mld_;
};

}  // namespace amt
