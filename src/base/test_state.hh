#pragma once
/// For tests: a machine's state as one record, and what damage does to it.

#include <functional>

#include "base/state_record.hh"

namespace amt::test {

/// What `save` writes, without the record's head.
template <typename Save>
StateOctets saved(Instant now, const Save& save) {
  StateOctets octets;
  {
    StateRecordWriter out(octets, now, 1);
    save(out);
  }
  constexpr std::ptrdiff_t kHeadOctets = 5;
  octets.erase(octets.begin(), octets.begin() + kHeadOctets);
  return octets;
}

/// `record` with each of its octets changed in some ways, and cut off before each; or every so many octets.
inline void for_each_damage(const StateOctets& record, const std::function<void(const StateOctets& damaged)>& visit,
                            std::size_t step = 1) {
  for (std::size_t at = 0; at < record.size(); at += step) {
    for (const unsigned change : {0x01U, 0x07U, 0x80U, 0xffU}) {
      StateOctets damaged = record;
      damaged[at] ^= static_cast<std::byte>(change);
      visit(damaged);
    }
    visit(StateOctets(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(at)));
  }
}

}  // namespace amt::test
