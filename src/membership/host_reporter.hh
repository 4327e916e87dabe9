#pragma once
/// The reports that the relay's upstream sends as one host of a link, as whole IP datagrams (router mode).

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "membership/host.hh"

namespace amt {

/// The host part of IGMP or MLD (the family of `source`) with the ways of older queriers: while there is one, reports
/// are in its version and without source filters (RFC 3376 §7.2.1, RFC 3810 §8.2.1, RFC 4604 §2.2.3).
/// Decides, never sends; time is an argument. Not thread-safe.
class HostReporter {
 public:
  enum class BeforeAQuery : std::uint8_t {
    kAsAlways,
    /// All that is wanted is reported again, ever more rarely, until a querier has been heard on the link: a routing
    /// daemon that opens the interface late has heard none of the reports before, and FRR's asks two minutes later.
    kRepeat,
  };
  /// `source`: the address that reports come from. `random` outlives this object.
  HostReporter(const IpAddress& source, Random& random, BeforeAQuery before_a_query = BeforeAQuery::kAsAlways);

  /// A filter that no host may have (link scope, EXCLUDE of an SSM group) is no membership, and changes nothing.
  void set_filter(Instant now, const IpAddress& group, const SourceFilter& filter);
  void handle_query(Instant now, const GroupQuery& query);
  /// Appends the reports that are due.
  void handle_timeout(Instant now, std::vector<std::vector<std::byte>>& reports);
  [[nodiscard]] Instant next_deadline() const { return std::min(machine_.next_deadline(), again_); }
  /// Between two reports while no querier is known: the first, doubled each time up to the last.
  static constexpr Duration kAgainFirst = std::chrono::seconds(2);
  static constexpr Duration kAgainLast = std::chrono::seconds(64);

  /// Of the protocol as it is spoken: 1 to 3 for IGMP, 1 or 2 for MLD.
  [[nodiscard]] std::uint8_t version(Instant now) const;
  [[nodiscard]] std::uint8_t newest_version() const { return source_.is_v4() ? 3 : 2; }

 private:
  void write_older(std::uint8_t version, const std::vector<GroupRecord>& records,
                   std::vector<std::vector<std::byte>>& reports) const;

  IpAddress source_;
  HostMachine machine_;
  bool waits_for_querier_;
  Duration again_after_ = kAgainFirst;
  Instant again_ = kNoDeadline;
  /// Until when a querier of version 1 or 2 is taken to be present.
  std::array<Instant, 2> older_querier_until_{};
};

struct HeardQuery {
  Family family = Family::kIpv4;
  GroupQuery query;
};
/// The query in a datagram, as a host on a real link accepts it: MLD only with Router Alert and from a link-local
/// address (I-k), IGMP from any address. Nothing: it is a report, or damaged.
[[nodiscard]] std::optional<HeardQuery> hear_query(Bytes datagram);

}  // namespace amt
