#include "io/native_membership.hh"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>

#include "io/membership_sockets.hh"
#include "sys/descriptor_limit.hh"

namespace amt {
namespace {

/// A socket per 20 groups: many groups need more descriptors than a shell's usual 1024.
constexpr std::size_t kDescriptorsWanted = 65'536;

/// What one source met, the others of its group will meet, too.
bool concerns_whole_group(int code) { return code == EMFILE || code == ENFILE || code == ENODEV; }

}  // namespace

struct NativeMembership::Impl {
  using Socket = MembershipSockets::Socket;

  struct Group {
    SourceFilter wanted;
    /// What has been reached: where each source is joined; or where the group is, and which sources are blocked there.
    std::map<IpAddress, Socket*> included;
    Socket* excluding = nullptr;
    std::set<IpAddress> blocked;

    [[nodiscard]] std::size_t missing() const {
      if (wanted.mode == FilterMode::kExclude) return excluding == nullptr ? 1 : 0;
      std::size_t count = 0;
      for (const IpAddress& source : wanted.sources) count += included.contains(source) ? 0 : 1;
      return count;
    }
  };

  explicit Impl(int interface_index) : sockets(interface_index) {}

  SysResult<void> apply(const IpAddress& address, Group& group);
  SysResult<void> include(const IpAddress& address, Group& group);
  SysResult<void> exclude(const IpAddress& address, Group& group);
  void update_blocks(const IpAddress& address, Group& group);

  MembershipSockets sockets;
  std::map<IpAddress, Group> groups;
  /// Groups with missing joins.
  std::set<IpAddress> failing;
  /// `retry` has come to the groups after this one.
  IpAddress retried;
};

SysResult<void> NativeMembership::Impl::include(const IpAddress& address, Group& group) {
  SysResult<void> result;
  for (const IpAddress& source : group.wanted.sources) {
    if (group.included.contains(source)) continue;
    const SysResult<Socket*> joined = sockets.join({source, address});
    if (joined) {
      group.included.emplace(source, *joined);
    } else {
      if (result) result = tl::unexpected(joined.error());
      if (concerns_whole_group(joined.error().code)) break;
    }
  }
  // Only now: sources that stay wanted are never without a join, and what failed goes on coming as long as it did.
  if (group.excluding != nullptr && result) {
    sockets.leave(*group.excluding, {std::nullopt, address});
    group.excluding = nullptr;
    group.blocked.clear();
  }
  for (auto joined = group.included.begin(); joined != group.included.end();) {
    if (group.wanted.accepts(joined->first)) {
      ++joined;
    } else {
      sockets.leave(*joined->second, {joined->first, address});
      joined = group.included.erase(joined);
    }
  }
  return result;
}

SysResult<void> NativeMembership::Impl::exclude(const IpAddress& address, Group& group) {
  if (group.excluding == nullptr) {
    const SysResult<Socket*> joined = sockets.join({std::nullopt, address});
    if (!joined) return tl::unexpected(joined.error());
    group.excluding = *joined;
  }
  update_blocks(address, group);
  for (const auto& [source, socket] : group.included) sockets.leave(*socket, {source, address});
  group.included.clear();
  return {};
}

void NativeMembership::Impl::update_blocks(const IpAddress& address, Group& group) {
  std::erase_if(group.blocked, [&](const IpAddress& source) {
    if (!group.wanted.accepts(source)) return false;
    sockets.unblock(*group.excluding, address, source);
    return true;
  });
  for (const IpAddress& source : group.wanted.sources) {
    if (group.blocked.contains(source)) continue;
    if (!sockets.block(*group.excluding, address, source)) break;
    group.blocked.insert(source);
  }
}

SysResult<void> NativeMembership::Impl::apply(const IpAddress& address, Group& group) {
  const SysResult<void> result =
      group.wanted.mode == FilterMode::kInclude ? include(address, group) : exclude(address, group);
  if (group.missing() != 0) {
    failing.insert(address);
  } else {
    failing.erase(address);
  }
  return result;
}

NativeMembership::NativeMembership(int interface_index) : impl_(std::make_unique<Impl>(interface_index)) {
  raise_descriptor_limit(kDescriptorsWanted);
}
NativeMembership::~NativeMembership() = default;
NativeMembership::NativeMembership(NativeMembership&&) noexcept = default;
NativeMembership& NativeMembership::operator=(NativeMembership&&) noexcept = default;

SysResult<void> NativeMembership::set(const IpAddress& group, const SourceFilter& filter) {
  if (filter.is_nothing() && !impl_->groups.contains(group)) return {};
  Impl::Group& state = impl_->groups[group];
  state.wanted = filter;
  SysResult<void> result = impl_->apply(group, state);
  if (filter.is_nothing()) impl_->groups.erase(group);
  return result;
}

std::size_t NativeMembership::retry() {
  Impl& impl = *impl_;
  for (std::size_t left = std::min(impl.failing.size(), kRetriesMax); left > 0; --left) {
    auto next = impl.failing.upper_bound(impl.retried);
    if (next == impl.failing.end()) next = impl.failing.begin();
    if (next == impl.failing.end()) break;
    impl.retried = *next;
    static_cast<void>(impl.apply(impl.retried, impl.groups.at(impl.retried)));
  }
  return missing();
}

std::size_t NativeMembership::missing() const {
  std::size_t count = 0;
  for (const IpAddress& group : impl_->failing) count += impl_->groups.at(group).missing();
  return count;
}

std::size_t NativeMembership::socket_count() const { return impl_->sockets.size(); }

}  // namespace amt
