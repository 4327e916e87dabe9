#pragma once
/// The sockets behind `NativeMembership`: which join stands on which socket.

#include <cstdint>
#include <vector>

#include "io/membership_kernel.hh"
#include "sys/descriptor_limit.hh"

namespace amt {

/// Places single joins on as many sockets as the kernel's limits ask for and the budget allows. No look-up is linear in
/// sockets or groups; those in one group's places are bounded by its sources. Not thread-safe.
class MembershipSockets {
 public:
  using SocketId = std::uint32_t;

  /// The memberships of one socket for one group: INCLUDE of this many sources, or EXCLUDE with this many blocked.
  struct Place {
    SocketId socket = 0;
    std::uint32_t sources = 0;
    bool exclude = false;
    bool full = false;
  };
  /// Of one group, kept by the caller.
  using Places = std::vector<Place>;

  /// Both outlive this object.
  MembershipSockets(MembershipKernel& kernel, DescriptorBudget& budget) : kernel_(kernel), budget_(budget) {}
  MembershipSockets(const MembershipSockets&) = delete;
  MembershipSockets& operator=(const MembershipSockets&) = delete;
  ~MembershipSockets();

  /// Where the join now stands. Error: an errno; EMFILE when the budget is used up.
  [[nodiscard]] Result<SocketId, int> join(const Channel& channel, Places& places);
  /// Undoes a `join` of exactly this channel on `socket`. The last one closes the socket.
  void leave(SocketId socket, const Channel& channel, Places& places);

  /// On a socket that joined the group without a source. False when the kernel takes no more.
  [[nodiscard]] bool block(SocketId socket, const IpAddress& group, const IpAddress& source, Places& places);
  void unblock(SocketId socket, const IpAddress& group, const IpAddress& source, Places& places);

  void append_descriptors(std::vector<int>& out) const;
  [[nodiscard]] std::size_t size() const { return sockets_.size() - free_.size(); }

 private:
  /// `fd` is -1 where there is none.
  struct Socket {
    int fd = -1;
    Family family = Family::kIpv4;
    std::size_t groups = 0;
    std::size_t groups_max = 0;
    /// In `with_room_`, while it has room.
    std::size_t room_index = 0;
  };

  static Place* place_on(Places& places, SocketId socket);
  [[nodiscard]] std::vector<SocketId>& with_room(Family family) { return with_room_[family == Family::kIpv4 ? 0 : 1]; }
  [[nodiscard]] Result<SocketId, int> open(Family family);
  void close(SocketId id);
  /// 0, or an errno; a limit that was met is remembered.
  int join_on(SocketId id, const Channel& channel, Places& places);
  void add_room(SocketId id);
  void remove_room(SocketId id);

  MembershipKernel& kernel_;
  DescriptorBudget& budget_;
  std::vector<Socket> sockets_;
  std::vector<SocketId> free_;
  /// Sockets that take one group more, by family, in no order.
  std::vector<SocketId> with_room_[2];
};

}  // namespace amt
