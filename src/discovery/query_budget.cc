#include "discovery/query_budget.hh"

#include "base/assert.hh"

namespace amt {

Instant QueryBudget::next_allowed() const {
  return sent_[oldest_] == Instant::min() ? Instant::min() : sent_[oldest_] + kPeriod;
}

void QueryBudget::spend(Instant now) {
  AMT_ASSERT(now >= next_allowed());
  sent_[oldest_] = now;
  oldest_ = (oldest_ + 1) % kQueriesMax;
}

}  // namespace amt
