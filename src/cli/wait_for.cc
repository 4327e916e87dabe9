#include "cli/wait_for.hh"

#include <algorithm>
#include <optional>

#include "engine/runtime/event_loop.hh"
#include "sys/clock.hh"
#include "sys/local_address.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(100);

}  // namespace

Waited await_condition(const std::string& what, Duration max, const std::function<bool()>& is_there) {
  if (is_there()) return Waited::kThere;
  log_warn("waiting for {}, at most {} s", what, std::chrono::duration_cast<std::chrono::seconds>(max).count());
  const Instant until = monotonic_now() + max;
  Waited result = Waited::kTimeOver;
  EventLoop loop;
  loop.on_stop_signal([&](int) {
    result = Waited::kStopped;
    loop.stop();
  });
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    const bool there = is_there();
    if (there) result = Waited::kThere;
    if (there || monotonic_now() >= until) return loop.stop();
    timer->set(monotonic_now() + kPoll);
  });
  timer->set(monotonic_now() + kPoll);
  loop.run();
  return result;
}

Waited await_interfaces(const std::string& option, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const Waited waited = await_condition(option + " " + name + ", which is no interface of this host yet",
                                          kInterfaceWaitMax, [&] { return find_link(name).has_value(); });
    if (waited != Waited::kThere) return waited;
  }
  return Waited::kThere;
}

Waited await_addresses(const std::string& option, const std::vector<IpAddress>& addresses) {
  for (const IpAddress& address : addresses) {
    const Waited waited = await_condition(option + " " + address.to_string() + ", which is no address of this host yet",
                                          kAddressWaitMax, [&] { return can_bind(address); });
    if (waited != Waited::kThere) return waited;
  }
  return Waited::kThere;
}

}  // namespace amt
