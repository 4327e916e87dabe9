#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "io/order_port.hh"
#include "ip/udp_frame.hh"

namespace amt {
namespace {

constexpr std::array<std::size_t, 6> kPayloadOctets = {20, 21, 576, 1345, 1346, 1472};
constexpr std::array<std::size_t, 3> kCopies = {1, 17, OrderPort::kCopiesMax};
// Frames of others' that are passed over on the way to one of ours.
constexpr int kOthersMax = 64;

/// Another one for each number, in each field that can differ.
UdpFlow flow_to(std::size_t number, bool is_v4) {
  const auto low = static_cast<std::uint8_t>(number);
  UdpFlow flow;
  flow.neighbour = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{low}};
  flow.interface = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{2}, std::byte{low}};
  const std::string from = is_v4 ? "192.0.2.1" : "2001:db8::1";
  const std::string to = is_v4 ? fmt::format("198.51.100.{}", low) : fmt::format("2001:db8:1::{:x}", low);
  flow.from = {*IpAddress::parse(from), 2268};
  flow.to = {*IpAddress::parse(to), static_cast<std::uint16_t>(1024 + number * 977)};
  flow.hop_limit = static_cast<std::uint8_t>(255 - number);
  return flow;
}

Ecn ecn_of(std::size_t number) { return static_cast<Ecn>(number % 4); }

/// The next frame for one host.
std::optional<MutableBytes> next_frame(OrderPort& port, MutableBytes buffer) {
  constexpr std::byte kGroupBit{1};
  for (int others = 0; others < kOthersMax; ++others) {
    const std::optional<MutableBytes> frame = port.receive(buffer);
    if (!frame) break;
    if (!frame->empty() && (frame->front() & kGroupBit) == std::byte{0}) return frame;
  }
  return std::nullopt;
}

Result<void, std::string> check_one(OrderPort& port, bool is_v4, std::size_t copies, std::size_t octets) {
  std::vector<UdpFrameHeader> headers;
  std::vector<std::uint32_t> destinations;
  for (std::uint32_t k = 0; k < copies; ++k) {
    headers.emplace_back(flow_to(k, is_v4));
    headers.back().write_template(port.header_of(k));
    destinations.push_back(OrderPort::with_ecn(k, ecn_of(k)));
  }
  std::vector<std::byte> payload(octets);
  for (std::size_t i = 0; i < octets; ++i) payload[i] = static_cast<std::byte>((i * 7 + octets) & 0xffU);
  const std::uint16_t sum = payload_sum(payload);
  const std::uint64_t sent = port.send({0, is_v4, destinations, payload, sum});
  const std::uint64_t all = copies == OrderPort::kCopiesMax ? UINT64_MAX : (std::uint64_t{1} << copies) - 1;
  const std::string what = fmt::format("IPv{}, {} octets, {} copies", is_v4 ? 4 : 6, octets, copies);
  if (sent != all) return Unexpected<std::string>(fmt::format("{}: sent {:x} of {:x}", what, sent, all));
  std::array<std::byte, OrderPort::kFrameOctetsMax> buffer{};
  std::vector<std::byte> wanted(OrderPort::kFrameOctetsMax);
  for (std::size_t k = 0; k < copies; ++k) {
    headers[k].write(wanted, octets, sum, ecn_of(k));
    std::ranges::copy(payload, wanted.begin() + static_cast<std::ptrdiff_t>(headers[k].octets()));
    const std::optional<MutableBytes> frame = next_frame(port, buffer);
    if (!frame) return Unexpected<std::string>(fmt::format("{}: copy {} did not come", what, k));
    if (!std::ranges::equal(*frame, Bytes(wanted).first(headers[k].octets() + octets))) {
      return Unexpected<std::string>(fmt::format("{}: copy {} is wrong", what, k));
    }
  }
  return {};
}

}  // namespace

Result<void, std::string> check_orders(OrderPort& port) {
  if (const SysResult<void> set = port.set_device(0, port.interface()); !set) {
    return Unexpected<std::string>(set.error().to_string());
  }
  for (const bool is_v4 : {true, false}) {
    for (const std::size_t copies : kCopies) {
      for (const std::size_t octets : kPayloadOctets) {
        if (Result<void, std::string> checked = check_one(port, is_v4, copies, octets); !checked) return checked;
      }
    }
  }
  return {};
}

}  // namespace amt
