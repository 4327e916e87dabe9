#include "engine/tun_downstream.hh"

#include "engine/pseudo_interface.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

class TunDownstream final : public Downstream {
 public:
  TunDownstream(EventLoop& loop, TunDevice device, std::function<void(const SysError&)> on_lost)
      : loop_(loop),
        tun_(std::move(device)),
        on_lost_(std::move(on_lost)),
        pseudo_interface_(monotonic_now()),
        timer_(loop, [this] { on_timer(); }) {}

  void start(ChangeHandler on_changes) override {
    on_changes_ = std::move(on_changes);
    watch_.emplace(loop_, tun_.fd(), [this] { on_readable(); });
    settle();
  }
  void stop() override {
    watch_.reset();
    timer_.set(kNoDeadline);
  }
  const std::string& interface() const override { return tun_.name(); }
  void send(std::span<const Bytes> datagrams) override;
  DownstreamInfo info() const override {
    return {.interface = interface(), .kind = "tun", .packets = packets_, .bytes = bytes_, .drops = tun_.send_drops()};
  }
  void for_each_group(const std::function<void(const IpAddress&, const SourceFilter&)>& visit) const override {
    pseudo_interface_.for_each_group(visit);
  }

 private:
  void on_readable();
  void on_timer();
  void settle();

  EventLoop& loop_;
  TunDevice tun_;
  std::function<void(const SysError&)> on_lost_;
  ChangeHandler on_changes_ = [](std::span<const FilterChange>) {};
  PseudoInterface pseudo_interface_;
  std::vector<FilterChange> changes_;
  std::uint64_t ssm_refusals_told_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  Timer timer_;
  // Last: it ends before what its handler uses.
  std::optional<ReadWatch> watch_;
};

void TunDownstream::send(std::span<const Bytes> datagrams) {
  // What it does not take is counted there. TTL and Hop Limit stay: this host is where the tunnel ends.
  const Taken taken = tun_.send(datagrams);
  packets_ += taken.datagrams;
  bytes_ += taken.octets;
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
  settle();
}

void TunDownstream::on_timer() {
  std::vector<std::vector<std::byte>> queries;
  pseudo_interface_.handle_timeout(monotonic_now(), changes_, queries);
  for (const std::vector<std::byte>& query : queries) {
    const Bytes datagram = query;
    tun_.send({&datagram, 1});
  }
  settle();
}

void TunDownstream::settle() {
  if (!changes_.empty()) on_changes_(changes_);
  changes_.clear();
  if (const std::uint64_t refusals = pseudo_interface_.refused().any_source_joins_of_ssm_groups;
      refusals != ssm_refusals_told_) {
    if (ssm_refusals_told_ == 0) {
      log_warn(
          "{}: an application joined a source-specific group without naming a source; that gives it nothing (RFC 4607)",
          tun_.name());
    }
    ssm_refusals_told_ = refusals;
  }
  timer_.set(pseudo_interface_.next_deadline());
}

}  // namespace

std::unique_ptr<Downstream> make_tun_downstream(EventLoop& loop, TunDevice device,
                                                std::function<void(const SysError&)> on_lost) {
  return std::make_unique<TunDownstream>(loop, std::move(device), std::move(on_lost));
}

}  // namespace amt
