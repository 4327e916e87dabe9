#include "relay/tunnel_store.hh"

#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

/// A message reads and writes the whole record.
constexpr int kRecordLines = (sizeof(TunnelRecord) + 63) / 64;

}  // namespace

TunnelStore::TunnelStore(const KeyedHash& hash, std::size_t tunnels_max) : hash_(hash) {
  by_endpoint_.reserve(std::min(tunnels_max, kReservedMax));
}

TunnelId TunnelStore::insert(TunnelRecord&& record) {
  const Endpoint endpoint = record.tunnel.endpoint;
  AMT_ASSERT(!find(endpoint));
  const std::uint32_t id = records_.insert(std::move(record));
  by_endpoint_.insert(hash_(endpoint), id);
  return TunnelId{id};
}

void TunnelStore::erase(TunnelId id) {
  const Endpoint endpoint = (*this)[id].tunnel.endpoint;
  by_endpoint_.erase(hash_(endpoint), static_cast<std::uint32_t>(id));
  records_.erase(static_cast<std::uint32_t>(id));
}

std::optional<TunnelId> TunnelStore::find(const Endpoint& endpoint) const {
  const std::optional<std::uint32_t> id = by_endpoint_.find(
      hash_(endpoint), [&](std::uint32_t candidate) { return records_[candidate].tunnel.endpoint == endpoint; });
  if (!id) return std::nullopt;
  return TunnelId{*id};
}

TunnelRecord& TunnelStore::operator[](TunnelId id) { return records_[static_cast<std::uint32_t>(id)]; }
const TunnelRecord& TunnelStore::operator[](TunnelId id) const { return records_[static_cast<std::uint32_t>(id)]; }

void TunnelStore::prefetch_index(const Endpoint& endpoint) const { by_endpoint_.prefetch(hash_(endpoint)); }

void TunnelStore::prefetch_record(const Endpoint& endpoint) const {
  const std::optional<std::uint32_t> id = by_endpoint_.guess(hash_(endpoint));
  if (id) records_.prefetch(*id, kRecordLines);
}

void TunnelStore::clear() {
  by_endpoint_ = {};
  records_.clear();
}

}  // namespace amt
