/// What a gateway gives to another process, and how it goes on with what it was given.

#include <algorithm>
#include <cerrno>

#include "engine/gateway/gateway_engine_impl.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

enum class RecordType : std::uint8_t { kRelays = 1, kDownstream };

constexpr auto kRelaysType = static_cast<std::uint8_t>(RecordType::kRelays);
constexpr auto kDownstreamType = static_cast<std::uint8_t>(RecordType::kDownstream);

Unexpected<SysError> damaged() { return Unexpected<SysError>(SysError{"take over", "a damaged state", EBADMSG}); }

}  // namespace

StateOctets GatewayEngine::state(const BootId& boot) const {
  const Instant written = monotonic_now();
  StateOctets records;
  {
    StateRecordWriter out(records, written, kRelaysType);
    impl_->relays->save(out);
  }
  for (const std::unique_ptr<Downstream>& downstream : impl_->downstreams) {
    StateRecordWriter out(records, written, kDownstreamType);
    out(downstream->interface(), downstream->info().kind);
    downstream->save(out);
  }
  StateDocument document(kGatewayState, boot, written);
  document.append(records);
  return document.finish();
}

std::vector<LentDescriptor> GatewayEngine::descriptors() const {
  std::vector<LentDescriptor> out;
  impl_->relays->append_descriptors(out);
  for (const std::unique_ptr<Downstream>& downstream : impl_->downstreams) downstream->append_descriptors(out);
  if (impl_->native_lans) impl_->native_lans->append_descriptors(out);
  return out;
}

SysResult<void> GatewayEngine::Impl::inherit(const GatewayInheritance& inheritance) {
  StateBody state = inheritance.state;
  while (std::optional<StateBody::Record> record = state.next()) {
    if (record->type == kRelaysType) {
      kept_relays.emplace(record->reader);
    } else if (record->type == kDownstreamType) {
      KeptDownstream kept{.record = record->reader};
      kept.record(kept.interface, kept.kind);
      kept_downstreams.push_back(std::move(kept));
    } else {
      return damaged();
    }
  }
  if (state.is_broken() || !kept_relays) return damaged();
  is_taking_over = true;
  return {};
}

SysResult<TunDevice> GatewayEngine::Impl::open_tun(const GatewayEngineOptions& options) {
  std::optional<GivenDescriptor> kept = take_descriptor(
      given, NamedDescriptor::Kind::kTun, [&](const NamedDescriptor& what) { return what.name == options.interface; });
  if (!kept) {
    return TunDevice::create({.name = options.interface, .mtu_octets = options.mtu_octets, .tap = options.tap});
  }
  SysResult<TunDevice> tun = TunDevice::adopt(std::move(kept->descriptor), kept->what.numbers[0]);
  if (!tun) return tun;
  // The name may have been given to another interface, and it has the name that the kernel says.
  if (tun->name() != options.interface || tun->is_tap() != options.tap) {
    return Unexpected<SysError>(SysError{"take over interface", options.interface, EEXIST});
  }
  if (SysResult<void> set = set_link_mtu(tun->index(), options.mtu_octets); !set) {
    return Unexpected<SysError>(set.error());
  }
  adopted.push_back(options.interface);
  return tun;
}

SysResult<std::unique_ptr<LanLink>> GatewayEngine::Impl::open_lan(const std::string& interface) {
  std::optional<GivenDescriptor> kept = take_descriptor(
      given, NamedDescriptor::Kind::kLan, [&](const NamedDescriptor& what) { return what.name == interface; });
  if (kept) {
    SysResult<std::unique_ptr<LanLink>> link = adopt_real_lan(interface, std::move(kept->descriptor));
    if (link) {
      adopted.push_back(interface);
      return link;
    }
    log_warn("downstream {} is another interface than before: {}", interface, link.error().to_string());
  }
  std::unique_ptr<LanLink> link = make_real_lan(interface);
  if (SysResult<void> opened = link->open(); !opened) return Unexpected<SysError>(opened.error());
  return link;
}

SysResult<void> GatewayEngine::Impl::restore(Downstream& downstream) {
  const std::string& interface = downstream.interface();
  const auto kept = std::ranges::find(kept_downstreams, interface, &KeptDownstream::interface);
  const bool is_same = kept != kept_downstreams.end() && kept->kind == downstream.info().kind &&
                       std::ranges::find(adopted, interface) != adopted.end();
  if (!is_same) return {};
  downstream.restore(monotonic_now(), kept->record);
  if (!kept->record.is_good()) return damaged();
  return {};
}

void GatewayEngine::Impl::compare_with_relays() {
  is_taking_over = false;
  std::vector<std::pair<IpAddress, SourceFilter>> all;
  relays->client().for_each_membership([&](const IpAddress& group, const SourceFilter&) {
    if (merged.filter(group).is_nothing()) all.emplace_back(group, SourceFilter{});
  });
  merged.for_each_group([&](const IpAddress& group, const SourceFilter& filter) { all.emplace_back(group, filter); });
  for (const auto& [group, filter] : all) static_cast<void>(relays->set_membership(group, filter));
  kept_relays.reset();
  kept_downstreams.clear();
  given.clear();
}

}  // namespace amt
