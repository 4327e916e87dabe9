#include "io/packet_ring.hh"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.hh"
#include "io/multicast_filter.hh"
#include "io/offload.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

// Slots of jumbo frames; loopback's MTU of 64 KB would waste a ring on packets that hardly ever are that large.
constexpr std::size_t kSlotOctetsMin = 2048;
constexpr std::size_t kSlotOctetsMax = std::size_t{16} << 10;
// No ring is larger.
constexpr std::size_t kRingOctetsMax = std::size_t{1} << 30;
// The octets that the kernel puts before the datagram: its own header, an address, the virtio header, the link header.
constexpr std::size_t kSlotHeaderOctets = 128;
constexpr std::size_t kBlockOctets = std::size_t{64} << 10;
// For datagrams that do not fit a slot: some hundred merged packets.
constexpr int kQueueOctets = 16 << 20;
// The largest IP datagram, before it a virtio header and a link header.
constexpr std::size_t kQueuedOctetsMax = kVirtioHeaderOctets + 64 + 65'535;

std::size_t slot_octets_for(std::size_t mtu_octets) {
  const std::size_t octets = std::bit_ceil(mtu_octets + kSlotHeaderOctets);
  return octets > kSlotOctetsMax ? kSlotOctetsMin : std::max(octets, kSlotOctetsMin);
}

/// The mapped slots.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* memory, std::size_t octets) : bytes_(static_cast<std::byte*>(memory), octets) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  }
  [[nodiscard]] MutableBytes bytes() const { return bytes_; }

 private:
  MutableBytes bytes_;
};

SysResult<void> set_option(int fd, int option, const void* value, socklen_t octets, const char* name,
                           const std::string& interface) {
  if (::setsockopt(fd, SOL_PACKET, option, value, octets) == 0) return {};
  return tl::unexpected(SysError::last(std::string("setsockopt ") + name, interface));
}

template <typename T>
SysResult<void> set_option(int fd, int option, const T& value, const char* name, const std::string& interface) {
  return set_option(fd, option, &value, sizeof value, name, interface);
}

}  // namespace

struct PacketRing::Impl {
  [[nodiscard]] MutableBytes slot(std::size_t index) const {
    return ring.bytes().subspan(index * slot_octets, slot_octets);
  }
  [[nodiscard]] tpacket2_hdr& frame(std::size_t index) const {
    return *reinterpret_cast<tpacket2_hdr*>(slot(index).data());
  }
  [[nodiscard]] std::atomic_ref<std::uint32_t> status(std::size_t index) const {
    return std::atomic_ref(frame(index).tp_status);
  }
  [[nodiscard]] std::size_t octets() const { return slots * slot_octets; }
  SysResult<void> map();
  void take_frame(std::size_t index, std::uint32_t frame_status, std::vector<CapturedDatagram>& out);
  [[nodiscard]] MutableBytes take_queued();
  void take(MutableBytes packet, std::size_t link_octets, std::vector<CapturedDatagram>& out);

  SysResult<void> set_local_senders(bool wanted);

  std::string interface;
  bool loopback = false;
  UniqueFd fd;
  Mapping ring;
  std::size_t slot_octets = 0;
  std::size_t slots = 0;

  /// The slot to read next, and how many before it wait for `release`.
  std::size_t next = 0;
  std::size_t held = 0;

  SegmentArena arena;
  bool took_local = false;
  /// Datagrams that did not fit their slots.
  std::vector<std::byte> queued = std::vector<std::byte>(kQueuedOctetsMax);
  Statistics statistics;
};

