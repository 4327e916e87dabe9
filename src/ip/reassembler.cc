#include <algorithm>
#include <utility>

#include "base/assert.hh"
#include "ip/checksum.hh"
#include "ip/extension_headers.hh"
#include "ip/fragment.hh"

namespace amt {
namespace {

constexpr std::size_t kDatagramOctetsMax = 65535;
constexpr std::size_t kFragmentUnitOctets = 8;
/// The least that an IPv4 link carries is 68 octets, 48 of them payload (RFC 791 §3.2). Smaller pieces are an attack.
constexpr std::size_t kPiecesMax = kDatagramOctetsMax / 48 + 1;

/// RFC 791 §3.2, RFC 8200 §4.5: the fields that the fragments of one datagram share. IPv6 fragments may differ in their
/// next header, which is therefore 0 here.
struct Key {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint32_t identification = 0;

  friend bool operator==(const Key&, const Key&) = default;
};

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool more = false;

  friend bool operator==(const Piece&, const Piece&) = default;
};

/// A datagram of which not all pieces are here.
struct Partial {
  Key key;
  Instant since;
  /// Given up, but remembered: RFC 5722 §4 discards the pieces still to come as well.
  bool broken = false;
  /// Sorted, and without overlap.
  std::vector<Piece> pieces;
  std::size_t octets_here = 0;
  /// Everything before the piece at offset 0, IPv6 Fragment header taken out; empty until it is here.
  std::vector<std::byte> header;
  std::vector<std::byte> payload;
  /// End of the piece without More Fragments.
  std::optional<std::size_t> octets_total;
  /// One bit for each ECN codepoint seen.
  unsigned ecn_seen = 0;

