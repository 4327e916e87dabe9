#include "io/steering.hh"

#include <sys/socket.h>

#include "base/assert.hh"
#include "io/bpf.hh"

namespace amt {
namespace {

/// Odd; 2^32 over the golden ratio. Each word is multiplied in, and the well mixed upper bits fall onto the lower ones.
constexpr std::uint32_t kMultiplier = 0x9e3779b1;
constexpr std::uint32_t kFold = 15;
constexpr std::uint32_t kWordOctets = 4;

constexpr std::uint32_t mix(std::uint32_t state, std::uint32_t word) {
  state = (state ^ word) * kMultiplier;
  return state ^ state >> kFold;
}

/// The program sees the datagram from the UDP payload on, but may also count from the IP header.
constexpr auto kIpHeader = static_cast<std::uint32_t>(SKF_NET_OFF);
constexpr std::uint32_t kSourceV4 = kIpHeader + 12;
constexpr std::uint32_t kSourceV6 = kIpHeader + 8;
constexpr std::uint32_t kPayloadV6 = kIpHeader + 40;

/// `mix` with the word that is in the accumulator; the state lives in the first word of scratch memory.
void append_mix(std::vector<sock_filter>& program) {
  program.insert(program.end(), {
                                    bpf::step(BPF_LDX | BPF_MEM, 0),
                                    bpf::step(BPF_ALU | BPF_XOR | BPF_X, 0),
                                    bpf::step(BPF_ALU | BPF_MUL | BPF_K, kMultiplier),
                                    bpf::step(BPF_MISC | BPF_TAX, 0),
                                    bpf::step(BPF_ALU | BPF_RSH | BPF_K, kFold),
                                    bpf::step(BPF_ALU | BPF_XOR | BPF_X, 0),
                                    bpf::step(BPF_ST, 0),
                                });
}

std::vector<sock_filter> program_for(Family family, std::uint32_t key, std::size_t workers) {
  std::vector<sock_filter> program{bpf::step(BPF_LD | BPF_IMM, key), bpf::step(BPF_ST, 0)};
  const auto load_and_mix = [&program](std::uint16_t load, std::uint32_t at) {
    program.push_back(bpf::step(load, at));
    append_mix(program);
  };
  if (family == Family::kIpv4) {
    load_and_mix(bpf::kLoadWord, kSourceV4);
    // The header's length (with its options) in octets is four times the second half of its first octet.
    program.push_back(bpf::step(bpf::kLoadOctet, kIpHeader));
    program.push_back(bpf::step(bpf::kAnd, 0x0f));
    program.push_back(bpf::step(BPF_ALU | BPF_LSH | BPF_K, 2));
    program.push_back(bpf::step(BPF_MISC | BPF_TAX, 0));
    load_and_mix(BPF_LD | BPF_H | BPF_IND, kIpHeader);
  } else {
    for (std::uint32_t word = 0; word < 4; ++word) load_and_mix(bpf::kLoadWord, kSourceV6 + word * kWordOctets);
    load_and_mix(BPF_LD | BPF_H | BPF_ABS, kPayloadV6);
  }
  program.push_back(bpf::step(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(workers)));
  program.push_back(bpf::step(BPF_RET | BPF_A, 0));
  return program;
}

}  // namespace

Steering::Steering(std::size_t workers, Random& random) : Steering(workers, random.u32()) {}
Steering::Steering(std::size_t workers, std::uint32_t key) : workers_(workers), key_(key) {
  AMT_ASSERT(workers >= 1 && workers <= kWorkersMax);
}

std::size_t Steering::worker_of(const Endpoint& endpoint) const {
  std::uint32_t state = key_;
  ByteReader reader(endpoint.address.bytes());
  for (std::size_t i = 0; i < endpoint.address.bytes().size() / kWordOctets; ++i) state = mix(state, reader.u32());
  return mix(state, endpoint.port) % workers_;
}

SysResult<void> Steering::attach(const UdpSocket& socket) const {
  std::vector<sock_filter> code = program_for(socket.local().address.family(), key_, workers_);
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0) return {};
  return tl::unexpected(SysError::last("setsockopt SO_ATTACH_REUSEPORT_CBPF", socket.local().to_string()));
}

SysResult<std::vector<UdpSocket>> Steering::bind(const Endpoint& local, const UdpOptions& options) const {
  std::vector<UdpSocket> sockets;
  sockets.reserve(workers_);
  // The first socket binds without sharing its port, so that a second relay does not silently become part of this one.
  SysResult<UdpSocket> first = UdpSocket::bind(local, options);
  if (!first) return tl::unexpected(first.error());
  sockets.push_back(std::move(*first));
  if (workers_ == 1) return sockets;

  const int on = 1;
  if (::setsockopt(sockets[0].fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return tl::unexpected(SysError::last("setsockopt SO_REUSEPORT", local.to_string()));
  }
  UdpOptions sharing = options;
  sharing.reuse_port = true;
  while (sockets.size() < workers_) {
    SysResult<UdpSocket> next = UdpSocket::bind(sockets[0].local(), sharing);
    if (!next) return tl::unexpected(next.error());
    sockets.push_back(std::move(*next));
  }
  if (SysResult<void> attached = attach(sockets[0]); !attached) return tl::unexpected(attached.error());
  return sockets;
}

}  // namespace amt
