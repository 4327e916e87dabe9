#pragma once
/// Where a relay's multicast comes from (DESIGN, "Relay upstream"). Each upstream interface has one membership, which
/// one owner keeps, and one capture for each worker.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/time.hh"
#include "io/packet_ring.hh"
#include "ip/captured.hh"
#include "membership/host_reporter.hh"
#include "membership/source_filter.hh"
#include "sys/descriptor_limit.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

enum class UpstreamMode : std::uint8_t {
  kHost,    ///< joins natively and captures: this relay is the next router, and lowers TTL / Hop Limit
  kRouter,  ///< takes datagrams that a routing daemon had the kernel forward: TTL / Hop Limit is lowered already
};

/// Interfaces of one relay, those among them that have been removed.
inline constexpr std::size_t kUpstreamsMax = 64;

/// The datagrams of one interface for one worker. Not thread-safe.
class UpstreamCapture {
 public:
  UpstreamCapture() = default;
  UpstreamCapture(const UpstreamCapture&) = delete;
  UpstreamCapture& operator=(const UpstreamCapture&) = delete;
  virtual ~UpstreamCapture() = default;

  [[nodiscard]] virtual UpstreamMode mode() const = 0;
  /// Readable when `receive` has something.
  [[nodiscard]] virtual int fd() const = 0;
  /// Appends the ready datagrams, about `datagrams_max` at most: multicast above link scope, and no membership
  /// messages. The datagrams stay until `release`. Error: the interface is lost, and `fd` is ready for ever; watch it
  /// no longer.
  virtual SysResult<void> receive(Instant now, std::vector<CapturedDatagram>& out, std::size_t datagrams_max) = 0;
  virtual void release() = 0;
  /// Whether at least this many packets wait for `receive`; false where that is unknown.
  [[nodiscard]] virtual bool has_waiting(std::size_t /*packets*/) const { return false; }
  /// The index of the interface.
  [[nodiscard]] virtual int interface() const = 0;
  /// Whether data that this relay has sent may come here, through a gateway.
  [[nodiscard]] virtual bool may_return() const { return false; }
  /// Whether datagrams that programs of this host send out of the interface are wanted, too; at first they are not.
  virtual void set_local_senders(bool /*wanted*/) {}
  /// Whether this host sent any datagram that was received since the last call.
  [[nodiscard]] virtual bool took_local() { return false; }
  /// Whether the worker needs the data; at first it does not. Until then nothing need be captured.
  virtual void set_wanted(bool wanted) = 0;
  /// Router mode: the queries received since the last call, for the owner's `Upstream::handle_query`.
  [[nodiscard]] virtual std::vector<HeardQuery> take_queries() { return {}; }

  struct Statistics {
    std::uint64_t dropped = 0;    ///< by the kernel, for want of room
    std::uint64_t malformed = 0;  ///< not a whole IP datagram
    std::uint64_t segmented = 0;  ///< merged packets that were cut

    Statistics& operator+=(const Statistics& other) {
      dropped += other.dropped;
      malformed += other.malformed;
      segmented += other.segmented;
      return *this;
    }
  };
  [[nodiscard]] virtual Statistics statistics() = 0;
  /// For another process that goes on with it, by `fd`: everything has been released. Nothing: that cannot be.
  [[nodiscard]] virtual std::optional<PacketRingPlace> place() const { return std::nullopt; }
};

/// A capture of another process, which reads it no more.
struct GivenCapture {
  UniqueFd fd{};
  PacketRingPlace place{};
  UpstreamCapture::Statistics before{};
};

/// One upstream interface. One input, each with the time, then the timer at `next_deadline`. Not thread-safe.
class Upstream {
 public:
  Upstream() = default;
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  virtual ~Upstream() = default;

  [[nodiscard]] virtual const std::string& interface() const = 0;
  [[nodiscard]] virtual UpstreamMode mode() const = 0;
  /// Host mode: one for each worker. Router mode: one in all. It may live longer than this object, and on another
  /// thread. `given`: goes on with that capture, with its old filter until `set_wanted` is called.
  virtual SysResult<std::unique_ptr<UpstreamCapture>> open_capture(std::optional<GivenCapture> given) = 0;
  /// While copies of these descriptors are open, the joins stay.
  virtual void append_join_descriptors(std::vector<int>& /*out*/) const {}
  /// Router mode: while a copy of it is open, the interface stays. Else -1.
  [[nodiscard]] virtual int tun_descriptor() const { return -1; }

  /// The merged filter of `group` is now `filter`. Only noted in host mode: `work` makes it so.
  virtual void set_membership(Instant now, const IpAddress& group, const SourceFilter& filter) = 0;
  /// Makes the recorded joins and leaves until `until` by the monotonic clock, and at least one. True: more wait.
  virtual bool work(Instant /*until*/) { return false; }
  /// Records failed joins for another try.
  virtual void retry_memberships() {}
  /// The last join that failed since this was asked last.
  [[nodiscard]] virtual std::optional<SysError> take_failure() { return std::nullopt; }
  /// Leaves everything.
  virtual void leave_all(Instant now) = 0;
  /// Router mode: a capture heard this.
  virtual void handle_query(Instant /*now*/, const HeardQuery& /*query*/) {}

  /// When `handle_timeout` is due next, `kNoDeadline` for never; changes with every input.
  [[nodiscard]] virtual Instant next_deadline() const { return kNoDeadline; }
  virtual void handle_timeout(Instant /*now*/) {}

  /// The interface has become that of a gateway of this relay: data there was sent by this relay.
  [[nodiscard]] virtual bool leads_back() const { return false; }
  /// The interface was deleted. An interface of its name is another one. No data will come again: open a new one.
  [[nodiscard]] virtual bool is_lost() const = 0;

  struct Statistics {
    std::size_t joins_missing = 0;  ///< host mode: failed, and tried again
    std::uint64_t queries = 0;      ///< router mode: of the routing daemon
    std::uint64_t reports = 0;      ///< router mode: of ours
  };
  [[nodiscard]] virtual Statistics statistics() const = 0;
};

/// Host mode: joins by the kernel's own IGMPv3 / MLDv2 on a real interface, and packet rings there.
struct HostUpstreamOptions {
  std::string interface;
  /// Of the relay that opens it.
  std::vector<IpAddress> relay_addresses;
};
/// `budget`: the descriptors that joins may use; outlives the result. Error `kUpstreamRefused`: the interface is a port
/// of a bridge or bond, where no data arrives, or that of a gateway of this relay.
[[nodiscard]] SysResult<std::unique_ptr<Upstream>> open_host_upstream(const HostUpstreamOptions& options,
                                                                      DescriptorBudget& budget);
/// `SysError::call` then; the object names the interface, and last its bridge, bond or gateway.
inline constexpr std::string_view kUpstreamRefused = "--upstream";

}  // namespace amt
