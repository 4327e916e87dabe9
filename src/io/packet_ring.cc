#include "io/packet_ring.hh"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "io/multicast_filter.hh"
#include "io/offload.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

/// The mapped blocks.
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
  [[nodiscard]] tpacket_block_desc& block(std::size_t index) const {
    return *reinterpret_cast<tpacket_block_desc*>(ring.bytes().subspan(index * block_octets, block_octets).data());
  }
  [[nodiscard]] bool is_ready(std::size_t index) const {
    return (std::atomic_ref(block(index).hdr.bh1.block_status).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
  }
  void take(MutableBytes block_bytes, std::size_t frame_at, const tpacket3_hdr& frame,
            std::vector<CapturedDatagram>& out);
  void take_block(std::vector<CapturedDatagram>& out, std::size_t out_max);

  UniqueFd fd;
  Mapping ring;
  std::size_t block_octets = 0;
  std::size_t blocks = 0;

  /// The block to read next, and how many before it wait for `release`.
  std::size_t next = 0;
  std::size_t held = 0;
  /// Within the block to read next: packets taken so far, and where the next one is.
  std::uint32_t packets_taken = 0;
  std::size_t frame_at = 0;

  SegmentArena arena;
  Statistics statistics;
};

/// SOCK_DGRAM frames: the IP datagram at `tp_net`, right before it the virtio header. That is read first, since its
/// last octets are the headroom that is given away.
void PacketRing::Impl::take(MutableBytes block_bytes, std::size_t at, const tpacket3_hdr& frame,
                            std::vector<CapturedDatagram>& out) {
  const std::size_t mac = at + frame.tp_mac;
  const std::size_t link_octets = frame.tp_net - std::min(frame.tp_mac, frame.tp_net);
  if (frame.tp_mac < kVirtioHeaderOctets || mac > block_bytes.size() || frame.tp_snaplen > block_bytes.size() - mac ||
      frame.tp_snaplen < frame.tp_len || frame.tp_snaplen < link_octets) {
    ++statistics.malformed;
    return;
  }
  VirtioHeader header = VirtioHeader::read(block_bytes.subspan(mac - kVirtioHeaderOctets));
  // Counted from the link header; too small a number is found out by finish_checksum().
  header.checksum_start = static_cast<std::uint16_t>(header.checksum_start - link_octets);
  MutableBytes datagram = block_bytes.subspan(mac, frame.tp_snaplen).subspan(link_octets);
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

void PacketRing::Impl::take_block(std::vector<CapturedDatagram>& out, std::size_t out_max) {
  const MutableBytes bytes = ring.bytes().subspan(next * block_octets, block_octets);
  const tpacket_hdr_v1& description = block(next).hdr.bh1;
  if (packets_taken == 0) frame_at = description.offset_to_first_pkt;
  while (packets_taken < description.num_pkts) {
    if (out.size() >= out_max || arena.full()) return;
    const auto& frame = *reinterpret_cast<const tpacket3_hdr*>(bytes.subspan(frame_at, sizeof(tpacket3_hdr)).data());
    take(bytes, frame_at, frame, out);
    frame_at += frame.tp_next_offset;
    ++packets_taken;
  }
  packets_taken = 0;
  next = (next + 1) % blocks;
  ++held;
}

PacketRing::PacketRing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PacketRing::~PacketRing() = default;
PacketRing::PacketRing(PacketRing&&) noexcept = default;
PacketRing& PacketRing::operator=(PacketRing&&) noexcept = default;

SysResult<PacketRing> PacketRing::open(const std::string& interface, const PacketRingOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->block_octets = options.block_octets;
  impl->blocks = options.blocks;
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return tl::unexpected(SysError::last("capture on", interface));
  // PACKET_VNET_HDR wants SOCK_RAW. Without a protocol it sees nothing until bind(), when filter and ring are in place.
  impl->fd = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = impl->fd.get();
  if (fd < 0) return tl::unexpected(SysError::last("open packet socket for", interface));

  if (SysResult<void> set = attach_multicast_filter(fd, interface); !set) return tl::unexpected(set.error());
  const int version = TPACKET_V3;
  if (SysResult<void> set = set_option(fd, PACKET_VERSION, version, "PACKET_VERSION", interface); !set) {
    return tl::unexpected(set.error());
  }
  const int on = 1;
  if (SysResult<void> set = set_option(fd, PACKET_VNET_HDR, on, "PACKET_VNET_HDR", interface); !set) {
    return tl::unexpected(set.error());
  }
  // On loopback, where what is sent also arrives, this leaves one of the two.
  if (SysResult<void> set = set_option(fd, PACKET_IGNORE_OUTGOING, on, "PACKET_IGNORE_OUTGOING", interface); !set) {
    return tl::unexpected(set.error());
  }
  tpacket_req3 request{};
  request.tp_block_size = static_cast<unsigned>(options.block_octets);
  request.tp_block_nr = static_cast<unsigned>(options.blocks);
  // Version 3 packs frames of any length; the frame size only has to fit the numbers.
  request.tp_frame_size = 2048;
  request.tp_frame_nr = static_cast<unsigned>(options.block_octets / request.tp_frame_size * options.blocks);
  request.tp_retire_blk_tov = options.retire_milliseconds;
  if (SysResult<void> set = set_option(fd, PACKET_RX_RING, request, "PACKET_RX_RING", interface); !set) {
    return tl::unexpected(set.error());
  }
  const std::size_t octets = options.block_octets * options.blocks;
  void* const memory = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return tl::unexpected(SysError::last("map ring of", interface));
  impl->ring = Mapping(memory, octets);

  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return tl::unexpected(SysError::last("bind packet socket to", interface));
  }
  return PacketRing(std::move(impl));
}

int PacketRing::fd() const { return impl_->fd.get(); }

std::size_t PacketRing::receive(std::vector<CapturedDatagram>& out, std::size_t datagrams_max) {
  Impl& impl = *impl_;
  const std::size_t before = out.size();
  while (out.size() - before < datagrams_max && impl.held < impl.blocks && !impl.arena.full() &&
         impl.is_ready(impl.next)) {
    impl.take_block(out, before + datagrams_max);
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
    tpacket_block_desc& block = impl.block((impl.next + impl.blocks - impl.held) % impl.blocks);
    std::atomic_ref(block.hdr.bh1.block_status).store(TP_STATUS_KERNEL, std::memory_order_release);
  }
  impl.arena.clear();
}

PacketRing::Statistics PacketRing::statistics() {
  // Reading resets the kernel's numbers.
  tpacket_stats_v3 kernel{};
  socklen_t octets = sizeof kernel;
  if (::getsockopt(impl_->fd.get(), SOL_PACKET, PACKET_STATISTICS, &kernel, &octets) == 0) {
    impl_->statistics.kernel_drops += kernel.tp_drops;
  }
  return impl_->statistics;
}

}  // namespace amt
