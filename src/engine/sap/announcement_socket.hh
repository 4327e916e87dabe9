#pragma once
/// Where announcements of sessions are heard natively: one group on one interface.

#include <functional>
#include <memory>
#include <string>

#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "engine/runtime/loop.hh"
#include "io/native_membership.hh"
#include "io/udp_socket.hh"

namespace amt {

/// Joined as long as it lives, on its loop's thread. Other programs of this host may listen there, too.
class AnnouncementSocket {
 public:
  using DatagramHandler = std::function<void(Instant now, const IpAddress& from, Bytes datagram)>;

  /// Error: of the call that failed; EADDRNOTAVAIL or ENODEV where the interface does not have the family.
  static SysResult<std::unique_ptr<AnnouncementSocket>> open(Loop& loop, const std::string& interface,
                                                             int interface_index, const IpAddress& group,
                                                             DatagramHandler on_datagram);
  /// For `open`: takes a socket that is bound, and has joined nothing yet.
  AnnouncementSocket(std::string interface, int interface_index, UdpSocket socket, DatagramHandler on_datagram);
  [[nodiscard]] const std::string& interface() const { return interface_; }
  [[nodiscard]] int interface_index() const { return interface_index_; }

 private:
  void on_readable();

  std::string interface_;
  int interface_index_;
  UdpSocket socket_;
  // It needs one descriptor, so nobody counts.
  DescriptorBudget budget_;
  NativeMembership membership_;
  DatagramHandler on_datagram_;
  ReceiveBatch received_;
  // Last: it ends before what its handler uses.
  std::optional<ReadWatch> watch_;
};

}  // namespace amt
