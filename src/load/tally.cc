#include "load/tally.hh"

#include "base/assert.hh"

namespace amt {

std::string_view counter_name(LoadCounter counter) {
  switch (counter) {
    case LoadCounter::kRequestsSent:
      return "requests_sent";
    case LoadCounter::kRequestsRepeated:
      return "requests_repeated";
    case LoadCounter::kQueriesReceived:
      return "queries_received";
    case LoadCounter::kQueriesWithLimit:
      return "queries_with_limit";
    case LoadCounter::kHandshakes:
      return "handshakes";
    case LoadCounter::kUpdatesSent:
      return "updates_sent";
    case LoadCounter::kUpdatesRepeated:
      return "updates_repeated";
    case LoadCounter::kTeardownsSent:
      return "teardowns_sent";
    case LoadCounter::kChannelChanges:
      return "channel_changes";
    case LoadCounter::kJoins:
      return "joins";
    case LoadCounter::kJoinsServed:
      return "joins_served";
    case LoadCounter::kBadAnswers:
      return "bad_answers";
    case LoadCounter::kPackets:
      return "packets";
    case LoadCounter::kBytes:
      return "bytes";
    case LoadCounter::kUnwanted:
      return "unwanted";
    case LoadCounter::kDamaged:
      return "damaged";
    case LoadCounter::kNumbered:
      return "numbered";
    case LoadCounter::kLost:
      return "lost";
    case LoadCounter::kDuplicated:
      return "duplicated";
    case LoadCounter::kReordered:
      return "reordered";
    case LoadCounter::kCount:
      break;
  }
  AMT_ASSERT(false);
}

}  // namespace amt
