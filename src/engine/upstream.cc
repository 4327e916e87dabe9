#include "engine/upstream.hh"

#include "io/multicast_filter.hh"
#include "io/native_membership.hh"
#include "io/packet_ring.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

class HostCapture final : public UpstreamCapture {
 public:
  HostCapture(std::string interface, PacketRing ring) : interface_(std::move(interface)), ring_(std::move(ring)) {}

  UpstreamMode mode() const override { return UpstreamMode::kHost; }
  int fd() const override { return ring_.fd(); }
  SysResult<void> receive(Instant, std::vector<CapturedDatagram>& out, std::size_t datagrams_max) override {
    ring_.receive(out, datagrams_max);
    return {};
  }
  void release() override { ring_.release(); }
  bool has_waiting(std::size_t packets) const override { return ring_.has_waiting(packets); }

  void set_wanted(bool wanted) override {
    // The kernel does the dropping: what the other workers' gateways want costs this one nothing.
    const SysResult<void> set = wanted ? attach_multicast_filter(ring_.fd(), interface_) : attach_drop_all(ring_.fd());
    if (!set) log_warn("{}", set.error().to_string());
  }

  Statistics statistics() override {
    const PacketRing::Statistics ring = ring_.statistics();
    return {.dropped = ring.kernel_drops, .malformed = ring.malformed, .segmented = ring.segmented};
  }

 private:
  std::string interface_;
  PacketRing ring_;
};

class HostUpstream final : public Upstream {
 public:
  HostUpstream(std::string interface, int interface_index, DescriptorBudget& budget)
      : interface_(std::move(interface)),
        interface_index_(interface_index),
        budget_(budget),
        membership_(open_membership_kernel(interface_index), budget) {}

  const std::string& interface() const override { return interface_; }
  UpstreamMode mode() const override { return UpstreamMode::kHost; }
  SysResult<std::unique_ptr<UpstreamCapture>> open_capture() override {
    SysResult<PacketRing> ring = PacketRing::open(interface_, {});
    if (!ring) return Unexpected<SysError>(ring.error());
    auto capture = std::make_unique<HostCapture>(interface_, std::move(*ring));
    capture->set_wanted(false);
    return capture;
  }

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
    membership_ = NativeMembership(open_membership_kernel(interface_index_), budget_);
  }
  bool is_lost() const override { return is_link_gone(interface_, interface_index_); }
  Statistics statistics() const override { return {.joins_missing = membership_.missing()}; }

 private:
  std::string interface_;
  int interface_index_;
  DescriptorBudget& budget_;
  NativeMembership membership_;
};

}  // namespace

SysResult<std::unique_ptr<Upstream>> open_host_upstream(const std::string& interface, DescriptorBudget& budget) {
  const SysResult<LinkInfo> link = find_link(interface);
  if (!link) return Unexpected<SysError>(link.error());
  return std::make_unique<HostUpstream>(interface, link->index, budget);
}

}  // namespace amt
