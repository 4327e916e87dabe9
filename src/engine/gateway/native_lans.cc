#include "engine/gateway/native_lans.hh"

#include "engine/gateway/native_interface.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// Routes change in bursts.
constexpr Duration kRoutesCalm = std::chrono::milliseconds(500);

}  // namespace

NativeLans::NativeLans(Loop& loop, NativeLansOptions options, Random& random, NativeLan::DataHandler on_data)
    : loop_(loop),
      options_(std::move(options)),
      random_(random),
      on_data_(std::move(on_data)),
      routes_timer_(loop, [this] {
        LocalInterfaces local;
        for (const auto& [group, filter] : wanted_) assign(group, filter, local);
      }) {
  if (!options_.interface) watch_routes();
}

void NativeLans::watch_routes() {
  SysResult<NetworkWatch> watch = NetworkWatch::open();
  if (!watch) return log_warn("changes of the network go unnoticed: {}", watch.error().to_string());
  network_.emplace(std::move(*watch));
  network_reading_.emplace(loop_, network_->fd(), [this] {
    network_->drain();
    if (!routes_timer_.is_set()) routes_timer_.set(monotonic_now() + kRoutesCalm);
  });
}

void NativeLans::set_membership(const IpAddress& group, const SourceFilter& filter) {
  if (filter.is_nothing()) {
    wanted_.erase(group);
  } else {
    wanted_[group] = filter;
  }
  LocalInterfaces local;
  assign(group, filter, local);
}

void NativeLans::assign(const IpAddress& group, const SourceFilter& filter, LocalInterfaces& local) {
  std::map<std::string, SourceFilter> by_interface;
  const auto interface_of = [this, &group, &local](const std::optional<IpAddress>& source) {
    return native_interface(options_.interface, {source, group}, local);
  };
  if (filter.mode == FilterMode::kExclude) {
    if (const std::optional<std::string> interface = interface_of(std::nullopt)) by_interface[*interface] = filter;
  } else {
    // A filter's list is sorted, and so is every sublist taken in order.
    for (const IpAddress& source : filter.sources) {
      if (const auto interface = interface_of(source)) by_interface[*interface].sources.push_back(source);
    }
  }
  for (auto& [interface, lan] : lans_) {
    if (lan.told.contains(group)) by_interface.try_emplace(interface);
  }
  for (const auto& [interface, part] : by_interface) {
    auto found = lans_.find(interface);
    if (found == lans_.end()) {
      NativeLanOptions options{interface, options_.downstreams};
      options.capture = take_descriptor(options_.captures, NamedDescriptor::Kind::kCapture,
                                        [&name = interface](const NamedDescriptor& what) { return what.name == name; });
      found = lans_.try_emplace(interface, Lan{NativeLan(loop_, std::move(options), random_, on_data_)}).first;
    }
    SourceFilter& told = found->second.told[group];
    if (told != part) found->second.lan.set_membership(group, part);
    told = part;
    if (part.is_nothing()) found->second.told.erase(group);
  }
}

void NativeLans::shutdown() {
  routes_timer_.set(kNoDeadline);
  network_reading_.reset();
  for (auto& [interface, lan] : lans_) lan.lan.shutdown();
}

void NativeLans::append_descriptors(std::vector<LentDescriptor>& out) const {
  for (const auto& [interface, lan] : lans_) lan.lan.append_descriptors(out);
}

void NativeLans::for_each(const std::function<void(const NativeLan&)>& visit) const {
  for (const auto& [interface, lan] : lans_) visit(lan.lan);
}

}  // namespace amt
