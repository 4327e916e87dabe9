#include "engine/upstream.hh"

#include "io/native_membership.hh"
#include "io/packet_ring.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

class HostUpstream final : public Upstream {
 public:
  HostUpstream(std::string interface, PacketRing ring, int interface_index)
      : interface_(std::move(interface)),
        interface_index_(interface_index),
        ring_(std::move(ring)),
        membership_(interface_index) {}

  const std::string& interface() const override { return interface_; }
  int fd() const override { return ring_.fd(); }
  UpstreamMode mode() const override { return UpstreamMode::kHost; }
  SysResult<void> receive(Instant, std::vector<CapturedDatagram>& out, std::size_t datagrams_max) override {
    ring_.receive(out, datagrams_max);
    return {};
  }
  void release() override { ring_.release(); }
  bool has_waiting(std::size_t packets) const override { return ring_.has_waiting(packets); }

  SysResult<void> set_membership(Instant, const IpAddress& group, const SourceFilter& filter) override {
    return membership_.set(group, filter);
  }
  std::size_t retry_memberships() override { return membership_.retry(); }

  bool is_lost() const override { return is_link_gone(interface_, interface_index_); }

  Statistics statistics() override {
    const PacketRing::Statistics ring = ring_.statistics();
    return {.dropped = ring.kernel_drops,
            .malformed = ring.malformed,
            .segmented = ring.segmented,
            .joins_missing = membership_.missing()};
  }

 private:
  std::string interface_;
  int interface_index_;
  PacketRing ring_;
  NativeMembership membership_;
};

}  // namespace

SysResult<std::unique_ptr<Upstream>> open_host_upstream(const std::string& interface) {
  const SysResult<LinkInfo> link = find_link(interface);
  if (!link) return Unexpected<SysError>(link.error());
  SysResult<PacketRing> ring = PacketRing::open(interface, {});
  if (!ring) return Unexpected<SysError>(ring.error());
  return std::make_unique<HostUpstream>(interface, std::move(*ring), link->index);
}

}  // namespace amt
