#include "relay/tunnel_store.hh"

#include <algorithm>

#include "base/assert.hh"
#include "base/byte_reader.hh"

namespace amt {
namespace {

/// What a message reads and writes of a record: all of it.
constexpr int kRecordLines = (sizeof(TunnelRecord) + 63) / 64;

}  // namespace

TunnelStore::TunnelStore(const KeyedHash& hash, std::size_t tunnels_max)
    : hash_(hash), per_subscriber_(0, SubscriberHash(hash)) {
  by_endpoint_.reserve(std::min(tunnels_max, kReservedMax));
}

TunnelId TunnelStore::insert(TunnelRecord&& record) {
  const Endpoint endpoint = record.tunnel.endpoint;
  AMT_ASSERT(!find(endpoint));
  const std::uint32_t id = records_.insert(std::move(record));
  by_endpoint_.insert(hash_(endpoint), id);
  ++per_subscriber_[subscriber_of(endpoint.address)];
  return TunnelId{id};
}

void TunnelStore::erase(TunnelId id) {
  const Endpoint endpoint = (*this)[id].tunnel.endpoint;
  by_endpoint_.erase(hash_(endpoint), static_cast<std::uint32_t>(id));
  const auto count = per_subscriber_.find(subscriber_of(endpoint.address));
  if (--count->second == 0) per_subscriber_.erase(count);
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

std::size_t TunnelStore::count_at(const IpAddress& address) const {
  const auto found = per_subscriber_.find(subscriber_of(address));
  return found == per_subscriber_.end() ? 0 : found->second;
}

void TunnelStore::prefetch_index(const Endpoint& endpoint) const { by_endpoint_.prefetch(hash_(endpoint)); }

void TunnelStore::prefetch_record(const Endpoint& endpoint) const {
  const std::optional<std::uint32_t> id = by_endpoint_.guess(hash_(endpoint));
  if (id) records_.prefetch(*id, kRecordLines);
}

void TunnelStore::clear() {
  by_endpoint_ = {};
  per_subscriber_.clear();
  records_.clear();
}

TunnelStore::Subscriber TunnelStore::subscriber_of(const IpAddress& address) {
  // All of an IPv4 address, the first half of an IPv6 one. No /64 of gateways begins with 32 ones (multicast, RFC
  // 4291).
  constexpr std::uint32_t kIpv4 = 0xffffffff;
  ByteReader octets(address.bytes());
  const std::uint32_t first = octets.u32();
  return address.is_v4() ? Subscriber{kIpv4, first} : Subscriber{first, octets.u32()};
}

}  // namespace amt
