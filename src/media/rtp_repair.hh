#pragma once
/// Forward error correction of RTP by rows and columns (SMPTE ST 2022-1): lost packets made anew from those that came.

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/byte_reader.hh"

namespace amt {

/// One repair packet: 12 octets of RTP header, and behind it (ST 2022-1 §8.4, after RFC 2733 §4)
///
///      0                   1                   2                   3
///     +-------------------------------+-------------------------------+
///     | SNBase, low bits              | length recovery               |
///     +-+-------------+---------------+-------------------------------+
///     |E| PT recovery | mask (24), zero                               |
///     +-+-------------+-----------------------------------------------+
///     | timestamp recovery                                            |
///     +-+-+-----+-----+---------------+---------------+---------------+
///     |X|D|type |index| offset        | NA            | SNBase, high  |
///     +-+-+-----+-----+---------------+---------------+---------------+
///     | the exclusive or of all behind the headers of the packets ...
///
/// It protects the packets SNBase, SNBase + offset, SNBase + 2 offset, ..., NA of them. A column has the matrix's
/// number of columns as its offset, a row has 1.
struct RepairPacketView {
  std::uint16_t first = 0;
  std::uint8_t flags = 0;    ///< exclusive or of P, X and CC of the RTP headers
  std::uint16_t length = 0;  ///< exclusive or of the lengths after those headers, in octets
  std::uint8_t offset = 0;
  std::uint8_t count = 0;
  Bytes payload{};

  /// Nothing: no RTP, or media, or no repair by exclusive or, or of a matrix larger than `RtpRepair::kMatrixMax`.
  static std::optional<RepairPacketView> parse(Bytes datagram);
  /// From the first packet that it protects to the last, in sequence numbers.
  [[nodiscard]] std::size_t span() const { return std::size_t{offset} * count; }
};

/// Keeps the last packets of a stream and of its repair, and makes missing packets. Pure; one stream, that of the last
/// synchronization source. A media packet costs a copy; a repair packet one pass over each packet that it protects.
class RtpRepair {
 public:
  /// The largest that the standard has is 100 packets.
  static constexpr std::size_t kMatrixMax = 256;
  /// Packets are kept for two matrices: the repair of a column may come during the matrix after it.
  static constexpr std::uint16_t kAgeMax = 2 * kMatrixMax;
  static constexpr std::size_t kMediaMax = 2 * kAgeMax;
  static constexpr std::size_t kRepairMax = 128;

  /// Takes the RTP packets of the media as they come.
  void add_media(Bytes datagram);
  /// Takes the packets of the ports of columns and rows.
  void add_repair(Bytes datagram);
  /// RTP packets that were made since the last call: sequence number, source and all behind the header are those of
  /// the packet that was lost; payload type and time are not. Valid until the next call of anything.
  std::span<const std::vector<std::byte>> take_made();

  [[nodiscard]] std::uint64_t made() const { return made_count_; }
  /// The largest matrix that repair packets were of, in packets; 0: none came.
  [[nodiscard]] std::size_t matrix() const { return matrix_; }

 private:
  struct Media {
    std::uint16_t sequence = 0;
    bool is_there = false;
    std::uint8_t flags = 0;
    std::vector<std::byte> octets{};  ///< behind the 12 octets of header
  };
  struct Repair {
    RepairPacketView view;  ///< its payload stands in `octets`
    std::vector<std::byte> octets;
  };

  [[nodiscard]] Media& slot(std::uint16_t sequence) { return media_[sequence % kMediaMax]; }
  [[nodiscard]] bool has(std::uint16_t sequence);
  [[nodiscard]] bool is_forgotten(std::uint16_t sequence) const;
  void restart(std::uint16_t sequence, std::uint32_t source);
  void use_all();
  bool use(const Repair& repair);
  void make(const Repair& repair, std::uint16_t missing);

  std::vector<Media> media_ = std::vector<Media>(kMediaMax);
  std::deque<Repair> repairs_;
  std::optional<std::uint32_t> source_;
  std::uint16_t newest_ = 0;
  /// Sequence numbers before `newest_` that are known to be there or lost.
  std::uint16_t known_ = 0;
  std::vector<std::vector<std::byte>> made_;
  std::vector<std::vector<std::byte>> taken_;
  std::uint64_t made_count_ = 0;
  std::size_t matrix_ = 0;
};

}  // namespace amt
