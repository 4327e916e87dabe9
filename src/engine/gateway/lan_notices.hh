#pragma once
/// Log lines for the operator of a LAN: refusals there, and the querier's address.

#include <array>
#include <optional>
#include <string>

#include "membership/lan_membership.hh"

namespace amt {

/// Lines of the log. A refusal is a warning, each kind once a minute with its number; a change of the querier is
/// information. Counters say all of that, too. Lives on its event loop's thread.
class LanNotices {
 public:
  /// `forward_always`: data is sent beside another querier, too.
  LanNotices(std::string interface, bool forward_always)
      : interface_(std::move(interface)), forward_always_(forward_always) {}

  /// All that `membership` says has been told by another process.
  void adopt(const LanMembership& membership);
  /// After each datagram that `querier` was given.
  void note_datagram(Family family, const Querier& querier, const Result<void, QuerierReject>& result);
  /// After each input; `membership` may have come or gone since.
  void note_roles(const LanMembership* membership);

 private:
  void note_role(Family family, const Querier& querier);

  std::string interface_;
  bool forward_always_;
  /// By family, IPv4 first.
  std::array<Counters<QuerierCounter>, 2> told_;
  std::array<std::optional<IpAddress>, 2> others_;
};

}  // namespace amt
