#include "io/membership_sockets.hh"

#include <algorithm>
#include <cerrno>

#include "base/assert.hh"

namespace amt {
namespace {

/// Sockets with room that are looked at for one that does not have the group yet; after that a new one is opened.
constexpr std::size_t kRoomTriesMax = 8;

/// A limit that another socket does not have yet.
bool is_limit(int code) { return code == ENOBUFS || code == ENOMEM; }

}  // namespace

MembershipSockets::~MembershipSockets() {
  // The kernel walks an interface's groups from the newest on: in this order it finds each at once, in the other it
  // walks past all that are left, which is minutes for 100 000 groups.
  for (std::size_t i = sockets_.size(); i > 0; --i) {
    if (sockets_[i - 1].fd < 0) continue;
    kernel_.close(sockets_[i - 1].fd);
    budget_.give_back();
  }
}

MembershipSockets::Place* MembershipSockets::place_on(Places& places, SocketId socket) {
  const auto place = std::ranges::find(places, socket, &Place::socket);
  return place == places.end() ? nullptr : &*place;
}

Result<MembershipSockets::SocketId, int> MembershipSockets::join(const Channel& channel, Places& places) {
  const std::size_t sources_max = kernel_.limits(channel.group.family()).sources_per_group;
  if (channel.source) {
    for (const Place& place : places) {
      if (place.exclude || place.full || place.sources >= sources_max) continue;
      const SocketId id = place.socket;
      const int code = join_on(id, channel, places);
      if (code == 0) return id;
      if (!is_limit(code)) return tl::unexpected(code);
    }
  }
  std::vector<SocketId>& room = with_room(channel.group.family());
  // From the end on, since a socket that meets a limit loses its room.
  for (std::size_t at = room.size(), tries = 0; at > 0 && tries < kRoomTriesMax; --at, ++tries) {
    const SocketId id = room[at - 1];
    if (place_on(places, id) != nullptr) continue;
    const int code = join_on(id, channel, places);
    if (code == 0) return id;
    if (!is_limit(code)) return tl::unexpected(code);
  }
  const Result<SocketId, int> fresh = open(channel.group.family());
  if (!fresh) return fresh;
  if (const int code = join_on(*fresh, channel, places); code != 0) {
    close(*fresh);
    return tl::unexpected(code);
  }
  return fresh;
}

int MembershipSockets::join_on(SocketId id, const Channel& channel, Places& places) {
  Socket& socket = sockets_[id];
  const int code = kernel_.join(socket.fd, channel);
  Place* place = place_on(places, id);
  if (is_limit(code)) {
    // Lower than was said: never try beyond it again. A fresh socket that takes nothing is closed by the caller.
    if (place != nullptr) {
      place->full = true;
    } else if (socket.groups != 0) {
      socket.groups_max = socket.groups;
      remove_room(id);
    }
  }
  if (code != 0) return code;
  if (place == nullptr) {
    place = &places.emplace_back(Place{.socket = id, .exclude = !channel.source});
    ++socket.groups;
    if (socket.groups == socket.groups_max) remove_room(id);
  }
  if (channel.source) ++place->sources;
  return 0;
}

void MembershipSockets::leave(SocketId socket, const Channel& channel, Places& places) {
  Place* const place = place_on(places, socket);
  AMT_ASSERT(place != nullptr);
  const bool is_last = !channel.source || place->sources == 1;
  Socket& on = sockets_[socket];
  if (is_last && on.groups == 1) {
    close(socket);
  } else {
    // May fail where the interface is gone, and the membership with it.
    kernel_.leave(on.fd, channel);
    if (is_last && on.groups-- == on.groups_max) add_room(socket);
  }
  if (is_last) {
    *place = places.back();
    places.pop_back();
  } else {
    --place->sources;
    place->full = false;
  }
}

bool MembershipSockets::block(SocketId socket, const IpAddress& group, const IpAddress& source, Places& places) {
  Place* const place = place_on(places, socket);
  AMT_ASSERT(place != nullptr && place->exclude);
  if (place->full || place->sources >= kernel_.limits(group.family()).sources_per_group) return false;
  const int code = kernel_.block(sockets_[socket].fd, group, source);
  place->full = is_limit(code);
  if (code == 0) ++place->sources;
  return code == 0;
}

void MembershipSockets::unblock(SocketId socket, const IpAddress& group, const IpAddress& source, Places& places) {
  Place* const place = place_on(places, socket);
  AMT_ASSERT(place != nullptr && place->exclude);
  if (kernel_.unblock(sockets_[socket].fd, group, source) != 0) return;
  --place->sources;
  place->full = false;
}

Result<MembershipSockets::SocketId, int> MembershipSockets::open(Family family) {
  if (!budget_.take()) return tl::unexpected(EMFILE);
  const int fd = kernel_.open(family);
  if (fd < 0) {
    budget_.give_back();
    return tl::unexpected(-fd);
  }
  SocketId id = static_cast<SocketId>(sockets_.size());
  if (free_.empty()) {
    sockets_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  sockets_[id] = {.fd = fd, .family = family, .groups_max = kernel_.limits(family).groups_per_socket};
  add_room(id);
  return id;
}

void MembershipSockets::close(SocketId id) {
  Socket& socket = sockets_[id];
  if (socket.groups < socket.groups_max) remove_room(id);
  kernel_.close(socket.fd);
  budget_.give_back();
  socket = {};
  free_.push_back(id);
}

void MembershipSockets::add_room(SocketId id) {
  std::vector<SocketId>& room = with_room(sockets_[id].family);
  sockets_[id].room_index = room.size();
  room.push_back(id);
}

void MembershipSockets::remove_room(SocketId id) {
  std::vector<SocketId>& room = with_room(sockets_[id].family);
  const std::size_t index = sockets_[id].room_index;
  room[index] = room.back();
  sockets_[room[index]].room_index = index;
  room.pop_back();
}

void MembershipSockets::append_descriptors(std::vector<int>& out) const {
  for (const Socket& socket : sockets_) {
    if (socket.fd >= 0) out.push_back(socket.fd);
  }
}

}  // namespace amt
