#pragma once
/// ICMP and ICMPv6 messages out of a raw socket; the kernel routes them and chooses their source address.

#include "amt/ip_address.hh"
#include "base/byte_reader.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Sends only: the socket lets nothing in. Non-blocking. Needs CAP_NET_RAW. Not thread-safe.
class IcmpSender {
 public:
  static SysResult<IcmpSender> open(Family family);

  /// `message` begins with the ICMP header. The ICMPv6 checksum is filled in by the kernel, that of ICMP is the
  /// caller's. `to` is of the family that was opened, and not link-local.
  SysResult<void> send(const IpAddress& to, Bytes message);

 private:
  explicit IcmpSender(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace amt
