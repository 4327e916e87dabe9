#include "engine/gateway_engine.hh"

#include <optional>

#include "engine/pseudo_interface.hh"
#include "io/tun_device.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// The interface as multicast needs it: up, no reverse-path check (tunnelled sources are routed elsewhere), and its
/// routes.
SysResult<void> configure(const TunDevice& tun, const std::vector<Prefix>& routes) {
  // What counts is the larger of the interface's and conf.all's: 2 (loose) at least lets routed sources pass.
  const SysResult<int> of_all = reverse_path_filter_of_all();
  const int mode = of_all && *of_all != 0 ? 2 : 0;
  if (const SysResult<void> set = set_reverse_path_filter(tun.index(), mode); !set) return set;
  if (mode != 0) {
    log_warn(
        "net.ipv4.conf.all.rp_filter is {}: IPv4 sources that this host has no route to stay filtered on {} "
        "(mend: sysctl net.ipv4.conf.all.rp_filter=0)",
        *of_all, tun.name());
  } else {
    log_info("{}: reverse-path filter is off", tun.name());
  }
  if (const SysResult<void> up = set_link_up(tun.index()); !up) return up;
  for (const Prefix& route : routes) {
    if (const SysResult<void> added = add_route(tun.index(), route); !added) {
      log_warn("no route {} to {}: {}", route.to_string(), tun.name(), added.error().to_string());
    }
  }
  return {};
}

}  // namespace

struct GatewayEngine::Impl {
  Impl(EventLoop& event_loop, TunDevice device)
      : loop(event_loop),
        tun(std::move(device)),
        pseudo_interface(monotonic_now()),
        timer(loop, [this] { on_timer(); }),
        watch(std::in_place, loop, tun.fd(), [this] { on_interface_readable(); }) {}

  void on_interface_readable();
  void on_timer();
  void apply_changes();

  EventLoop& loop;
  TunDevice tun;
  std::unique_ptr<GatewayConnection> connection;
  PseudoInterface pseudo_interface;
  std::vector<FilterChange> changes;
  std::uint64_t ssm_refusals_told = 0;
  std::function<void(const SysError&)> on_lost = [](const SysError&) {};
  Timer timer;
  std::optional<ReadWatch> watch;
};

void GatewayEngine::Impl::on_interface_readable() {
  const Instant now = monotonic_now();
  const SysResult<std::span<const MutableBytes>> datagrams = tun.receive();
  if (!datagrams) {
    // The descriptor of an interface that is gone stays readable for ever.
    watch.reset();
    on_lost(datagrams.error());
    return;
  }
  for (const Bytes datagram : *datagrams) pseudo_interface.handle_datagram(now, datagram, changes);
  apply_changes();
}

void GatewayEngine::Impl::on_timer() {
  std::vector<std::vector<std::byte>> queries;
  pseudo_interface.handle_timeout(monotonic_now(), changes, queries);
  for (const std::vector<std::byte>& query : queries) {
    const Bytes datagram = query;
    tun.send({&datagram, 1});
  }
  apply_changes();
}

void GatewayEngine::Impl::apply_changes() {
  for (const FilterChange& change : changes) {
    log_debug("{}: {} is now {}", tun.name(), change.group.to_string(), change.after.to_string());
    static_cast<void>(connection->set_membership(change.group, change.after));
  }
  changes.clear();
  if (const std::uint64_t refusals = pseudo_interface.refused().any_source_joins_of_ssm_groups;
      refusals != ssm_refusals_told) {
    if (ssm_refusals_told == 0) {
      log_warn(
          "{}: an application joined a source-specific group without naming a source; that gives it nothing (RFC 4607)",
          tun.name());
    }
    ssm_refusals_told = refusals;
  }
  timer.set(pseudo_interface.next_deadline());
}

SysResult<std::unique_ptr<GatewayEngine>> GatewayEngine::create(EventLoop& loop, const GatewayEngineOptions& options,
                                                                Random& random) {
  SysResult<TunDevice> tun = TunDevice::create({.name = options.interface});
  if (!tun) return Unexpected<SysError>(tun.error());
  auto impl = std::make_unique<Impl>(loop, std::move(*tun));
  SysResult<std::unique_ptr<GatewayConnection>> connection = GatewayConnection::create(
      loop, options.connection, random, [&tun = impl->tun](Instant, std::span<const Bytes> data) {
        tun.send(data);  // what it does not take is counted there
      });
  if (!connection) return Unexpected<SysError>(connection.error());
  impl->connection = std::move(*connection);
  if (const SysResult<void> configured = configure(impl->tun, options.routes); !configured) {
    return Unexpected<SysError>(configured.error());
  }
  impl->apply_changes();
  return std::unique_ptr<GatewayEngine>(new GatewayEngine(std::move(impl)));
}

GatewayEngine::GatewayEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayEngine::~GatewayEngine() = default;

void GatewayEngine::on_interface_lost(std::function<void(const SysError&)> handler) {
  impl_->on_lost = std::move(handler);
}
void GatewayEngine::shutdown() { impl_->connection->shutdown(); }
const GatewayConnection& GatewayEngine::connection() const { return *impl_->connection; }
const std::string& GatewayEngine::interface() const { return impl_->tun.name(); }
std::uint64_t GatewayEngine::interface_drops() const { return impl_->tun.send_drops(); }

}  // namespace amt
