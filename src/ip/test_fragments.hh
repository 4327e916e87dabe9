#pragma once
/// Fragments for tests, put together by hand from the diagrams of RFC 791 §3.1 and RFC 8200 §4.5.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/test_bytes.hh"
#include "ip/checksum.hh"

namespace amt::test {

using Octets = std::vector<std::byte>;

inline Octets v4_fragment(std::uint16_t identification, std::size_t offset, bool more, const Octets& piece,
                          const Octets& options = {}, unsigned traffic_class = 0) {
  Octets octets = joined({hex("40000000 00000000 40110000 c0000201 e8010203"), options, piece});
  const std::size_t header = 20 + options.size();
  octets[0] = static_cast<std::byte>(0x40 | header / 4);
  octets[1] = static_cast<std::byte>(traffic_class);
  octets[2] = static_cast<std::byte>(octets.size() >> 8);
  octets[3] = static_cast<std::byte>(octets.size() & 0xff);
  octets[4] = static_cast<std::byte>(identification >> 8);
  octets[5] = static_cast<std::byte>(identification & 0xff);
  octets[6] = static_cast<std::byte>((more ? 0x20 : 0) | offset / 8 >> 8);
  octets[7] = static_cast<std::byte>(offset / 8 & 0xff);
  const std::uint16_t checksum = internet_checksum(Bytes(octets).first(header));
  octets[10] = static_cast<std::byte>(checksum >> 8);
  octets[11] = static_cast<std::byte>(checksum & 0xff);
  return octets;
}

/// With destination options of 8 octets in front of the Fragment header.
inline Octets v6_fragment(std::uint16_t identification, std::size_t offset, bool more, const Octets& piece) {
  Octets octets =
      joined({hex("60000000 00003c40 20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d"
                  "2c000104 00000000 11000000 00000000"),
              piece});
  const std::size_t length = octets.size() - 40;
  octets[4] = static_cast<std::byte>(length >> 8);
  octets[5] = static_cast<std::byte>(length & 0xff);
  octets[50] = static_cast<std::byte>(offset >> 8);
  octets[51] = static_cast<std::byte>((offset & 0xf8) | (more ? 1 : 0));
  octets[54] = static_cast<std::byte>(identification >> 8);
  octets[55] = static_cast<std::byte>(identification & 0xff);
  return octets;
}

/// The whole datagram that such fragments belong to.
inline Octets v4_whole(std::uint16_t identification, const Octets& payload, const Octets& options = {}) {
  return v4_fragment(identification, 0, false, payload, options);
}
inline Octets v6_whole(const Octets& payload) {
  Octets octets =
      joined({hex("60000000 00003c40 20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d"
                  "11000104 00000000"),
              payload});
  octets[4] = static_cast<std::byte>((octets.size() - 40) >> 8);
  octets[5] = static_cast<std::byte>((octets.size() - 40) & 0xff);
  return octets;
}

inline Octets slice(const Octets& octets, std::size_t begin, std::size_t end) {
  return {octets.begin() + static_cast<std::ptrdiff_t>(begin), octets.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace amt::test
