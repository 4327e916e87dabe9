#include "engine/gateway/gateway_engine.hh"

#include <algorithm>
#include <utility>

#include "engine/gateway/gateway_engine_impl.hh"
#include "engine/gateway/tun_downstream.hh"
#include "sys/clock.hh"
#include "sys/gateway_alias.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// P-b: if the LAN also carries the tunnel, the same multicast may already be there, or another gateway's.
void warn_of_upstream(const IpAddress& relay, const std::vector<std::string>& downstream) {
  const std::optional<std::string> outgoing = interface_towards(relay);
  if (!outgoing || std::ranges::find(downstream, *outgoing) == downstream.end()) return;
  log_warn(
      "downstream {} is also the way to the relay {}: see to it that no other router brings the same multicast to that "
      "LAN",
      *outgoing, relay.to_string());
}

/// A relay on this host must not take the interface for an upstream: the alias marks it as a gateway's.
void note_relay(int interface, std::vector<IpAddress>& relays, const IpAddress& relay) {
  constexpr std::size_t kRelaysNotedMax = 8;
  std::erase(relays, relay);
  relays.insert(relays.begin(), relay);
  if (relays.size() > kRelaysNotedMax) relays.pop_back();
  if (const SysResult<void> noted = set_link_alias(interface, gateway_alias(relays)); !noted) {
    log_debug("{}", noted.error().to_string());
  }
}

}  // namespace

SysResult<void> GatewayEngine::Impl::add_downstreams(Loop& loop, const GatewayEngineOptions& options, TunDevice tun) {
  const auto lost = [this](const SysError& error) { on_lost(error); };
  downstreams.push_back(options.tap ? make_lan_downstream(loop, make_tap_lan(std::move(tun)), options.lan, lost)
                                    : make_tun_downstream(loop, std::move(tun), lost));
  for (const std::string& interface : options.downstream) {
    SysResult<std::unique_ptr<LanLink>> link = open_lan(interface);
    if (!link) return Unexpected<SysError>(link.error());
    downstreams.push_back(make_lan_downstream(loop, std::move(*link), options.lan, {}));
  }
  batches.resize(downstreams.size());
  for (const std::unique_ptr<Downstream>& downstream : downstreams) {
    if (SysResult<void> restored = restore(*downstream); !restored) return restored;
  }
  return {};
}

void GatewayEngine::Impl::start() {
  for (std::size_t number = 0; number < downstreams.size(); ++number) {
    downstreams[number]->start([this, number](std::span<const FilterChange> changes) { on_changes(number, changes); });
  }
  if (is_taking_over) compare_with_relays();
}

void GatewayEngine::Impl::watch_network(Loop& loop) {
  network.emplace(loop, [this] {
    upkeep->check();
    for (const std::unique_ptr<Downstream>& downstream : downstreams) downstream->handle_network_change();
  });
  if (const SysResult<void> started = network->start(); !started) {
    log_warn("changes of interfaces are noticed late: {}", started.error().to_string());
  }
}

void GatewayEngine::Impl::on_changes(std::size_t number, std::span<const FilterChange> changes) {
  for (const FilterChange& change : changes) {
    // The text names every source, which may be thousands.
    if (log_enabled(LogLevel::kDebug)) {
      log_debug("{}: {} is now {}", downstreams[number]->interface(), change.group.to_string(),
                change.after.to_string());
    }
    wanted.apply(TunnelId{static_cast<std::uint32_t>(number)}, change);
    // RFC 4605 §4.1: a change of the merged database goes upstream (P-e).
    if (const std::optional<FilterChange> all = merged.apply(change)) {
      meter.set_wanted(monotonic_now(), all->group, !all->after.is_nothing());
      // Told one downstream after the other, the relays would hear of leaves that are none.
      if (!is_taking_over) static_cast<void>(relays->set_membership(all->group, all->after));
    }
  }
}

void GatewayEngine::Impl::start_native(Loop& loop, const GatewayEngineOptions& options, Random& random) {
  std::vector<std::string> to = options.downstream;
  to.push_back(options.interface);
  NativeLansOptions lans{options.native_interface, std::move(to)};
  while (std::optional<GivenDescriptor> capture = take_descriptor(given, NamedDescriptor::Kind::kCapture)) {
    lans.captures.push_back(std::move(*capture));
  }
  native_lans.emplace(loop, std::move(lans), random,
                      [this](Instant now, std::span<const Bytes> datagrams) { relays->handle_native(now, datagrams); });
}

