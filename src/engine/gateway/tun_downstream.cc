#include "engine/gateway/tun_downstream.hh"

#include <utility>

#include "membership/pseudo_interface.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

class TunDownstream final : public Downstream {
 public:
  TunDownstream(Loop& loop, TunDevice device, std::function<void(const SysError&)> on_lost)
      : loop_(loop),
        tun_(std::move(device)),
        on_lost_(std::move(on_lost)),
        pseudo_interface_(monotonic_now()),
        timer_(loop, [this] { on_timer(); }) {}

  void start(ChangeHandler on_changes) override {
    on_changes_ = std::move(on_changes);
    watch_.emplace(loop_, tun_.fd(), [this] { on_readable(); });
    flush();
  }
  void stop() override {
    watch_.reset();
    timer_.set(kNoDeadline);
  }
  void save(StateRecordWriter& out) const override {
    out(packets_of_[0], packets_of_[1], packets_, bytes_, up_);
    pseudo_interface_.save(out);
  }
  void restore(Instant now, StateRecordReader& in) override {
    in(packets_of_[0], packets_of_[1], packets_, bytes_, up_);
    pseudo_interface_.restore(now, in, changes_);
    logged_ = pseudo_interface_.refused();
  }
  void append_descriptors(std::vector<LentDescriptor>& out) const override {
    out.push_back(
        {{.kind = NamedDescriptor::Kind::kTun, .name = interface(), .numbers = {tun_.send_drops()}}, tun_.fd()});
  }
  void handle_network_change() override;
  const std::string& interface() const override { return tun_.name(); }
  void send(std::span<const Bytes> datagrams) override;
  DownstreamInfo info() const override;
  void for_each_group(const std::function<void(const IpAddress&, const SourceFilter&)>& visit) const override {
    pseudo_interface_.for_each_group(visit);
  }

 private:
  void on_readable();
  void on_timer();
  void flush();
  void log_refusals();

  Loop& loop_;
  TunDevice tun_;
  std::function<void(const SysError&)> on_lost_;
  ChangeHandler on_changes_ = [](std::span<const FilterChange>) {};
  PseudoInterface pseudo_interface_;
  std::vector<FilterChange> changes_;
  Counters<HostJoinRefusal> logged_;
  bool up_ = true;
  std::array<std::uint64_t, 2> packets_of_ = {};
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  Timer timer_;
  // Last: it ends before the members that its handler uses.
  std::optional<ReadWatch> watch_;
};

void TunDownstream::send(std::span<const Bytes> datagrams) {
  // The device counts datagrams that it does not take. TTL and Hop Limit stay: the tunnel ends at this host.
  const Taken taken = tun_.send(datagrams);
  packets_ += taken.datagrams;
  bytes_ += taken.octets;
  for (const Bytes datagram : datagrams) {
    ++packets_of_[std::to_integer<unsigned>(datagram[0]) >> 4 == 4 ? 0 : 1];
  }
}

DownstreamInfo TunDownstream::info() const {
  std::vector<DownstreamCounter> counters;
  append_counters(counters, "", pseudo_interface_.refused());
  return {.interface = interface(),
          .kind = "tun",
          .up = up_,
          .packets = packets_,
          .packets_of = packets_of_,
          .bytes = bytes_,
          .drops = tun_.send_drops(),
          .counters = std::move(counters)};
}

void TunDownstream::handle_network_change() {
  const SysResult<LinkInfo> link = find_link(tun_.name());
  if (!watch_ || !link || link->index != tun_.index() || link->up == up_) return;
  up_ = link->up;
  log_info("{} is {}", tun_.name(), up_ ? "up again" : "down: nothing is wanted on it");
  if (up_) {
    pseudo_interface_.ask_anew(monotonic_now());
  } else {
    pseudo_interface_.clear(changes_);
  }
  flush();
}

void TunDownstream::on_readable() {
  const Instant now = monotonic_now();
  const SysResult<std::span<const MutableBytes>> datagrams = tun_.receive();
  if (!datagrams) {
    // The descriptor of an interface that is gone stays readable for ever.
    watch_.reset();
    on_lost_(datagrams.error());
    return;
  }
  for (const Bytes datagram : *datagrams) pseudo_interface_.handle_datagram(now, datagram, changes_);
  flush();
}

void TunDownstream::on_timer() {
  std::vector<std::vector<std::byte>> queries;
  pseudo_interface_.handle_timeout(monotonic_now(), changes_, queries);
  for (const std::vector<std::byte>& query : queries) {
    const Bytes datagram = query;
    tun_.send({&datagram, 1});
  }
  flush();
}

void TunDownstream::log_refusals() {
  const Counters<HostJoinRefusal>& now = pseudo_interface_.refused();
  const Counters<HostJoinRefusal> before = std::exchange(logged_, now);
  const auto is_new = [&](HostJoinRefusal refusal) { return now[refusal] != before[refusal]; };
  if (is_new(HostJoinRefusal::kAnySourceJoinsOfSsmGroups)) {
    log_warn_limited(
        tun_.name() + " any-source",
        "{}: an application joined a source-specific group without naming a source; that gives it nothing (RFC 4607)",
        tun_.name());
  }
  if (is_new(HostJoinRefusal::kOlderJoinsOfSsmGroups)) {
    log_warn_limited(
        tun_.name() + " older",
        "{}: this host speaks IGMPv2 or MLDv1 there, which name no source, so source-specific groups cannot be "
        "joined (RFC 4604); mend: sysctl net.ipv4.conf.all.force_igmp_version=0 "
        "net.ipv6.conf.all.force_mld_version=0",
        tun_.name());
  }
  if (is_new(HostJoinRefusal::kOverLimit)) {
    log_warn_limited(tun_.name() + " limit",
                     "{}: applications joined more groups, or more sources of a group, than the gateway takes",
                     tun_.name());
  }
}

void TunDownstream::flush() {
  if (!changes_.empty()) on_changes_(changes_);
  changes_.clear();
  log_refusals();
  timer_.set(pseudo_interface_.next_deadline());
}

}  // namespace

std::unique_ptr<Downstream> make_tun_downstream(Loop& loop, TunDevice device,
                                                std::function<void(const SysError&)> on_lost) {
  return std::make_unique<TunDownstream>(loop, std::move(device), std::move(on_lost));
}

}  // namespace amt