SysResult<void> PacketRing::Impl::map() {
  void* const memory = ::mmap(nullptr, octets(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return tl::unexpected(SysError::last("map ring of", interface));
  ring = Mapping(memory, octets());
  return {};
}

/// SOCK_DGRAM-like frames: the IP datagram at `tp_net`, right before it the link header at `tp_mac`, before that the
/// virtio header.
void PacketRing::Impl::take_frame(std::size_t index, std::uint32_t frame_status, std::vector<CapturedDatagram>& out) {
  const MutableBytes bytes = slot(index);
  const tpacket2_hdr& header = frame(index);
  const auto& from = *reinterpret_cast<const sockaddr_ll*>(bytes.data() + TPACKET_ALIGN(sizeof(tpacket2_hdr)));
  took_local = took_local || from.sll_pkttype == PACKET_OUTGOING;
  const std::size_t link_octets = header.tp_net - std::min(header.tp_mac, header.tp_net);
  if ((frame_status & TP_STATUS_COPY) != 0) return take(take_queued(), link_octets, out);
  if (header.tp_snaplen < header.tp_len) {
    // It did not fit the slot, and the socket's queue was full.
    ++statistics.kernel_drops;
    return;
  }
  if (header.tp_mac < kVirtioHeaderOctets || header.tp_mac > bytes.size() ||
      header.tp_snaplen > bytes.size() - header.tp_mac) {
    ++statistics.malformed;
    return;
  }
  const std::size_t virtio_at = header.tp_mac - kVirtioHeaderOctets;
  take(bytes.subspan(virtio_at, kVirtioHeaderOctets + header.tp_snaplen), link_octets, out);
}

/// Empty when it is not there.
MutableBytes PacketRing::Impl::take_queued() {
  const ssize_t octets = ::recv(fd.get(), queued.data(), queued.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (octets < static_cast<ssize_t>(kVirtioHeaderOctets) || static_cast<std::size_t>(octets) > queued.size()) return {};
  const MutableBytes packet = MutableBytes(queued).first(static_cast<std::size_t>(octets));
  // A merged packet is copied when it is cut.
  if (VirtioHeader::read(packet).gso_type != kVirtioGsoNone) return packet;
  const MutableBytes kept = arena.take(packet.size());
  std::copy(packet.begin(), packet.end(), kept.begin());
  return kept;
}

/// `packet`: virtio header, link header, datagram. The virtio header is read first: without a link header its last
/// octets are the headroom that is given away.
void PacketRing::Impl::take(MutableBytes packet, std::size_t link_octets, std::vector<CapturedDatagram>& out) {
  if (packet.size() < kVirtioHeaderOctets + link_octets) {
    ++statistics.malformed;
    return;
  }
  VirtioHeader header = VirtioHeader::read(packet);
  // Counted from the link header; too small a number is found out by finish_checksum().
  header.checksum_start = static_cast<std::uint16_t>(header.checksum_start - link_octets);
  MutableBytes datagram = packet.subspan(kVirtioHeaderOctets + link_octets);
  const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram);
  if (!addresses) {
    ++statistics.malformed;
    return;
  }
  datagram = datagram.first(addresses->octets);
  if (header.gso_type == kVirtioGsoNone) {
    if ((header.flags & kVirtioNeedsChecksum) != 0 && !finish_checksum(datagram, header)) {
      ++statistics.malformed;
    } else {
      out.push_back({datagram});
    }
  } else if (header.gso_type == kVirtioGsoUdp && cut_segments(datagram, header.gso_octets, arena, out)) {
    ++statistics.segmented;
  } else {
    // TCP has no multicast; UDP fragmentation offload is gone since Linux 4.14.
    ++statistics.malformed;
  }
}

SysResult<void> PacketRing::Impl::set_local_senders(bool wanted) {
  const int ignore = wanted && !loopback ? 0 : 1;
  return set_option(fd.get(), PACKET_IGNORE_OUTGOING, ignore, "PACKET_IGNORE_OUTGOING", interface);
}

PacketRing::PacketRing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PacketRing::~PacketRing() = default;
PacketRing::PacketRing(PacketRing&&) noexcept = default;
PacketRing& PacketRing::operator=(PacketRing&&) noexcept = default;

SysResult<PacketRing> PacketRing::open(const std::string& interface, const PacketRingOptions& options) {
  auto impl = std::make_unique<Impl>();
  const SysResult<LinkInfo> link = find_link(interface);
  if (!link) return tl::unexpected(SysError{"capture on", interface, link.error().code});
  impl->slot_octets = slot_octets_for(link->mtu_octets);
  impl->slots = options.octets / kBlockOctets * (kBlockOctets / impl->slot_octets);
  // PACKET_VNET_HDR wants SOCK_RAW. Without a protocol it sees nothing until bind(), when filter and ring are in place.
  impl->fd = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = impl->fd.get();
  if (fd < 0) return tl::unexpected(SysError::last("open packet socket for", interface));

  if (SysResult<void> set = attach_multicast_filter(fd, interface); !set) return tl::unexpected(set.error());
  const int version = TPACKET_V2;
  if (SysResult<void> set = set_option(fd, PACKET_VERSION, version, "PACKET_VERSION", interface); !set) {
    return tl::unexpected(set.error());
  }
  const int on = 1;
  if (SysResult<void> set = set_option(fd, PACKET_VNET_HDR, on, "PACKET_VNET_HDR", interface); !set) {
    return tl::unexpected(set.error());
  }
  impl->interface = interface;
  impl->loopback = link->loopback;
  if (SysResult<void> set = impl->set_local_senders(options.local_senders); !set) return tl::unexpected(set.error());
  if (SysResult<void> set = set_option(fd, PACKET_COPY_THRESH, on, "PACKET_COPY_THRESH", interface); !set) {
    return tl::unexpected(set.error());
  }
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kQueueOctets, sizeof kQueueOctets) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kQueueOctets, sizeof kQueueOctets);
  }
  const std::size_t octets = impl->octets();
  tpacket_req request{};
  request.tp_block_size = static_cast<unsigned>(kBlockOctets);
  request.tp_block_nr = static_cast<unsigned>(octets / kBlockOctets);
  request.tp_frame_size = static_cast<unsigned>(impl->slot_octets);
  request.tp_frame_nr = static_cast<unsigned>(impl->slots);
  if (SysResult<void> set = set_option(fd, PACKET_RX_RING, request, "PACKET_RX_RING", interface); !set) {
    return tl::unexpected(set.error());
  }
  if (SysResult<void> mapped = impl->map(); !mapped) return tl::unexpected(mapped.error());

  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = link->index;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return tl::unexpected(SysError::last("bind packet socket to", interface));
  }
  return PacketRing(std::move(impl));
}

