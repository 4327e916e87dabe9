#include "io/native_membership.hh"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cerrno>
#include <list>
#include <queue>

#include "base/assert.hh"
#include "base/keyed_hash.hh"
#include "base/shrink.hh"
#include "base/slab.hh"
#include "io/membership_sockets.hh"

namespace amt {
namespace {

/// A failure of one source will meet the others of its group, too.
bool concerns_whole_group(int code) { return code == EMFILE || code == ENFILE || code == ENODEV; }

/// A source that is joined, and where.
struct Included {
  IpAddress source;
  MembershipSockets::SocketId socket = 0;
};

using GroupId = std::uint32_t;

/// Where a group waits.
enum class Queue : std::uint8_t { kNone, kJoins, kLeaves, kFailed };

struct Group {
  IpAddress address;
  SourceFilter wanted;
  /// The kernel's state: the sources that are joined, sorted; or where the group is, and which sources are blocked
  /// there.
  std::vector<Included> included{};
  std::optional<MembershipSockets::SocketId> excluding{};
  SourceList blocked{};
  MembershipSockets::Places places{};
  /// Counts up with each group that the kernel gets: the larger, the newer.
  std::uint64_t joined_as = 0;
  /// The `joined_as` under which it stands among the leaves, perhaps from an earlier time; 0: it does not.
  std::uint64_t leave_noted = 0;
  /// Joins that failed, as counted in the sum.
  std::size_t missing = 0;
  Queue queue = Queue::kNone;
  /// In `joins` or `failed`.
  std::list<GroupId>::iterator position{};
  /// Of a pass over the wanted sources that was interrupted: the last one that was tried, and whether any failed.
  std::optional<IpAddress> tried{};
  bool some_failed = false;

  void begin_anew() {
    tried.reset();
    some_failed = false;
  }
  [[nodiscard]] bool is_joined() const { return excluding.has_value() || !included.empty(); }
  [[nodiscard]] std::size_t count_missing() const {
    if (wanted.mode == FilterMode::kExclude) return excluding ? 0 : 1;
    std::size_t count = 0;
    auto joined = included.begin();
    for (const IpAddress& source : wanted.sources) {
      while (joined != included.end() && joined->source < source) ++joined;
      if (joined == included.end() || joined->source != source) ++count;
    }
    return count;
  }
};

}  // namespace

struct NativeMembership::Impl {
  enum class Outcome : std::uint8_t { kDone, kFailed, kInterrupted };
  using IsEnough = std::function<bool()>;

  Impl(std::unique_ptr<MembershipKernel> given, DescriptorBudget& budget)
      : kernel(std::move(given)), sockets(*kernel, budget) {}

  void enqueue(GroupId id, Queue queue);
  void dequeue(Group& group);
  void erase(GroupId id);
  /// The newest that is to be left. None: no group waits for that.
  std::optional<GroupId> newest_leave();
  std::optional<GroupId> choose();
  Outcome apply(Group& group, const IsEnough& is_enough);
  Outcome include(Group& group, const IsEnough& is_enough);
  Outcome exclude(Group& group, const IsEnough& is_enough);
  Outcome update_blocks(Group& group, const IsEnough& is_enough);
  Outcome leave_unwanted(Group& group, const IsEnough& is_enough);
  [[nodiscard]] int join(Group& group, const std::optional<IpAddress>& source, MembershipSockets::SocketId& socket);
  void settle(GroupId id, Outcome outcome);
  void count_missing(Group& group, std::size_t missing_now);
  void retry(std::size_t groups);

