#include "sim/network.hh"

#include <algorithm>

#include "base/assert.hh"

namespace amt::sim {

void Network::put_behind_nat(HostId host, const IpAddress& address) {
  nat_of_[host] = {address, 0};
  rebind(host);
}

bool Network::rebind(HostId host) {
  const auto nat = nat_of_.find(host);
  if (nat == nat_of_.end()) return false;
  Endpoint& outside = nat->second;
  host_of_.erase(outside);
  // Upwards and around, over those in use.
  constexpr int kTriesMax = 65'536;
  int tries = 0;
  do {
    AMT_ASSERT(++tries < kTriesMax);
    outside.port = next_port_;
    next_port_ = next_port_ == 0xffff ? 1024 : static_cast<std::uint16_t>(next_port_ + 1);
  } while (host_of_.contains(outside));
  host_of_[outside] = host;
  return true;
}

Endpoint Network::outside_of(HostId host, const Endpoint& inside) const {
  const auto nat = nat_of_.find(host);
  return nat == nat_of_.end() ? inside : nat->second;
}

std::optional<HostId> Network::host_at(const Endpoint& endpoint) const {
  const auto host = host_of_.find(endpoint);
  return host == host_of_.end() ? std::nullopt : std::optional(host->second);
}

void Network::send(Instant now, Packet packet) {
  tally_.add(Event::kPacketsSent);
  if (packet.sender != kNobody) packet.from = outside_of(packet.sender, packet.from);
  if (is_too_big(packet.sender, packet.octets->size())) return;
  const bool twice = happens(weather.repeat_per_mille);
  if (twice) tally_.add(Event::kPacketsRepeated);
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    if (happens(weather.loss_per_mille)) {
      tally_.add(Event::kPacketsLost);
      continue;
    }
    std::size_t slot = slots_.size();
    if (free_slots_.empty()) {
      slots_.push_back(packet);
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
      slots_[slot] = packet;
    }
    if (packet.ecn != Ecn::kNotEct && happens(weather.mark_per_mille)) slots_[slot].ecn = Ecn::kCe;
    const bool steady = weather.delay_min == weather.delay_max;
    const Duration delay = steady ? weather.delay_min : random_.between(weather.delay_min, weather.delay_max);
    under_way_.push_back({now + delay, sent_++, slot});
    std::push_heap(under_way_.begin(), under_way_.end());
  }
}

std::optional<std::pair<HostId, Packet>> Network::arrive() {
  std::pop_heap(under_way_.begin(), under_way_.end());
  const std::size_t slot = under_way_.back().slot;
  under_way_.pop_back();
  free_slots_.push_back(slot);
  Packet packet = std::move(slots_[slot]);
  const std::optional<HostId> host = host_at(packet.to);
  if (!host || is_too_big(*host, packet.octets->size())) return std::nullopt;
  if (is_cut(packet.sender, *host)) {
    tally_.add(Event::kPacketsCutOff);
    return std::nullopt;
  }
  return std::pair(*host, std::move(packet));
}

bool Network::is_cut(HostId sender, HostId receiver) const {
  return std::any_of(partitions.begin(), partitions.end(), [&](const Partition& partition) {
    const bool to_relay = partition.to_relay && receiver == partition.relay;
    const bool from_relay = partition.from_relay && sender == partition.relay;
    if (!to_relay && !from_relay) return false;
    const std::uint64_t gateway = to_relay ? sender : receiver;
    return KeyedHash()(gateway ^ partition.salt) % 8 < partition.eighths;
  });
}

void Network::set_path_octets_max(HostId host, std::size_t octets_max) {
  if (path_octets_max_.size() <= host) path_octets_max_.resize(host + 1);
  path_octets_max_[host] = octets_max;
}

bool Network::is_too_big(HostId host, std::size_t octets) const {
  if (host >= path_octets_max_.size() || path_octets_max_[host] == 0 || octets <= path_octets_max_[host]) return false;
  tally_.add(Event::kPacketsTooBig);
  return true;
}

}  // namespace amt::sim