  [[nodiscard]] bool complete() const { return octets_total && octets_here == *octets_total; }
};

Key key_of(const DatagramView& fragment) {
  const std::uint8_t protocol = fragment.family() == Family::kIpv4 ? fragment.protocol : std::uint8_t{0};
  return {fragment.source, fragment.destination, protocol, fragment.identification};
}

/// The first fragment's header as the whole datagram has it, but for lengths and checksum.
std::vector<std::byte> header_of_whole(const DatagramView& first) {
  const std::size_t octets = first.bytes.size() - first.payload.size();
  std::vector<std::byte> header(first.bytes.begin(), first.bytes.begin() + static_cast<std::ptrdiff_t>(octets));
  if (first.family() == Family::kIpv4) {
    header[6] &= std::byte{0xdf};  // More Fragments; the offset is 0
    return header;
  }
  // RFC 8200 §4.5: "The Next Header field of the last header of the Per-Fragment headers is obtained from the Next
  // Header field of the first fragment's Fragment header."
  const std::optional<ExtensionHeaders> chain = walk_extension_headers(first.bytes);
  AMT_ASSERT(chain && chain->fragment && chain->end == octets);
  header.resize(octets - kFragmentHeaderOctets);
  header[chain->fragment->announced_at] = static_cast<std::byte>(chain->fragment->next_header);
  return header;
}

/// RFC 3168 §5.3 and RFC 9601 §5: Congestion Experienced on one piece is Congestion Experienced on the whole; pieces
/// that do not agree whether the transport speaks ECN make no datagram.
std::optional<Ecn> merged_ecn(unsigned seen) {
  const auto has = [seen](Ecn ecn) { return (seen >> static_cast<unsigned>(ecn) & 1U) != 0; };
  if (has(Ecn::kNotEct)) return seen == 1U ? std::optional(Ecn::kNotEct) : std::nullopt;
  if (has(Ecn::kCe)) return Ecn::kCe;
  return has(Ecn::kEct1) ? Ecn::kEct1 : Ecn::kEct0;
}

enum class Added { kYes, kRepeat, kImpossible };

/// Enters the piece if it fits between those that are here.
Added add_piece(Partial& partial, const Piece& piece) {
  if (piece.begin == piece.end || partial.pieces.size() == kPiecesMax) return Added::kImpossible;
  // RFC 8200 §4.5: every piece but the last is a multiple of 8 octets.
  if (piece.more && (piece.end - piece.begin) % kFragmentUnitOctets != 0) return Added::kImpossible;
  if (piece.end > kDatagramOctetsMax) return Added::kImpossible;

  const auto next = std::lower_bound(partial.pieces.begin(), partial.pieces.end(), piece,
                                     [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  if (next != partial.pieces.end() && *next == piece) return Added::kRepeat;
  if (next != partial.pieces.end() && next->begin < piece.end) return Added::kImpossible;
  if (next != partial.pieces.begin() && std::prev(next)->end > piece.begin) return Added::kImpossible;
  // Exactly one piece is the last, and it ends last.
  if (partial.octets_total && piece.end > *partial.octets_total) return Added::kImpossible;
  if (!piece.more && next != partial.pieces.end()) return Added::kImpossible;

  partial.pieces.insert(next, piece);
  partial.octets_here += piece.end - piece.begin;
  if (!piece.more) partial.octets_total = piece.end;
  return Added::kYes;
}

/// Puts the lengths of the whole datagram, its ECN field and its header checksum in place.
bool mend_header(MutableBytes datagram, std::size_t header_octets, Ecn ecn) {
  const bool v4 = std::to_integer<unsigned>(datagram[0]) >> 4 == 4;
  const std::size_t length = v4 ? datagram.size() : datagram.size() - kIpv6HeaderOctets;
  if (length > kDatagramOctetsMax) return false;
  ByteWriter(datagram.subspan(v4 ? 2 : 4)).u16(static_cast<std::uint16_t>(length));
  set_ecn(datagram, ecn);
  if (v4) {
    ByteWriter(datagram.subspan(10)).u16(0);
    ByteWriter(datagram.subspan(10)).u16(internet_checksum(datagram.first(header_octets)));
  }
  return true;
}

}  // namespace

struct Reassembler::Impl {
  explicit Impl(std::size_t datagrams) : datagrams_max(datagrams) { AMT_ASSERT(datagrams > 0); }

  std::size_t datagrams_max;
  /// The oldest first, so that both timeout and pressure take from the front.
  std::vector<Partial> partials;
  std::vector<std::byte> completed;
  std::uint64_t discarded = 0;

  void drop_oldest() {
    if (!partials.front().broken) ++discarded;
    partials.erase(partials.begin());
  }

  void give_up(Partial& partial) {
    ++discarded;
    Partial broken;
    broken.key = partial.key;
    broken.since = partial.since;
    broken.broken = true;
    partial = std::move(broken);
  }

  std::vector<Partial>::iterator find_or_add(Instant now, const Key& key) {
    const auto found =
        std::find_if(partials.begin(), partials.end(), [&](const Partial& partial) { return partial.key == key; });
    if (found != partials.end()) return found;
    if (partials.size() == datagrams_max) drop_oldest();
    Partial& partial = partials.emplace_back();
    partial.key = key;
    partial.since = now;
    return std::prev(partials.end());
  }

  /// Builds the whole datagram in `completed`; false when its pieces contradict each other.
  bool build(const Partial& partial) {
    const std::optional<Ecn> ecn = merged_ecn(partial.ecn_seen);
    if (!ecn) return false;
    completed.clear();
    completed.insert(completed.end(), partial.header.begin(), partial.header.end());
    completed.insert(completed.end(), partial.payload.begin(), partial.payload.end());
    return mend_header(completed, partial.header.size(), *ecn);
  }
};

Reassembler::Reassembler(std::size_t datagrams_max) : impl_(std::make_unique<Impl>(datagrams_max)) {}
Reassembler::~Reassembler() = default;
Reassembler::Reassembler(Reassembler&&) noexcept = default;
Reassembler& Reassembler::operator=(Reassembler&&) noexcept = default;

std::uint64_t Reassembler::discarded() const { return impl_->discarded; }

std::optional<Bytes> Reassembler::add(Instant now, const DatagramView& fragment) {
  if (!fragment.is_fragment()) return fragment.bytes;
  while (!impl_->partials.empty() && now - impl_->partials.front().since >= kTimeout) impl_->drop_oldest();

  const auto partial = impl_->find_or_add(now, key_of(fragment));
  if (partial->broken) return std::nullopt;
  const Piece piece{fragment.fragment_offset, fragment.fragment_offset + fragment.payload.size(),
                    fragment.more_fragments};
  switch (add_piece(*partial, piece)) {
    case Added::kRepeat:
      return std::nullopt;
    case Added::kImpossible:
      impl_->give_up(*partial);
      return std::nullopt;
    case Added::kYes:
      break;
  }
  partial->ecn_seen |= 1U << static_cast<unsigned>(fragment.ecn());
  if (piece.begin == 0) partial->header = header_of_whole(fragment);
  if (partial->payload.size() < piece.end) partial->payload.resize(piece.end);
  std::copy(fragment.payload.begin(), fragment.payload.end(),
            partial->payload.begin() + static_cast<std::ptrdiff_t>(piece.begin));
  if (!partial->complete()) return std::nullopt;

  if (!impl_->build(*partial)) {
    impl_->give_up(*partial);
    return std::nullopt;
  }
  impl_->partials.erase(partial);
  return impl_->completed;
}

}  // namespace amt
