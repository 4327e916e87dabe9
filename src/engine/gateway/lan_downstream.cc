#include "engine/gateway/lan_downstream.hh"

#include <algorithm>
#include <utility>

#include "engine/gateway/lan_notices.hh"
#include "ip/lan_egress.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// How soon an interface that was deleted, went down, or got another address is noticed where the kernel does not
/// report it.
constexpr Duration kCheckInterval = std::chrono::seconds(10);

/// By family.
constexpr std::array<std::string_view, 2> kProtocols = {"igmp", "mld"};

class LanDownstream final : public Downstream {
 public:
  LanDownstream(Loop& loop, std::unique_ptr<LanLink> link, const LanDownstreamOptions& options, LinkLostHandler on_lost)
      : loop_(loop),
        link_(std::move(link)),
        options_(options),
        on_lost_(std::move(on_lost)),
        notices_(link_->interface(), options.forward_always),
        egress_(link_->is_routed()),
        timer_(loop, [this] { on_timer(); }) {}

  void start(ChangeHandler on_changes) override;
  void stop() override {
    watch_.reset();
    timer_.set(kNoDeadline);
  }
  void save(StateRecordWriter& out) const override;
  void restore(Instant now, StateRecordReader& in) override;
  void append_descriptors(std::vector<LentDescriptor>& out) const override {
    if (link_->is_open()) out.push_back({{.kind = link_->descriptor_kind(), .name = interface()}, link_->fd()});
  }
  const std::string& interface() const override { return link_->interface(); }
  void handle_network_change() override;
  void send(std::span<const Bytes> datagrams) override;
  DownstreamInfo info() const override;
  void for_each_group(const std::function<void(const IpAddress&, const SourceFilter&)>& visit) const override;

 private:
  void on_readable();
  void on_timer();
  void check(Instant now);
  void follow(Instant now, const LanLink::State& state);
  void set_address(Instant now, Family family, const std::optional<IpAddress>& address);
  void open_again();
  void close_link();
  void end_membership();
  /// Queries, changes and the timer, after every input.
  void flush();
  [[nodiscard]] bool forwards(Family family) const {
    return membership_ && (options_.forward_always || membership_->querier(family).is_querier());
  }

  Loop& loop_;
  std::unique_ptr<LanLink> link_;
  LanDownstreamOptions options_;
  LinkLostHandler on_lost_;
  ChangeHandler on_changes_ = [](std::span<const FilterChange>) {};
  /// While the link is up.
  std::optional<LanMembership> membership_;
  /// The counters of the links before it.
  LanMembership::Tally ended_;
  LanLink::State state_;
  LanNotices notices_;
  std::vector<FilterChange> changes_;
  Instant next_check_ = kNoDeadline;
  bool loss_logged_ = false;
  /// Hosts may be there that did not hear the last query.
  bool asks_anew_ = false;

  LanEgress egress_;
  std::vector<Bytes> to_forward_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t drops_ = 0;

  Timer timer_;
  // Last: it ends before the members that its handler uses.
  std::optional<ReadWatch> watch_;
};

void LanDownstream::start(ChangeHandler on_changes) {
  on_changes_ = std::move(on_changes);
  watch_.emplace(loop_, link_->fd(), [this] { on_readable(); });
  check(monotonic_now());
  flush();
}

void LanDownstream::save(StateRecordWriter& out) const {
  out(packets_, bytes_, drops_, egress_.drops(), ended_, asks_anew_, membership_.has_value());
  if (!membership_) return;
  out(state_);
  membership_->save(out);
}

void LanDownstream::restore(Instant now, StateRecordReader& in) {
  LanEgress::Drops drops;
  bool is_up = false;
  in(packets_, bytes_, drops_, drops, ended_, asks_anew_, is_up);
  egress_.set_drops(drops);
  if (!is_up) return;
  in(state_);
  membership_.emplace(options_.membership, now);
  membership_->restore(now, in, changes_);
  notices_.adopt(*membership_);
}

void LanDownstream::on_readable() {
  const Instant now = monotonic_now();
  const SysResult<std::span<const Bytes>> datagrams = link_->receive();
  if (!datagrams) {
    // The descriptor of an interface that is gone stays readable for ever.
    close_link();
    flush();
    if (on_lost_) on_lost_(datagrams.error());
    return;
  }
  for (const Bytes datagram : *datagrams) {
    if (!membership_) break;
    const auto [family, result] = membership_->handle_datagram(now, datagram, changes_);
    notices_.note_datagram(family, membership_->querier(family), result);
  }
  flush();
}

void LanDownstream::on_timer() {
  const Instant now = monotonic_now();
  if (next_check_ <= now) check(now);
  if (membership_) membership_->handle_timeout(now, changes_);
  flush();
}

void LanDownstream::handle_network_change() {
  // One that cannot be read any more is not asked for.
  if (link_->is_open() && !watch_) return;
  check(monotonic_now());
  flush();
}

void LanDownstream::check(Instant now) {
  next_check_ = now + kCheckInterval;
  if (!link_->is_open()) open_again();
  if (!link_->is_open()) return;
  const SysResult<LanLink::State> state = link_->state();
  if (!state) {
    log_warn("{}", state.error().to_string());
    return;
  }
  if (!state->lost) return follow(now, *state);
  if (!loss_logged_) log_warn("downstream {} is gone; waiting for an interface of that name", interface());
  loss_logged_ = true;
  close_link();
}

