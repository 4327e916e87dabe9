#include "engine/relay/upstream.hh"

#include <algorithm>
#include <cerrno>

#include "io/multicast_filter.hh"
#include "io/native_membership.hh"
#include "io/packet_ring.hh"
#include "sys/clock.hh"
#include "sys/gateway_alias.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

class HostCapture final : public UpstreamCapture {
 public:
  HostCapture(const LinkInfo& link, bool may_return, PacketRing ring, Statistics before)
      : name_(link.name), interface_(link.index), may_return_(may_return), ring_(std::move(ring)), before_(before) {}

  UpstreamMode mode() const override { return UpstreamMode::kHost; }
  int fd() const override { return ring_.fd(); }
  SysResult<void> receive(Instant, std::vector<CapturedDatagram>& out, std::size_t datagrams_max) override {
    ring_.receive(out, datagrams_max);
    return {};
  }
  void release() override { ring_.release(); }
  bool has_waiting(std::size_t packets) const override { return ring_.has_waiting(packets); }
  int interface() const override { return interface_; }
  bool may_return() const override { return may_return_; }
  void set_local_senders(bool wanted) override {
    if (const SysResult<void> set = ring_.set_local_senders(wanted); !set) log_warn("{}", set.error().to_string());
  }
  bool took_local() override { return ring_.took_local(); }

  void set_wanted(bool wanted) override {
    // The kernel drops: channels of other workers' gateways cost this worker nothing.
    const SysResult<void> set = wanted ? attach_multicast_filter(ring_.fd(), name_) : attach_drop_all(ring_.fd());
    if (!set) log_warn("{}", set.error().to_string());
  }

  Statistics statistics() override {
    const PacketRing::Statistics ring = ring_.statistics();
    Statistics all = before_;
    all += {.dropped = ring.kernel_drops, .malformed = ring.malformed, .segmented = ring.segmented};
    return all;
  }
  std::optional<PacketRingPlace> place() const override { return ring_.place(); }

 private:
  std::string name_;
  int interface_;
  bool may_return_;
  PacketRing ring_;
  Statistics before_;
};

/// Whether a gateway may write to it: a TUN, TAP or other tunnel.
bool is_tunnel(const LinkInfo& link) {
  return (!link.ethernet && !link.loopback) || link.kind == "tun" || link.kind == "amt";
}

/// The interface, or a port of it where it is a bridge.
bool has_tunnel(const LinkInfo& link) {
  if (is_tunnel(link)) return true;
  if (link.kind != "bridge") return false;
  const SysResult<std::vector<LinkInfo>> links = list_links();
  return links && std::ranges::any_of(
                      *links, [&](const LinkInfo& port) { return port.master == link.index && is_tunnel(port); });
}

class HostUpstream final : public Upstream {
 public:
  HostUpstream(LinkInfo link, std::vector<IpAddress> relay_addresses, DescriptorBudget& budget)
      : link_(std::move(link)),
        relay_addresses_(std::move(relay_addresses)),
        budget_(budget),
        membership_(open_membership_kernel(link_.index), budget) {}

  const std::string& interface() const override { return link_.name; }
  UpstreamMode mode() const override { return UpstreamMode::kHost; }
  SysResult<std::unique_ptr<UpstreamCapture>> open_capture(std::optional<GivenCapture> given) override {
    SysResult<PacketRing> ring =
        given ? PacketRing::adopt(std::move(given->fd), link_.name, given->place) : PacketRing::open(link_.name, {});
    if (!ring) return Unexpected<SysError>(ring.error());
    auto capture = std::make_unique<HostCapture>(link_, has_tunnel(link_), std::move(*ring),
                                                 given ? given->before : UpstreamCapture::Statistics{});
    if (!given) capture->set_wanted(false);
    return capture;
  }
  void append_join_descriptors(std::vector<int>& out) const override { membership_.append_descriptors(out); }

  void set_membership(Instant, const IpAddress& group, const SourceFilter& filter) override {
    membership_.set(group, filter);
  }
  bool work(Instant until) override {
    return membership_.work([until] { return monotonic_now() >= until; });
  }
  void retry_memberships() override { membership_.retry(); }
  std::optional<SysError> take_failure() override { return membership_.take_failure(); }
  void leave_all(Instant) override {
    // Whole sockets are closed, the newest first: 131 072 groups take the kernel about half a second so.
    membership_ = NativeMembership(open_membership_kernel(link_.index), budget_);
  }
  bool leads_back() const override {
    const SysResult<LinkInfo> link = find_link(link_.name);
    return link && is_alias_of_gateway_of(link->alias, relay_addresses_);
  }
  bool is_lost() const override { return is_link_gone(link_.name, link_.index); }
  Statistics statistics() const override { return {.joins_missing = membership_.missing()}; }

 private:
  LinkInfo link_;
  std::vector<IpAddress> relay_addresses_;
  DescriptorBudget& budget_;
  NativeMembership membership_;
};

SysError refused(const std::string& what) { return {std::string(kUpstreamRefused), what, EINVAL}; }

}  // namespace

SysResult<std::unique_ptr<Upstream>> open_host_upstream(const HostUpstreamOptions& options, DescriptorBudget& budget) {
  const SysResult<LinkInfo> link = find_link(options.interface);
  if (!link) return Unexpected<SysError>(link.error());
  if (is_alias_of_gateway_of(link->alias, options.relay_addresses)) {
    return Unexpected<SysError>(refused(link->name + ", the interface of an " + link->alias));
  }
  if (link->master != 0) {
    const SysResult<LinkInfo> master = find_link(link->master);
    // Others, such as a VRF, leave arriving packets to the interface.
    const bool takes_all = master && (master->kind == "bridge" || master->kind == "bond" || master->kind == "team");
    if (takes_all)
      return Unexpected<SysError>(refused(link->name + ", a port of the " + master->kind + ' ' + master->name));
  }
  return std::make_unique<HostUpstream>(*link, options.relay_addresses, budget);
}

}  // namespace amt