SysResult<PacketRing> PacketRing::adopt(UniqueFd fd, const std::string& interface, const PacketRingPlace& place) {
  const bool is_layout = place.slot_octets >= kSlotOctetsMin && place.slot_octets <= kSlotOctetsMax &&
                         std::has_single_bit(place.slot_octets) && place.next < place.slots &&
                         place.slots <= kRingOctetsMax / place.slot_octets;
  if (!is_layout) return tl::unexpected(SysError{"take over ring of", interface, EINVAL});
  const SysResult<LinkInfo> link = find_link(interface);
  if (!link) return tl::unexpected(SysError{"capture on", interface, link.error().code});
  auto impl = std::make_unique<Impl>();
  impl->interface = interface;
  impl->loopback = link->loopback;
  impl->fd = std::move(fd);
  impl->slots = place.slots;
  impl->slot_octets = place.slot_octets;
  impl->next = place.next;
  // The kernel maps a ring whole or not at all.
  if (SysResult<void> mapped = impl->map(); !mapped) return tl::unexpected(mapped.error());
  return PacketRing(std::move(impl));
}

PacketRingPlace PacketRing::place() const {
  AMT_ASSERT(impl_->held == 0);
  return {impl_->slots, impl_->slot_octets, impl_->next};
}

int PacketRing::fd() const { return impl_->fd.get(); }

std::size_t PacketRing::receive(std::vector<CapturedDatagram>& out, std::size_t datagrams_max) {
  Impl& impl = *impl_;
  const std::size_t before = out.size();
  while (out.size() - before < datagrams_max && impl.held < impl.slots && !impl.arena.full()) {
    const std::uint32_t status = impl.status(impl.next).load(std::memory_order_acquire);
    if ((status & TP_STATUS_USER) == 0) break;
    impl.take_frame(impl.next, status, out);
    impl.next = (impl.next + 1) % impl.slots;
    ++impl.held;
  }
  if (out.size() == before) {
    // An interface that went down leaves an error, and a descriptor that is ready for ever, until someone asks. The
    // capture goes on by itself when it comes up again.
    int error = 0;
    socklen_t octets = sizeof error;
    ::getsockopt(impl.fd.get(), SOL_SOCKET, SO_ERROR, &error, &octets);
  }
  return out.size() - before;
}

void PacketRing::release() {
  Impl& impl = *impl_;
  for (; impl.held > 0; --impl.held) {
    const std::size_t index = (impl.next + impl.slots - impl.held) % impl.slots;
    impl.status(index).store(TP_STATUS_KERNEL, std::memory_order_release);
  }
  impl.arena.clear();
}

bool PacketRing::has_waiting(std::size_t packets) const {
  const std::size_t last = (impl_->next + packets - 1) % impl_->slots;
  return impl_->held + packets <= impl_->slots &&
         (impl_->status(last).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}

SysResult<void> PacketRing::set_local_senders(bool wanted) { return impl_->set_local_senders(wanted); }

bool PacketRing::took_local() { return std::exchange(impl_->took_local, false); }

PacketRing::Statistics PacketRing::statistics() {
  // Reading resets the kernel's numbers.
  tpacket_stats kernel{};
  socklen_t octets = sizeof kernel;
  if (::getsockopt(impl_->fd.get(), SOL_PACKET, PACKET_STATISTICS, &kernel, &octets) == 0) {
    impl_->statistics.kernel_drops += kernel.tp_drops;
  }
  return impl_->statistics;
}

}  // namespace amt
