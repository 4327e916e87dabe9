#pragma once
#include "demo/plan.hh"
#include "sys/error.hh"
#include "sys/namespace.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Sends small datagrams to a channel, so that the first one after a join shows how long the join took. They go to the
/// port below the stream's: listeners of the stream do not see them.
class Ticker {
 public:
  /// From the plan's source address, in the namespace `place`.
  static SysResult<Ticker> open(const NetworkNamespace& place, const FamilyPlan& plan);
  void tick() const;

 private:
  explicit Ticker(UniqueFd socket) : socket_(std::move(socket)) {}
  /// Connected to the group.
  UniqueFd socket_;
};

}  // namespace amt
