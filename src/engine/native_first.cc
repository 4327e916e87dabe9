#include "engine/native_first.hh"

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// A network that loses its native multicast loses it for many hosts at once: they miss it within this, by chance, and
/// do not all ask their relays in the same moment.
constexpr Duration kSilenceSpread = std::chrono::milliseconds(300);

NativeOptions options_of_this_host(Random& random) {
  NativeOptions options;
  options.silence += random.between(Duration::zero(), kSilenceSpread);
  return options;
}

}  // namespace

NativeFirst::NativeFirst(EventLoop& loop, RelaySet& relays, Random& random, Join join)
    : relays_(relays),
      random_(random),
      join_(std::move(join)),
      preference_(options_of_this_host(random), KeyedHash(random)),
      timer_(loop, [this] {
        preference_.handle_timeout(monotonic_now());
        settle();
      }) {}

bool NativeFirst::set_membership(const IpAddress& group, const SourceFilter& filter) {
  if (!relays_.may_join(group, filter)) return false;
  preference_.set_membership(monotonic_now(), group, filter);
  settle();
  return true;
}

template <typename IsNew>
bool NativeFirst::accept_as(Instant now, Way way, const IpAddress& source, const IpAddress& group, IsNew is_new) {
  const NativeVerdict verdict =
      way == Way::kNative ? preference_.note_native(now, source, group) : preference_.note_tunnel(now, source, group);
  if (verdict == NativeVerdict::kUnwanted) return false;
  if (verdict == NativeVerdict::kCheck && !is_new()) {
    ++duplicates_dropped_;
    return false;
  }
  if (way == Way::kNative) ++packets_;
  return true;
}

DuplicateFilter& NativeFirst::remembered() {
  if (!duplicates_) duplicates_.emplace(random_);
  return *duplicates_;
}

bool NativeFirst::accept(Instant now, Way way, const DatagramAddresses& addresses, Bytes datagram) {
  return accept_as(now, way, addresses.source, addresses.destination,
                   [&] { return remembered().is_new(now, static_cast<std::uint32_t>(way), datagram); });
}

bool NativeFirst::accept(Instant now, Way way, const Endpoint& source, const Endpoint& destination, Bytes payload) {
  return accept_as(now, way, source.address, destination.address, [&] {
    return remembered().is_new(now, static_cast<std::uint32_t>(way), source, destination, payload);
  });
}

void NativeFirst::settle() {
  while (const std::optional<NativeStep> step = preference_.poll_step()) {
    if (const auto* join = std::get_if<JoinNatively>(&*step)) join_(join->group, join->filter);
    if (const auto* ask = std::get_if<AskTunnel>(&*step)) {
      static_cast<void>(relays_.set_membership(ask->group, ask->filter));
    }
    if (const auto* changed = std::get_if<ChangedOver>(&*step)) log_info("{}", changed->text);
  }
  if (!preference_.may_double()) duplicates_.reset();
  timer_.set(preference_.next_deadline());
}

void NativeFirst::shutdown() { timer_.set(kNoDeadline); }

}  // namespace amt
