#include "engine/runtime/named_descriptors.hh"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/assert.hh"

namespace amt {
namespace {

using Kind = NamedDescriptor::Kind;

/// Of a name: that of a network interface, or a word.
constexpr std::size_t kNameOctetsMax = 64;
/// Kind, owner, address and port, the length of the name, the numbers.
constexpr std::size_t kNumberOctets = sizeof(NamedDescriptor::numbers);
constexpr std::size_t kFixedOctets = 1 + 4 + 16 + 2 + 1 + kNumberOctets;
constexpr std::size_t kEntriesMax =
    std::min(DescriptorChannel::kDescriptorsMax, DescriptorChannel::kOctetsMax / (kFixedOctets + kNameOctetsMax));

void put_u64(ByteWriter& out, std::uint64_t value) {
  out.u32(static_cast<std::uint32_t>(value >> 32));
  out.u32(static_cast<std::uint32_t>(value));
}
std::uint64_t take_u64(ByteReader& in) {
  const std::uint64_t high = in.u32();
  return high << 32 | in.u32();
}

void write(ByteWriter& out, const NamedDescriptor& what) {
  AMT_ASSERT(what.name.size() <= kNameOctetsMax);
  out.u8(static_cast<std::uint8_t>(what.kind));
  out.u32(what.owner);
  out.bytes(what.local.address.mapped_octets());
  out.u16(what.local.port);
  out.u8(static_cast<std::uint8_t>(what.name.size()));
  out.bytes(std::as_bytes(std::span(what.name)));
  for (const std::uint64_t number : what.numbers) put_u64(out, number);
}

/// Nothing: it is none.
std::optional<NamedDescriptor> read(ByteReader& in) {
  if (!in.has(kFixedOctets)) return std::nullopt;
  NamedDescriptor what;
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(Kind::kLast)) return std::nullopt;
  what.kind = static_cast<Kind>(kind);
  what.owner = in.u32();
  what.local.address = IpAddress::from_v6(in.array<16>());
  what.local.port = in.u16();
  const std::size_t name_octets = in.u8();
  if (!in.has(name_octets + kNumberOctets)) return std::nullopt;
  for (const std::byte octet : in.bytes(name_octets)) what.name += static_cast<char>(octet);
  for (std::uint64_t& number : what.numbers) number = take_u64(in);
  return what;
}

SysResult<void> send_part(DescriptorChannel& to, std::span<const LentDescriptor> part) {
  std::array<std::byte, DescriptorChannel::kOctetsMax> octets{};
  ByteWriter out(octets);
  std::vector<int> descriptors;
  for (const LentDescriptor& one : part) {
    write(out, one.what);
    if (one.what.kind != Kind::kLast) descriptors.push_back(one.descriptor);
  }
  return to.send(out.output(), descriptors);
}

/// False: it is no such message.
bool take_message(DescriptorMessage& message, std::vector<GivenDescriptor>& into) {
  ByteReader in(message.octets);
  auto descriptor = message.descriptors.begin();
  while (in.remaining() != 0) {
    std::optional<NamedDescriptor> what = read(in);
    if (!what) return false;
    GivenDescriptor given{std::move(*what)};
    if (given.what.kind != Kind::kLast) {
      if (descriptor == message.descriptors.end()) return false;
      given.descriptor = std::move(*descriptor++);
    }
    into.push_back(std::move(given));
  }
  return descriptor == message.descriptors.end();
}

}  // namespace

SysResult<void> send_descriptors(DescriptorChannel& to, const std::vector<LentDescriptor>& descriptors) {
  std::vector<LentDescriptor> all = descriptors;
  all.push_back({{.kind = Kind::kLast}});
  for (std::span<const LentDescriptor> rest(all); !rest.empty();) {
    const std::size_t count = std::min(rest.size(), kEntriesMax);
    if (SysResult<void> sent = send_part(to, rest.first(count)); !sent) return sent;
    rest = rest.subspan(count);
  }
  return {};
}

SysResult<std::vector<GivenDescriptor>> receive_descriptors(DescriptorChannel& from, Duration patience) {
  const auto fail = [](int code) { return tl::unexpected(SysError{"take over from the process before", {}, code}); };
  std::vector<GivenDescriptor> all;
  while (all.empty() || all.back().what.kind != Kind::kLast) {
    SysResult<std::optional<DescriptorMessage>> message = from.receive(patience);
    if (!message) return tl::unexpected(message.error());
    if (!*message) return fail(ECONNRESET);
    if (!take_message(**message, all)) return fail(EBADMSG);
  }
  all.pop_back();
  return all;
}

}  // namespace amt