  std::unique_ptr<MembershipKernel> kernel;
  MembershipSockets sockets;
  Slab<Group> groups;
  boost::unordered_flat_map<IpAddress, GroupId, KeyedHash> id_of;
  std::list<GroupId> joins;
  std::list<GroupId> failed;
  /// By `joined_as`, the largest first. May name groups that are wanted again, or gone: `leaves` counts the others.
  std::priority_queue<std::pair<std::uint64_t, GroupId>> leave_order;
  std::size_t leaves = 0;
  std::uint64_t groups_joined = 0;
  unsigned turn = 0;
  std::size_t missing = 0;
  std::optional<SysError> failure;
};

void NativeMembership::Impl::dequeue(Group& group) {
  switch (std::exchange(group.queue, Queue::kNone)) {
    case Queue::kJoins:
      joins.erase(group.position);
      break;
    case Queue::kFailed:
      failed.erase(group.position);
      break;
    case Queue::kLeaves:
      --leaves;
      break;
    case Queue::kNone:
      break;
  }
}

void NativeMembership::Impl::enqueue(GroupId id, Queue queue) {
  Group& group = groups[id];
  // A group that waits already keeps its turn.
  if (group.queue == queue) return;
  dequeue(group);
  group.queue = queue;
  if (queue == Queue::kLeaves) {
    ++leaves;
    // Noted once, however often it is wanted again meanwhile.
    if (std::exchange(group.leave_noted, group.joined_as) != group.joined_as) leave_order.emplace(group.joined_as, id);
  } else if (queue != Queue::kNone) {
    std::list<GroupId>& list = queue == Queue::kJoins ? joins : failed;
    group.position = list.insert(list.end(), id);
  }
}

void NativeMembership::Impl::erase(GroupId id) {
  id_of.erase(groups[id].address);
  shrink_if_sparse(id_of);
  groups.erase(id);
}

std::optional<GroupId> NativeMembership::Impl::newest_leave() {
  while (leaves != 0) {
    AMT_ASSERT(!leave_order.empty());
    const auto [joined_as, id] = leave_order.top();
    const bool is_there = groups.contains(id) && groups[id].joined_as == joined_as;
    if (is_there && groups[id].queue == Queue::kLeaves) return id;
    if (is_there) groups[id].leave_noted = 0;
    leave_order.pop();
  }
  return std::nullopt;
}

std::optional<GroupId> NativeMembership::Impl::choose() {
  const unsigned which = turn++ % 3;
  if (joins.empty() || which == 2) {
    if (const std::optional<GroupId> leave = newest_leave()) return leave;
  }
  if (joins.empty()) return std::nullopt;
  return which == 0 ? joins.back() : joins.front();
}

int NativeMembership::Impl::join(Group& group, const std::optional<IpAddress>& source,
                                 MembershipSockets::SocketId& socket) {
  const bool is_first = group.places.empty();
  const Channel channel{source, group.address};
  const Result<MembershipSockets::SocketId, int> joined = sockets.join(channel, group.places);
  if (!joined) {
    failure = SysError{"join", channel.to_string() + " on " + kernel->interface(), joined.error()};
    return joined.error();
  }
  if (is_first) group.joined_as = ++groups_joined;
  socket = *joined;
  return 0;
}

NativeMembership::Impl::Outcome NativeMembership::Impl::include(Group& group, const IsEnough& is_enough) {
  std::size_t at = 0;
  for (const IpAddress& source : group.wanted.sources) {
    if (group.tried && source <= *group.tried) continue;
    while (at < group.included.size() && group.included[at].source < source) ++at;
    if (at < group.included.size() && group.included[at].source == source) continue;
    MembershipSockets::SocketId socket = 0;
    const int code = join(group, source, socket);
    if (code == 0) group.included.insert(group.included.begin() + static_cast<std::ptrdiff_t>(at), {source, socket});
    group.some_failed = group.some_failed || code != 0;
    if (concerns_whole_group(code)) break;
    group.tried = source;
    if (is_enough()) return Outcome::kInterrupted;
  }
  const bool all_joined = !group.some_failed;
  // Only now: sources that stay wanted are never without a join, and joins are kept until their replacement works.
  if (group.excluding && all_joined) {
    sockets.leave(*group.excluding, {std::nullopt, group.address}, group.places);
    group.excluding.reset();
    group.blocked.clear();
  }
  const Outcome left = leave_unwanted(group, is_enough);
  if (left != Outcome::kDone) return left;
  return all_joined ? Outcome::kDone : Outcome::kFailed;
}

NativeMembership::Impl::Outcome NativeMembership::Impl::leave_unwanted(Group& group, const IsEnough& is_enough) {
  // From the end on: an entry that stays is moved at most once for each one that goes.
  for (std::size_t at = group.included.size(); at > 0; --at) {
    const Included one = group.included[at - 1];
    if (group.wanted.mode == FilterMode::kInclude && group.wanted.accepts(one.source)) continue;
    group.included.erase(group.included.begin() + static_cast<std::ptrdiff_t>(at - 1));
    sockets.leave(one.socket, {one.source, group.address}, group.places);
    if (is_enough()) return Outcome::kInterrupted;
  }
  return Outcome::kDone;
}

NativeMembership::Impl::Outcome NativeMembership::Impl::exclude(Group& group, const IsEnough& is_enough) {
  if (!group.excluding) {
    MembershipSockets::SocketId socket = 0;
    if (join(group, std::nullopt, socket) != 0) return Outcome::kFailed;
    group.excluding = socket;
  }
  if (const Outcome blocked = update_blocks(group, is_enough); blocked != Outcome::kDone) return blocked;
  return leave_unwanted(group, is_enough);
}

NativeMembership::Impl::Outcome NativeMembership::Impl::update_blocks(Group& group, const IsEnough& is_enough) {
  for (const IpAddress& source : set_difference(group.blocked, group.wanted.sources)) {
    sockets.unblock(*group.excluding, group.address, source, group.places);
    group.blocked.erase(std::ranges::lower_bound(group.blocked, source));
    if (is_enough()) return Outcome::kInterrupted;
  }
  for (const IpAddress& source : set_difference(group.wanted.sources, group.blocked)) {
    if (!sockets.block(*group.excluding, group.address, source, group.places)) break;
    group.blocked.insert(std::ranges::lower_bound(group.blocked, source), source);
    if (is_enough()) return Outcome::kInterrupted;
  }
  return Outcome::kDone;
}

NativeMembership::Impl::Outcome NativeMembership::Impl::apply(Group& group, const IsEnough& is_enough) {
  return group.wanted.mode == FilterMode::kInclude ? include(group, is_enough) : exclude(group, is_enough);
}

void NativeMembership::Impl::count_missing(Group& group, std::size_t missing_now) {
  missing = missing - group.missing + missing_now;
  group.missing = missing_now;
}

void NativeMembership::Impl::settle(GroupId id, Outcome outcome) {
  // One that was interrupted stays where it waits.
  if (outcome == Outcome::kInterrupted) return;
  Group& group = groups[id];
  group.begin_anew();
  count_missing(group, outcome == Outcome::kFailed ? group.count_missing() : 0);
  enqueue(id, outcome == Outcome::kFailed ? Queue::kFailed : Queue::kNone);
  if (outcome == Outcome::kDone && group.wanted.is_nothing()) erase(id);
}

void NativeMembership::Impl::retry(std::size_t count) {
  for (std::size_t left = std::min(count, failed.size()); left > 0; --left) enqueue(failed.front(), Queue::kJoins);
}

NativeMembership::NativeMembership(std::unique_ptr<MembershipKernel> kernel, DescriptorBudget& budget)
    : impl_(std::make_unique<Impl>(std::move(kernel), budget)) {}
NativeMembership::~NativeMembership() = default;
NativeMembership::NativeMembership(NativeMembership&&) noexcept = default;
NativeMembership& NativeMembership::operator=(NativeMembership&&) noexcept = default;

void NativeMembership::set(const IpAddress& group, const SourceFilter& filter) {
  Impl& impl = *impl_;
  auto known = impl.id_of.find(group);
  if (known == impl.id_of.end()) {
    if (filter.is_nothing()) return;
    known = impl.id_of.emplace(group, impl.groups.insert(Group{.address = group, .wanted = {}})).first;
  }
  const GroupId id = known->second;
  Group& state = impl.groups[id];
  if (state.wanted == filter) return;
  state.wanted = filter;
  state.begin_anew();
  if (!filter.is_nothing()) return impl.enqueue(id, Queue::kJoins);
  impl.count_missing(state, 0);
  if (state.is_joined()) return impl.enqueue(id, Queue::kLeaves);
  impl.dequeue(state);
  impl.erase(id);
}

bool NativeMembership::work(const std::function<bool()>& is_enough) {
  Impl& impl = *impl_;
  while (const std::optional<GroupId> id = impl.choose()) {
    const std::size_t sockets_before = impl.sockets.size();
    impl.settle(*id, impl.apply(impl.groups[*id], is_enough));
    // A descriptor is free again: for as many groups as it has room for, more or less.
    if (impl.sockets.size() < sockets_before) impl.retry(impl.kernel->limits(Family::kIpv4).groups_per_socket);
    if (is_enough()) break;
  }
  return waiting() != 0;
}

void NativeMembership::retry() { impl_->retry(kRetriesMax); }
std::size_t NativeMembership::missing() const { return impl_->missing; }
std::size_t NativeMembership::waiting() const { return impl_->joins.size() + impl_->leaves; }
std::size_t NativeMembership::socket_count() const { return impl_->sockets.size(); }
void NativeMembership::append_descriptors(std::vector<int>& out) const { impl_->sockets.append_descriptors(out); }
std::optional<SysError> NativeMembership::take_failure() { return std::exchange(impl_->failure, std::nullopt); }

}  // namespace amt
