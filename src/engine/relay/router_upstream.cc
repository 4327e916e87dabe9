#include "engine/relay/router_upstream.hh"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/assert.hh"
#include "io/tun_device.hh"
#include "membership/departure.hh"
#include "membership/host_reporter.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// The largest that a TUN interface takes: the kernel shall not fragment, the relay knows the limit of each tunnel.
constexpr std::uint32_t kMtuOctets = 65'535;
/// Datagrams that may wait for the relay. They bridge a pause of it (a tenth of a second at 1 Gbit/s).
constexpr std::uint32_t kQueueDatagrams = 10'000;

/// A TUN device has one reader, which reads data for gateways and queries for the reporters. It only reads.
class RouterCapture final : public UpstreamCapture {
 public:
  explicit RouterCapture(std::shared_ptr<TunDevice> tun) : tun_(std::move(tun)) {}

  UpstreamMode mode() const override { return UpstreamMode::kRouter; }
  int fd() const override { return tun_->fd(); }
  int interface() const override { return tun_->index(); }
  SysResult<void> receive(Instant now, std::vector<CapturedDatagram>& out, std::size_t datagrams_max) override;
  // Read datagrams stay until the next read.
  void release() override {}
  // Queries must be read even when no gateway wants data.
  void set_wanted(bool) override {}
  std::vector<HeardQuery> take_queries() override { return std::exchange(queries_, {}); }
  Statistics statistics() override {
    if (const SysResult<std::uint64_t> drops = transmit_drops(tun_->index())) dropped_ = *drops;
    return {.dropped = dropped_};
  }

 private:
  std::shared_ptr<TunDevice> tun_;
  std::vector<HeardQuery> queries_;
  std::uint64_t dropped_ = 0;
};

SysResult<void> RouterCapture::receive(Instant, std::vector<CapturedDatagram>& out, std::size_t) {
  // One batch, though more may be waiting: the next one takes its place in memory.
  const SysResult<std::span<const MutableBytes>> datagrams = tun_->receive();
  if (!datagrams) return tl::unexpected(datagrams.error());
  for (const MutableBytes datagram : *datagrams) {
    switch (classify_departure(datagram)) {
      case Departure::kData:
        out.push_back({datagram});
        break;
      case Departure::kMembership:
        // The rest are reports, the kernel's own.
        if (std::optional<HeardQuery> heard = hear_query(datagram)) queries_.push_back(std::move(*heard));
        break;
      case Departure::kOther:
        break;
    }
  }
  return {};
}

/// Only writes to the TUN device.
class RouterUpstream final : public Upstream {
 public:
  RouterUpstream(TunDevice tun, const IpAddress& host_v4, const IpAddress& host_v6, Random& random)
      : tun_(std::make_shared<TunDevice>(std::move(tun))),
        igmp_(host_v4, random, HostReporter::BeforeAQuery::kRepeat),
        mld_(host_v6, random, HostReporter::BeforeAQuery::kRepeat) {}

  const std::string& interface() const override { return tun_->name(); }
  UpstreamMode mode() const override { return UpstreamMode::kRouter; }
  SysResult<std::unique_ptr<UpstreamCapture>> open_capture(std::optional<GivenCapture>) override {
    return std::make_unique<RouterCapture>(tun_);
  }

  void set_membership(Instant now, const IpAddress& group, const SourceFilter& filter) override {
    if (filter.is_nothing()) {
      joined_.erase(group);
    } else {
      joined_.insert(group);
    }
    reporter(group.family()).set_filter(now, group, filter);
  }
  void leave_all(Instant now) override {
    for (const IpAddress& group : std::exchange(joined_, {})) reporter(group.family()).set_filter(now, group, {});
    handle_timeout(now);
  }

  int tun_descriptor() const override { return tun_->fd(); }
  Instant next_deadline() const override { return std::min(igmp_.next_deadline(), mld_.next_deadline()); }
  void handle_timeout(Instant now) override;

  void handle_query(Instant now, const HeardQuery& heard) override;

  bool is_lost() const override { return is_link_gone(tun_->name(), tun_->index()); }
  Statistics statistics() const override { return statistics_; }

 private:
  HostReporter& reporter(Family family) { return family == Family::kIpv4 ? igmp_ : mld_; }

  std::shared_ptr<TunDevice> tun_;
  HostReporter igmp_;
  HostReporter mld_;
  std::set<IpAddress> joined_;
  Statistics statistics_;
};

