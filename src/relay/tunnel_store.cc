#include "relay/tunnel_store.hh"

#include <algorithm>

#include "base/assert.hh"
#include "relay/rate_limit.hh"

namespace amt {

TunnelStore::TunnelStore(const KeyedHash& hash, std::size_t tunnels_max)
    : by_endpoint_(std::min(tunnels_max, kReservedMax), Hash{hash, this}, Equal{this}), per_address_(0, hash) {}

TunnelId TunnelStore::insert(TunnelRecord&& record) {
  const Endpoint endpoint = record.tunnel.endpoint;
  AMT_ASSERT(!find(endpoint));
  TunnelId id{static_cast<std::uint32_t>(records_.size())};
  if (free_.empty()) {
    records_.emplace_back(std::move(record));
  } else {
    id = free_.back();
    free_.pop_back();
    records_[static_cast<std::size_t>(id)].emplace(std::move(record));
  }
  by_endpoint_.insert(id);
  ++per_address_[subscriber_prefix(endpoint.address)];
  return id;
}

void TunnelStore::erase(TunnelId id) {
  const IpAddress address = (*this)[id].tunnel.endpoint.address;
  by_endpoint_.erase(id);
  const auto count = per_address_.find(subscriber_prefix(address));
  if (--count->second == 0) per_address_.erase(count);
  records_[static_cast<std::size_t>(id)].reset();
  free_.push_back(id);
}

std::optional<TunnelId> TunnelStore::find(const Endpoint& endpoint) const {
  const auto found = by_endpoint_.find(endpoint);
  if (found == by_endpoint_.end()) return std::nullopt;
  return *found;
}

TunnelRecord& TunnelStore::operator[](TunnelId id) {
  AMT_ASSERT(static_cast<std::size_t>(id) < records_.size());
  std::optional<TunnelRecord>& record = records_[static_cast<std::size_t>(id)];
  AMT_ASSERT(record.has_value());
  return *record;
}

const TunnelRecord& TunnelStore::operator[](TunnelId id) const {
  AMT_ASSERT(static_cast<std::size_t>(id) < records_.size());
  const std::optional<TunnelRecord>& record = records_[static_cast<std::size_t>(id)];
  AMT_ASSERT(record.has_value());
  return *record;
}

std::size_t TunnelStore::count_at(const IpAddress& address) const {
  const auto found = per_address_.find(subscriber_prefix(address));
  return found == per_address_.end() ? 0 : found->second;
}

}  // namespace amt