void LanDownstream::close_link() {
  end_membership();
  state_ = {};
  // The watch first: it must let go of the descriptor before that is closed.
  watch_.reset();
  link_->close();
}

void LanDownstream::open_again() {
  if (!link_->open()) return;
  log_info("downstream {} is back", interface());
  loss_logged_ = false;
  watch_.emplace(loop_, link_->fd(), [this] { on_readable(); });
}

void LanDownstream::follow(Instant now, const LanLink::State& state) {
  if (!state.up && membership_) {
    log_warn("downstream {} is down", interface());
    end_membership();
  }
  if (membership_ && state.bridge != state_.bridge) {
    log_info("downstream {} is now {}", interface(), state.bridge != 0 ? "a port of a bridge" : "no port of a bridge");
    // Hosts behind another bridge are others; those that reported since it was made a port of its first are not.
    if (state_.bridge != 0) end_membership();
    asks_anew_ = true;
  }
  if (membership_ && state.blocked != state_.blocked) {
    log_info("downstream {}: the bridge's spanning tree {}", interface(), state.blocked ? "blocks it" : "opened it");
    asks_anew_ = asks_anew_ || !state.blocked;
  }
  const bool is_new = state.up && !membership_;
  if (is_new) {
    log_info("downstream {} is up", interface());
    membership_.emplace(options_.membership, now);
  }
  if (membership_) {
    if (is_new || state.addresses != state_.addresses) membership_->set_subnets(now, state.addresses);
    if (is_new || state.ipv4 != state_.ipv4) set_address(now, Family::kIpv4, state.ipv4);
    if (is_new || state.ipv6 != state_.ipv6) set_address(now, Family::kIpv6, state.ipv6);
    if (std::exchange(asks_anew_, false)) membership_->ask_anew(now);
  }
  state_ = state;
}

void LanDownstream::set_address(Instant now, Family family, const std::optional<IpAddress>& address) {
  const char* const protocol = family == Family::kIpv4 ? "IGMP" : "MLD";
  if (address) {
    log_info("downstream {}: {} queries come from {}", interface(), protocol, address->to_string());
  } else {
    log_info("downstream {}: no {} queries, for want of an address", interface(), protocol);
  }
  membership_->set_address(now, family, address);
}

void LanDownstream::end_membership() {
  if (membership_) {
    membership_->clear(changes_);
    membership_->add_to(ended_);
  }
  membership_.reset();
}

void LanDownstream::flush() {
  if (membership_) {
    while (const std::optional<std::vector<std::byte>> query = membership_->poll_query()) {
      const SplitDatagram whole{*query, {}};
      link_->send({&whole, 1});
    }
  }
  notices_.note_roles(membership_ ? &*membership_ : nullptr);
  if (!changes_.empty()) on_changes_(changes_);
  changes_.clear();
  timer_.set(std::min(next_check_, membership_ ? membership_->next_deadline() : kNoDeadline));
}

void LanDownstream::send(std::span<const Bytes> datagrams) {
  if (!link_->is_open() || !state_.up) return;
  to_forward_.clear();
  // RFC 4605 §4.2: forwarded "to all downstream interfaces that have subscriptions [...] and for which the device is
  // the Querier" (P-f, P-g).
  const bool v4 = forwards(Family::kIpv4);
  const bool v6 = forwards(Family::kIpv6);
  for (const Bytes datagram : datagrams) {
    if (std::to_integer<unsigned>(datagram[0]) >> 4 == 4 ? v4 : v6) to_forward_.push_back(datagram);
  }
  const std::span<const SplitDatagram> prepared = egress_.prepare(to_forward_, state_.mtu_octets);
  const Taken taken = link_->send(prepared);
  packets_ += taken.datagrams;
  bytes_ += taken.octets;
  drops_ += prepared.size() - taken.datagrams;
}

DownstreamInfo LanDownstream::info() const {
  DownstreamInfo info{.interface = interface(), .kind = link_->kind(), .up = membership_.has_value()};
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::size_t at = family == Family::kIpv4 ? 0 : 1;
    info.is_querier[at] = membership_ && membership_->querier(family).is_querier();
    if (membership_) info.querier[at] = membership_->querier(family).querier();
  }
  info.packets = packets_;
  info.bytes = bytes_;
  info.drops = drops_;
  info.hop_limit_exceeded = egress_.drops().hop_limit;
  info.too_big = egress_.drops().too_big;
  LanMembership::Tally tally = ended_;
  if (membership_) membership_->add_to(tally);
  for (std::size_t at = 0; at < kProtocols.size(); ++at) {
    append_counters(info.counters, kProtocols[at], tally.counters[at]);
    append_counters(info.counters, kProtocols[at], tally.rejects[at]);
  }
  return info;
}

void LanDownstream::for_each_group(const std::function<void(const IpAddress&, const SourceFilter&)>& visit) const {
  if (!membership_) return;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) membership_->querier(family).for_each_group(visit);
}

}  // namespace

std::unique_ptr<Downstream> make_lan_downstream(Loop& loop, std::unique_ptr<LanLink> link,
                                                const LanDownstreamOptions& options, LinkLostHandler on_lost) {
  return std::make_unique<LanDownstream>(loop, std::move(link), options, std::move(on_lost));
}

}  // namespace amt
