#pragma once
/// A set of tunnels that is walked once a packet and changed now and then.

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <span>

#include "base/assert.hh"
#include "forward/replication_table.hh"

namespace amt {

/// Dense, in no order. Adding and removing cost a constant: a small set is searched, a large one keeps an index of
/// positions.
class TunnelSet {
 public:
  [[nodiscard]] std::span<const TunnelId> members() const { return {members_.data(), members_.size()}; }
  [[nodiscard]] bool empty() const { return members_.empty(); }

  /// `id` is not a member yet.
  void add(TunnelId id) {
    if (positions_ != nullptr) positions_->emplace(id, static_cast<std::uint32_t>(members_.size()));
    members_.push_back(id);
    if (positions_ == nullptr && members_.size() > kSearchedMax) build_index();
  }

  /// `id` is a member.
  void remove(TunnelId id) {
    const std::size_t position = take_position(id);
    if (members_.back() != id) {
      members_[position] = members_.back();
      if (positions_ != nullptr) (*positions_)[members_.back()] = static_cast<std::uint32_t>(position);
    }
    members_.pop_back();
    // Half the size at which it was built: a set that wavers around the limit does not rebuild it all the time.
    if (positions_ != nullptr && members_.size() < kSearchedMax / 2) {
      positions_.reset();
      members_.shrink_to_fit();
    }
  }

 private:
  /// One or two cache lines are searched faster than a hash is computed.
  static constexpr std::size_t kSearchedMax = 32;

  void build_index() {
    positions_ = std::make_unique<Positions>();
    for (std::uint32_t i = 0; i < members_.size(); ++i) positions_->emplace(members_[i], i);
  }

  std::size_t take_position(TunnelId id) {
    if (positions_ == nullptr) {
      std::size_t position = 0;
      while (position < members_.size() && members_[position] != id) ++position;
      AMT_ASSERT(position < members_.size());
      return position;
    }
    const auto found = positions_->find(id);
    AMT_ASSERT(found != positions_->end());
    const std::size_t position = found->second;
    positions_->erase(found);
    return position;
  }

  using Positions = boost::unordered_flat_map<TunnelId, std::uint32_t>;
  /// Two in place: a channel with one listener costs no heap block of its own.
  boost::container::small_vector<TunnelId, 2> members_;
  std::unique_ptr<Positions> positions_;
};

}  // namespace amt
