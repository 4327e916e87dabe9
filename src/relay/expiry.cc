/// RFC 7450 §5.3.3.7: state timers. The endpoint's own timer, and the per-group timers of its router state.

#include "relay/relay_impl.hh"
#include "relay/tunnel_gate.hh"

namespace amt {
namespace {

/// Memberships that one call looks after: about a millisecond's work. The rest is due at once.
constexpr std::size_t kTimeoutsMax = 512;

}  // namespace

/// Called after every step that may have moved a tunnel's deadline. A later one is not entered: the heap finds out when
/// the old one comes, once in a tunnel's lifetime instead of at every Update. An earlier one is rare: timers start with
/// the whole interval.
void Relay::Impl::schedule(TunnelId id) {
  const TunnelRecord& record = tunnels[id];
  const Instant due = std::min(record.expires, record.router.next_deadline());
  if (due < deadlines.of(id)) deadlines.set(id, due);
}

void Relay::Impl::handle_timeout(Instant now) {
  if (secrets.advance(now)) counters.add(RelayCounter::kSecretsChanged);
  if (options.shared->refusals.next_deadline() <= now) {
    options.shared->refusals.handle_timeout(now);
    refusals_touched = true;
  }
  // A million tunnels may fall silent at once; between the calls the data path has its turn.
  for (std::size_t looked_at = 0; looked_at < kTimeoutsMax && deadlines.next() <= now;) {
    const TunnelId id = deadlines.next_id();
    TunnelRecord& record = tunnels[id];
    looked_at += record.router.group_count();
    if (record.expires <= now) {
      end_tunnel(now, id, EndReason::kExpired);
      continue;
    }
    {
      Gate gate(*this, now, record.tunnel.endpoint.address, record.memberships);
      record.router.handle_timeout(now, changes, &gate);
      publish_changes(now, id, EndReason::kExpired);
    }
    if (record.router.empty()) {
      end_tunnel(now, id, EndReason::kExpired);
      continue;
    }
    const Instant due = std::min(record.expires, record.router.next_deadline());
    // A router whose timers have all been run has none that is due: else this would never end.
    AMT_ASSERT(due > now);
    deadlines.set(id, due);
  }
}

void Relay::Impl::handle_unreachable(Instant now, const TunnelEndpoint& endpoint, bool is_proven) {
  const std::optional<TunnelId> id = tunnels.find(endpoint);
  if (!id) return;
  TunnelRecord& record = tunnels[*id];
  if (record.unreachable == 0) record.unreachable_since = now;
  if (record.unreachable < options.unreachable_max) {
    ++record.unreachable;
  } else if (is_proven && now - record.unreachable_since >= options.unreachable_span) {
    end_tunnel(now, *id, EndReason::kUnreachable);
  }
}

Instant Relay::Impl::next_deadline() const {
  return std::min({deadlines.next(), secrets.next_change(), options.shared->refusals.next_deadline()});
}

}  // namespace amt