void GatewayEngine::Impl::deliver(Instant now, std::span<const DataPacket> packets) {
  meter.count(now, packets);
  for (const std::uint32_t at : order.arrange(packets)) {
    const DataPacket& packet = packets[at];
    // The tunnels let only wanted data through, and a single downstream wants all of it.
    if (downstreams.size() == 1) {
      batches.front().push_back(packet.datagram);
      continue;
    }
    wanted.find(packet.source, packet.destination).for_each([&](TunnelId number) {
      batches[static_cast<std::size_t>(number)].push_back(packet.datagram);
    });
  }
  for (std::size_t number = 0; number < batches.size(); ++number) {
    if (!batches[number].empty()) downstreams[number]->send(batches[number]);
    batches[number].clear();
  }
}

SysResult<void> GatewayEngine::Impl::open_relays(Loop& loop, GatewayEngineOptions& options, const TunDevice& tun,
                                                 Random& random) {
  options.relays.client.port_purpose = "gateway " + options.interface;
  options.relays.client.native = options.native;
  options.relays.on_join_natively = [this](const IpAddress& group, const SourceFilter& filter) {
    native_lans->set_membership(group, filter);
  };
  options.relays.on_relay = [downstream = options.downstream, index = tun.index(),
                             noted = std::vector<IpAddress>()](const IpAddress& relay) mutable {
    warn_of_upstream(relay, downstream);
    note_relay(index, noted, relay);
  };
  const KeptRelays kept{kept_relays ? &*kept_relays : nullptr, &given};
  SysResult<std::unique_ptr<RelaySet>> opened = RelaySet::create(
      loop, std::move(options.relays), random,
      [this](Instant now, const ClientPackets& packets) { deliver(now, packets.datagrams); }, kept);
  if (!opened) return Unexpected<SysError>(opened.error());
  relays = std::move(*opened);
  return {};
}

SysResult<std::unique_ptr<GatewayEngine>> GatewayEngine::create(Loop& loop, GatewayEngineOptions options,
                                                                Random& random) {
  auto impl = std::make_unique<Impl>(random);
  if (options.inheritance != nullptr) {
    impl->given = std::exchange(options.inheritance->descriptors, {});
    if (SysResult<void> inherited = impl->inherit(*options.inheritance); !inherited) {
      return Unexpected<SysError>(inherited.error());
    }
  }
  SysResult<TunDevice> tun = impl->open_tun(options);
  if (!tun) return Unexpected<SysError>(tun.error());
  if (options.native) impl->start_native(loop, options, random);
  if (const SysResult<void> opened = impl->open_relays(loop, options, *tun, random); !opened) {
    return Unexpected<SysError>(opened.error());
  }
  impl->upkeep.emplace(tun->name(), tun->index(), std::move(options.settings));
  if (const SysResult<void> installed = impl->upkeep->install(); !installed) {
    return Unexpected<SysError>(installed.error());
  }
  if (const SysResult<void> added = impl->add_downstreams(loop, options, std::move(*tun)); !added) {
    return Unexpected<SysError>(added.error());
  }
  impl->start();
  impl->watch_network(loop);
  impl->reception.emplace(loop, impl->meter, impl->relays->client(), *impl->downstreams.front());
  return std::unique_ptr<GatewayEngine>(new GatewayEngine(std::move(impl)));
}

GatewayEngine::GatewayEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayEngine::~GatewayEngine() = default;

void GatewayEngine::on_interface_lost(std::function<void(const SysError&)> handler) {
  impl_->on_lost = std::move(handler);
}
void GatewayEngine::shutdown() {
  impl_->network->stop();
  impl_->reception->stop();
  for (const std::unique_ptr<Downstream>& downstream : impl_->downstreams) downstream->stop();
  if (impl_->native_lans) impl_->native_lans->shutdown();
  impl_->relays->shutdown();
}
const RelaySet& GatewayEngine::relays() const { return *impl_->relays; }
bool GatewayEngine::is_native() const { return impl_->native_lans.has_value(); }
void GatewayEngine::for_each_native_lan(const std::function<void(const NativeLan&)>& visit) const {
  if (impl_->native_lans) impl_->native_lans->for_each(visit);
}
GroupUse GatewayEngine::group_use(Instant now, const IpAddress& group) const { return impl_->meter.use(now, group); }
const std::string& GatewayEngine::interface() const { return impl_->downstreams.front()->interface(); }
void GatewayEngine::for_each_downstream(const std::function<void(const Downstream&)>& visit) const {
  for (const std::unique_ptr<Downstream>& downstream : impl_->downstreams) visit(*downstream);
}

}  // namespace amt
