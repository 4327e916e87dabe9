/// The state tables of RFC 3376 §6.4.1 and §6.4.2 (RFC 3810 §7.4.1, §7.4.2), seen from one source.
#include "membership/router_tables.hh"

#include "base/assert.hh"

namespace amt {
namespace {

Fate kept(Instant expires) { return {true, expires, false}; }
Fate asked(Instant expires) { return {true, expires, true}; }
constexpr Fate kDeleted{};

/// State INCLUDE(A); the record lists B.
Fate fate_in_include(RecordType type, const SourceRecord* held, bool listed, const RecordTimes& times) {
  switch (type) {
    case RecordType::kModeIsInclude:
    case RecordType::kAllowNewSources:
      // INCLUDE(A+B); (B)=GMI.
      return kept(listed ? times.membership_expires : held->expires);
    case RecordType::kChangeToInclude:
      // INCLUDE(A+B); (B)=GMI; Q(G,A-B).
      return listed ? kept(times.membership_expires) : asked(held->expires);
    case RecordType::kBlockOldSources:
      // INCLUDE(A); Q(G,A*B).
      if (held == nullptr) return kDeleted;
      return listed ? asked(held->expires) : kept(held->expires);
    case RecordType::kModeIsExclude:
      // EXCLUDE(A*B, B-A); (B-A)=0; delete (A-B).
      if (!listed) return kDeleted;
      return kept(held != nullptr ? held->expires : kTimerZero);
    case RecordType::kChangeToExclude:
      // EXCLUDE(A*B, B-A); (B-A)=0; delete (A-B); Q(G,A*B).
      if (!listed) return kDeleted;
      return held != nullptr ? asked(held->expires) : kept(kTimerZero);
  }
  AMT_ASSERT(false);
  return kDeleted;
}

/// State EXCLUDE(X,Y); the record lists A.
Fate fate_in_exclude(RecordType type, const SourceRecord* held, bool listed, const RecordTimes& times) {
  switch (type) {
    case RecordType::kModeIsInclude:
    case RecordType::kAllowNewSources:
      // EXCLUDE(X+A, Y-A); (A)=GMI.
      return kept(listed ? times.membership_expires : held->expires);
    case RecordType::kChangeToInclude:
      // EXCLUDE(X+A, Y-A); (A)=GMI; Q(G,X-A).
      if (listed) return kept(times.membership_expires);
      return held->is_forwarded() ? asked(held->expires) : kept(kTimerZero);
    case RecordType::kBlockOldSources:
      // EXCLUDE(X+(A-Y), Y); (A-X-Y)=group timer; Q(G,A-Y).
      if (!listed) return kept(held->expires);
      if (held == nullptr) return asked(times.group_timer);
      return held->is_forwarded() ? asked(held->expires) : kept(kTimerZero);
    case RecordType::kModeIsExclude:
      // EXCLUDE(A-Y, Y*A); (A-X-Y)=GMI; delete (X-A), (Y-A).
      if (!listed) return kDeleted;
      return kept(held != nullptr ? held->expires : times.membership_expires);
    case RecordType::kChangeToExclude:
      // EXCLUDE(A-Y, Y*A); (A-X-Y)=group timer; delete (X-A), (Y-A); Q(G,A-Y).
      if (!listed) return kDeleted;
      if (held == nullptr) return asked(times.group_timer);
      return held->is_forwarded() ? asked(held->expires) : kept(kTimerZero);
  }
  AMT_ASSERT(false);
  return kDeleted;
}

}  // namespace

Fate source_fate(FilterMode mode, RecordType type, const SourceRecord* held, bool listed, const RecordTimes& times) {
  AMT_ASSERT(held != nullptr || listed);
  return mode == FilterMode::kInclude ? fate_in_include(type, held, listed, times)
                                      : fate_in_exclude(type, held, listed, times);
}

bool sets_exclude(RecordType type) {
  return type == RecordType::kModeIsExclude || type == RecordType::kChangeToExclude;
}

}  // namespace amt
