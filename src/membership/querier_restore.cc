/// A Querier as octets, and back.

#include <algorithm>
#include <utility>

#include "membership/querier.hh"

namespace amt {
namespace {

/// RFC 3376 §4.1.6: it has three bits in a query.
constexpr std::uint8_t kRobustnessMax = 7;

}  // namespace

template <typename Io, typename Self>
void Querier::fields(Io& io, Self& self) {
  io(self.address_, self.subnets_, self.other_, self.other_present_until_, self.next_general_query_,
     self.startup_queries_left_, self.is_general_query_due_, self.is_startup_query_, self.current_->robustness,
     self.current_->query_interval, self.counters_, self.rejects_);
}

void Querier::save(StateRecordWriter& out) const {
  fields(out, *this);
  out(state_.states());
}

void Querier::restore(Instant now, StateRecordReader& in, std::vector<FilterChange>& changes) {
  fields(in, *this);
  std::vector<RouterGroupState> groups;
  in(groups);
  const auto is_of_family = [this](const std::optional<IpAddress>& address) {
    return !address || address->family() == options_.family;
  };
  const bool is_possible = is_of_family(address_) && is_of_family(other_) && current_->robustness >= 1 &&
                           current_->robustness <= kRobustnessMax && current_->query_interval > Duration::zero();
  if (!is_possible) in.fail();
  if (in.has_failed()) return;
  // The values of another querier hold on; ours are those of the options by now.
  if (!other_) {
    current_->robustness = options_.robustness;
    current_->query_interval = options_.query_interval;
    other_present_until_ = kNoDeadline;
  } else {
    const Duration present = current_->robustness * current_->query_interval + options_.query_response_interval / 2;
    other_present_until_ = std::min(other_present_until_, now + present);
  }
  startup_queries_left_ = std::min<unsigned>(startup_queries_left_, options_.robustness);
  next_general_query_ = is_asking() ? std::min(next_general_query_, now + options_.query_interval) : kNoDeadline;
  is_general_query_due_ = is_general_query_due_ && is_asking();
  set_subnets(now, std::exchange(subnets_, {}));
  refresh_role();
  note(state_.restore(now, groups, changes));
}

}  // namespace amt