void RouterUpstream::handle_query(Instant now, const HeardQuery& heard) {
  ++statistics_.queries;
  HostReporter& host = reporter(heard.family);
  const std::uint8_t before = host.version(now);
  host.handle_query(now, heard.query);
  if (const std::uint8_t after = host.version(now); after < before) {
    log_warn("{}: the querier speaks {}v{}: reports to it name no sources (mend: configure version {} there)",
             tun_->name(), heard.family == Family::kIpv6 ? "MLD" : "IGMP", after, host.newest_version());
  }
}

void RouterUpstream::handle_timeout(Instant now) {
  std::vector<std::vector<std::byte>> reports;
  igmp_.handle_timeout(now, reports);
  mld_.handle_timeout(now, reports);
  for (const std::vector<std::byte>& report : reports) {
    const Bytes datagram = report;
    // One that is not taken (an interface that is down) is repeated, or asked for when there is a querier again.
    statistics_.reports += tun_->send({&datagram, 1}).datagrams;
  }
}

/// `given`, and the default of each family that it lacks.
std::vector<Prefix> with_defaults(std::vector<Prefix> given) {
  const auto lacks = [&](auto is_one) { return std::none_of(given.begin(), given.end(), is_one); };
  if (lacks([](const Prefix& prefix) { return prefix.address.is_v4(); })) {
    given.push_back(*Prefix::parse(kRouterAddressV4));
  }
  if (lacks([](const Prefix& prefix) { return !prefix.address.is_v4() && prefix.address.is_link_local(); })) {
    given.push_back(*Prefix::parse(kRouterAddressV6));
  }
  return given;
}

/// The source address of reports of a family.
IpAddress host_beside(const std::vector<Prefix>& addresses, Family family) {
  const auto first = std::find_if(addresses.begin(), addresses.end(), [&](const Prefix& prefix) {
    return prefix.address.family() == family && (family == Family::kIpv4 || prefix.address.is_link_local());
  });
  AMT_ASSERT(first != addresses.end());
  const std::optional<IpAddress> neighbour = neighbour_in(*first);
  AMT_ASSERT(neighbour.has_value());
  return *neighbour;
}

std::unique_ptr<Upstream> make_router_upstream(TunDevice tun, const std::vector<Prefix>& addresses, Random& random) {
  return std::make_unique<RouterUpstream>(std::move(tun), host_beside(addresses, Family::kIpv4),
                                          host_beside(addresses, Family::kIpv6), random);
}

}  // namespace

SysResult<std::unique_ptr<Upstream>> open_router_upstream(const RouterUpstreamOptions& options, Random& random) {
  SysResult<TunDevice> tun = TunDevice::create({.name = options.interface, .mtu_octets = kMtuOctets});
  if (!tun) return tl::unexpected(tun.error());
  const int index = tun->index();
  if (const SysResult<void> set = set_transmit_queue(index, kQueueDatagrams); !set) return tl::unexpected(set.error());
  const std::vector<Prefix> addresses = with_defaults(options.addresses);
  for (const Prefix& address : addresses) {
    const SysResult<void> added = add_address(index, address);
    if (added) continue;
    const bool was_asked_for =
        std::find(options.addresses.begin(), options.addresses.end(), address) != options.addresses.end();
    // A host without IPv6 still serves IPv4.
    if (was_asked_for || address.address.is_v4()) return tl::unexpected(added.error());
    log_warn("no IPv6 on {}: {}", tun->name(), added.error().to_string());
  }
  // The reverse-path filter stays as it is: reports come from the interface's own subnet.
  if (const SysResult<void> up = set_link_up(index); !up) return tl::unexpected(up.error());
  return make_router_upstream(std::move(*tun), addresses, random);
}

SysResult<std::unique_ptr<Upstream>> adopt_router_upstream(const RouterUpstreamOptions& options, UniqueFd tun,
                                                           Random& random) {
  SysResult<TunDevice> device = TunDevice::adopt(std::move(tun));
  if (!device) return tl::unexpected(device.error());
  if (device->name() != options.interface) {
    return tl::unexpected(SysError{"take over " + device->name() + " as", options.interface, EINVAL});
  }
  return make_router_upstream(std::move(*device), with_defaults(options.addresses), random);
}

}  // namespace amt
