#include "base/state_record.hh"

#include <algorithm>
#include <limits>

#include "base/assert.hh"

namespace amt {
namespace {

/// In the place of a time: the ends of the clock.
constexpr std::int64_t kEarliest = INT64_MIN;
constexpr std::int64_t kLatest = INT64_MAX;
/// No time is further away from when the document was written.
constexpr std::int64_t kSpanMax = std::int64_t{100} * 365 * 86'400 * 1'000'000'000;
/// Machines add several of these to a time.
constexpr Duration kDurationMax = std::chrono::hours(24 * 365);

}  // namespace

StateRecordWriter::StateRecordWriter(StateOctets& out, Instant written, std::uint8_t type)
    : out_(out), written_(written) {
  u8(type);
  u32(0);
  body_at_ = out_.size();
}

StateRecordWriter::~StateRecordWriter() {
  const MutableBytes length = MutableBytes(out_).subspan(body_at_ - sizeof(std::uint32_t), sizeof(std::uint32_t));
  ByteWriter(length).u32(static_cast<std::uint32_t>(out_.size() - body_at_));
}

void StateRecordWriter::u16(std::uint16_t value) {
  u8(static_cast<std::uint8_t>(value >> 8));
  u8(static_cast<std::uint8_t>(value & 0xff));
}

void StateRecordWriter::u32(std::uint32_t value) {
  u16(static_cast<std::uint16_t>(value >> 16));
  u16(static_cast<std::uint16_t>(value & 0xffff));
}

void StateRecordWriter::u64(std::uint64_t value) {
  u32(static_cast<std::uint32_t>(value >> 32));
  u32(static_cast<std::uint32_t>(value));
}

void StateRecordWriter::address(const IpAddress& address) {
  u8(static_cast<std::uint8_t>(address.family()));
  bytes(address.bytes());
}

void StateRecordWriter::endpoint(const Endpoint& endpoint) {
  address(endpoint.address);
  u16(endpoint.port);
}

void StateRecordWriter::channel(const Channel& channel) {
  address(channel.group);
  u8(channel.source ? 1 : 0);
  if (channel.source) address(*channel.source);
}

void StateRecordWriter::time(Instant at) {
  std::int64_t after = kLatest;
  if (at == Instant::min()) {
    after = kEarliest;
  } else if (at != kNoDeadline) {
    after = (at - written_).count();
  }
  u64(static_cast<std::uint64_t>(after));
}

void StateRecordWriter::count(std::size_t count) {
  AMT_ASSERT(count <= std::numeric_limits<std::uint32_t>::max());
  u32(static_cast<std::uint32_t>(count));
}

void StateRecordWriter::text(std::string_view text) {
  count(text.size());
  bytes(std::as_bytes(std::span(text)));
}

std::uint64_t StateRecordReader::u64() {
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::uint8_t StateRecordReader::flags(std::uint8_t mask) {
  const std::uint8_t flags = u8();
  is_bad_ = is_bad_ || (flags & ~mask) != 0;
  return is_bad_ ? std::uint8_t{0} : flags;
}

void StateRecordReader::bytes(MutableBytes into) {
  if (has(into.size())) std::ranges::copy(rest_.bytes(into.size()), into.begin());
}

IpAddress StateRecordReader::address() {
  constexpr std::size_t kOctetsV4 = 4;
  constexpr std::size_t kOctetsV6 = 16;
  const std::uint8_t family = u8();
  const bool is_v4 = family == static_cast<std::uint8_t>(Family::kIpv4);
  is_bad_ = is_bad_ || (!is_v4 && family != static_cast<std::uint8_t>(Family::kIpv6));
  const std::size_t octets = is_v4 ? kOctetsV4 : kOctetsV6;
  if (!has(octets)) return {};
  const IpAddress address = IpAddress::from_bytes(rest_.bytes(octets));
  is_bad_ = is_bad_ || address.is_v4() != is_v4;
  return address;
}

Endpoint StateRecordReader::endpoint() {
  Endpoint endpoint;
  endpoint.address = address();
  endpoint.port = u16();
  return endpoint;
}

Channel StateRecordReader::channel() {
  Channel channel;
  channel.group = address();
  if (flags(1) != 0) channel.source = address();
  return channel;
}

Instant StateRecordReader::time() {
  const auto after = static_cast<std::int64_t>(u64());
  if (after == kEarliest) return Instant::min();
  if (after == kLatest) return kNoDeadline;
  is_bad_ = is_bad_ || after > kSpanMax || after < -kSpanMax;
  return is_bad_ ? written_ : written_ + Duration(after);
}

Instant StateRecordReader::moment() {
  const Instant at = time();
  const bool is_end = at == Instant::min() || at == kNoDeadline;
  is_bad_ = is_bad_ || is_end;
  return is_bad_ ? written_ : at;
}

Duration StateRecordReader::duration() {
  const Duration value(static_cast<Duration::rep>(u64()));
  is_bad_ = is_bad_ || value < Duration::zero() || value > kDurationMax;
  return is_bad_ ? Duration::zero() : value;
}

std::size_t StateRecordReader::count(std::size_t octets_min) {
  const std::size_t count = u32();
  is_bad_ = is_bad_ || count > rest_.remaining() / octets_min;
  return is_bad_ ? 0 : count;
}

std::string StateRecordReader::text() {
  const std::size_t octets = count(1);
  if (!has(octets)) return {};
  const Bytes text = rest_.bytes(octets);
  return {static_cast<const char*>(static_cast<const void*>(text.data())), text.size()};
}

std::string_view StateRecordReader::rest() {
  const Bytes rest = rest_.bytes(rest_.remaining());
  return {static_cast<const char*>(static_cast<const void*>(rest.data())), rest.size()};
}

}  // namespace amt
