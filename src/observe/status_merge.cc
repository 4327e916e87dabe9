#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/assert.hh"
#include "observe/status.hh"

namespace amt {
namespace {

/// What happens to the relay as a whole and is seen by each worker.
bool is_same_for_all(const CounterStatus& counter) { return counter.name == "secrets_changed"; }

void merge_counters(std::vector<CounterStatus>& into, const std::vector<CounterStatus>& worker) {
  AMT_ASSERT(into.size() == worker.size());
  for (std::size_t i = 0; i < into.size(); ++i) {
    AMT_ASSERT(into[i].name == worker[i].name);
    into[i].value =
        is_same_for_all(into[i]) ? std::max(into[i].value, worker[i].value) : into[i].value + worker[i].value;
  }
}

void merge_channels(std::vector<ChannelStatus>& into, std::vector<ChannelStatus>&& worker) {
  std::map<std::pair<IpAddress, std::optional<IpAddress>>, std::size_t> known;
  for (std::size_t i = 0; i < into.size(); ++i) known.emplace(std::pair(into[i].group, into[i].source), i);
  for (ChannelStatus& channel : worker) {
    const auto [found, is_new] = known.emplace(std::pair(channel.group, channel.source), into.size());
    if (is_new) {
      into.push_back(channel);
      continue;
    }
    ChannelStatus& whole = into[found->second];
    whole.tunnels += channel.tunnels;
    // Each worker takes in the same packets, from when the first of its gateways joined.
    whole.packets = std::max(whole.packets, channel.packets);
    whole.bytes = std::max(whole.bytes, channel.bytes);
  }
}

}  // namespace

void merge(RelayStatus& into, RelayStatus&& worker) {
  merge_counters(into.counters, worker.counters);
  merge_channels(into.channels, std::move(worker.channels));
  AMT_ASSERT(into.upstreams.size() == worker.upstreams.size());
  for (std::size_t i = 0; i < into.upstreams.size(); ++i) into.upstreams[i].drops += worker.upstreams[i].drops;
  std::ranges::move(worker.tunnels, std::back_inserter(into.tunnels));
  std::ranges::move(worker.workers, std::back_inserter(into.workers));
}

}  // namespace amt
