/// The gateway: whatever arrives in whatever order, it sends well-formed messages to those whom it asks, tells a relay
/// what is wanted, and hands on data that are wanted, whole and from the relay, with the ECN field of RFC 6040.
///
/// The first octet picks options and a starting state, the rest are operations.

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "gateway/gateway.hh"
#include "ip/checksum.hh"
#include "ip/udp.hh"
#include "membership/message.hh"
#include "mended_checksum.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;
using fuzz::next_bytes;
using fuzz::next_u16;
using fuzz::next_u8;

constexpr int kOperationsMax = 24;
constexpr int kOutputsMax = 64;
/// Three groups of three sources each and what is due of them, whatever relays send.
constexpr std::size_t kGatewayOctetsMax = 32 * 1024;

const IpAddress kRelay = *IpAddress::parse("192.0.2.9");
const IpAddress kOtherRelay = *IpAddress::parse("2001:db8::9");
const IpAddress kAnycast = *IpAddress::parse("192.52.193.1");
const std::array<Endpoint, 4> kPeers{Endpoint{kRelay, kAmtPort}, Endpoint{kOtherRelay, kAmtPort},
                                     Endpoint{kAnycast, kAmtPort}, Endpoint{kRelay, 9}};
const std::array<IpAddress, 4> kGroups{*IpAddress::parse("239.1.1.1"), *IpAddress::parse("232.1.1.1"),
                                       *IpAddress::parse("ff3e::8000:1"), *IpAddress::parse("224.0.0.9")};
const std::array<IpAddress, 3> kSources4{*IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.2"),
                                         *IpAddress::parse("10.0.0.3")};
const std::array<IpAddress, 3> kSources6{*IpAddress::parse("2001:db8:1::1"), *IpAddress::parse("2001:db8:1::2"),
                                         *IpAddress::parse("2001:db8:1::3")};

const std::array<IpAddress, 3>& sources_of(const IpAddress& group) { return group.is_v4() ? kSources4 : kSources6; }

class GatewayRun {
 public:
  explicit GatewayRun(ByteReader in) : in_(in), start_(next_u8(in_)), gateway_(options(start_), random_, now_) {
    drain();
    const unsigned state = start_ >> 5;
    if (state >= 1) set_membership(0, 0x83);
    if (state >= 2) set_membership(1, 0x03);
    if (state >= 3) answer_discovery(0);
    if (state >= 4) answer_request(0);
    if (state >= 5) data(0, 0x12);
    if (state >= 6) set_membership(2, 0x01);
    if (state >= 7) answer_request(3);
  }

  void run() {
    for (int i = 0; i < kOperationsMax && in_.has(1) && !is_shut_down_; ++i) {
      operate(next_u8(in_));
      check();
    }
    if (!is_shut_down_) shutdown();
    timeout();
  }

 private:
  static GatewayOptions options(std::uint8_t start) {
    GatewayOptions out;
    const bool discovers = (start & 1) != 0;
    out.candidates.push_back({discovers ? RelayCandidate::Kind::kDiscovery : RelayCandidate::Kind::kRelay,
                              discovers ? kPeers[2] : kPeers[0]});
    if ((start & 2) != 0) out.candidates.push_back({RelayCandidate::Kind::kRelay, kPeers[1]});
    out.request_when_idle = (start & 4) != 0;
    out.ecn_capable = (start & 8) != 0;
    out.update_octets_max = (start & 16) != 0 ? 200 : 1400;
    return out;
  }

  void operate(std::uint8_t operation) {
    const unsigned detail = operation / 12U;
    switch (operation % 12) {
      case 0:
        control(kPeers[detail % 4], next_bytes(in_, next_u8(in_)));
        break;
      case 1:
      case 2:
        answer_request(detail);
        break;
      case 3:
        answer_discovery(detail);
        break;
      case 4:
      case 5:
        set_membership(detail, next_u8(in_));
        break;
      case 6:
        timeout();
        break;
      case 7:
        // A late engine: time has passed, nobody said so.
        now_ += std::chrono::seconds(next_u8(in_));
        break;
      case 8:
      case 9:
        data(detail, next_u8(in_));
        break;
      case 10:
        gateway_.handle_unreachable(now_, kPeers[detail % 4]);
        drain();
        break;
      case 11:
        if (detail == 0) shutdown();
        if (detail != 0) raw_data(kPeers[detail % 4], next_bytes(in_, next_u8(in_)));
        break;
    }
  }

  void control(const Endpoint& from, Bytes message) {
    const auto phase = gateway_.phase();
    const auto relay = gateway_.relay();
    const bool accepted = gateway_.handle_control(now_, from, message).has_value();
    // What is rejected has no effect.
    AMT_ASSERT(accepted || (gateway_.phase() == phase && gateway_.relay() == relay));
    drain();
  }

  /// A Query for the last Request, from whom it was sent to; `detail` says what is odd about it.
  void answer_request(unsigned detail) {
    if (!last_request_) return;
    const bool mld = last_request_->protocol == wire::Protocol::kMld;
    GroupQuery query;
    query.version = mld ? 2 : 3;
    query.group = IpAddress::unspecified(mld ? Family::kIpv6 : Family::kIpv4);
    query.robustness = static_cast<std::uint8_t>(detail % 4);
    query.query_interval = std::chrono::seconds(detail % 2 == 0 ? 125 : 1);
    const Octets inner = write_query(IpAddress::unspecified(query.group.family()), query);
    wire::MembershipQuery message;
    message.mac.octets.fill(static_cast<std::byte>(detail));
    message.nonce = last_request_->nonce;
    message.limit = (detail & 4) != 0;
    if ((detail & 1) != 0) message.gateway = wire::GatewayFields{{*IpAddress::parse("192.0.2.1"), 51000}, false};
    message.datagram = inner;
    std::array<std::byte, 256> buffer{};
    ByteWriter out(buffer);
    message.write(out);
    if ((detail & 8) != 0) buffer[next_u8(in_) % out.output().size()] ^= static_cast<std::byte>(next_u8(in_));
    control(request_to_, out.output());
  }
  void answer_discovery(unsigned detail) {
    if (!last_discovery_) return;
    const std::array<IpAddress, 4> relays{kRelay, kOtherRelay, *IpAddress::parse("239.0.0.1"), IpAddress()};
    std::array<std::byte, 32> buffer{};
    ByteWriter out(buffer);
    wire::RelayAdvertisement{*last_discovery_, relays[detail % 4]}.write(out);
    control(kPeers[2], out.output());
  }

  void set_membership(unsigned number, unsigned bits) {
    const IpAddress& group = kGroups[number % kGroups.size()];
    SourceFilter filter;
    filter.mode = (bits & 0x80) != 0 ? FilterMode::kExclude : FilterMode::kInclude;
    for (std::size_t i = 0; i < 3; ++i) {
      if ((bits >> i & 1) != 0) filter.sources.push_back(sources_of(group)[i]);
    }
    const bool ssm = group == kGroups[1] || group == kGroups[2];
    const bool taken = gateway_.set_membership(now_, group, filter);
    AMT_ASSERT(taken == !(group == kGroups[3] || (ssm && filter.mode == FilterMode::kExclude)));
    if (taken) {
      wanted_.erase(group);
      if (!filter.is_nothing()) wanted_[group] = filter;
    }
    drain();
  }

  /// A UDP datagram of one of the sources; the octet gives group, source and both ECN fields.
  void data(unsigned detail, unsigned octet) {
    const IpAddress& group = kGroups[octet % 4];
    HeaderFields fields;
    fields.source = sources_of(group)[(octet >> 2) % 3];
    fields.destination = group;
    fields.hop_limit = 5;
    fields.traffic_class = static_cast<std::uint8_t>(octet >> 4 & 3);
    const std::array<std::byte, 4> payload{};
    Octets message(wire::kDataHeaderOctets + header_octets(fields) + kUdpHeaderOctets + payload.size());
    message[0] = std::byte{6};
    write_udp_datagram(MutableBytes(message).subspan(wire::kDataHeaderOctets), fields, 5000, 5001, payload);
    if (detail >= 16) {
      message[wire::kDataHeaderOctets + next_u8(in_) % (message.size() - wire::kDataHeaderOctets)] ^=
          static_cast<std::byte>(next_u8(in_));
    }
    accept(kPeers[detail % 4], static_cast<Ecn>(octet >> 6), message);
  }
  void raw_data(const Endpoint& from, Bytes octets) {
    Octets message{std::byte{6}, std::byte{0}};
    const Octets inner = fuzz::with_header_checksum(octets);
    message.insert(message.end(), inner.begin(), inner.end());
    accept(from, Ecn::kCe, message);
  }
  void accept(const Endpoint& from, Ecn outer, Octets& message) {
    const Octets before = message;
    const fuzz::Allocations memory;
    const Result<DataPacket, GatewayReject> packet = gateway_.accept_data(now_, from, outer, message);
    // What nobody wants may, now and then, make a leave be repeated.
    AMT_ASSERT(!packet || memory.taken() == 0);
    if (packet) {
      const Bytes inner = packet->datagram;
      ++accepted_;
      AMT_ASSERT(last_update_to_ == from && inner.data() == message.data() + wire::kDataHeaderOctets);
      const DatagramView was = DatagramView::parse(Bytes(before).subspan(wire::kDataHeaderOctets)).value();
      const DatagramView is = DatagramView::parse(inner).value();
      const auto filter = wanted_.find(is.destination);
      AMT_ASSERT(filter != wanted_.end() && filter->second.accepts(is.source));
      AMT_ASSERT(is.bytes.size() == inner.size() && was.bytes.size() == is.bytes.size());
      AMT_ASSERT(std::ranges::equal(was.payload, is.payload) && transport_checksum_ok(is));
      AMT_ASSERT(packet->source == is.source && packet->destination == is.destination);
      const Result<UdpView, UdpError> udp = UdpView::parse(is);
      AMT_ASSERT(packet->is_udp == udp.has_value());
      AMT_ASSERT(!udp ||
                 (packet->source_port == udp->source_port && packet->destination_port == udp->destination_port));
      AMT_ASSERT(!udp ||
                 (packet->payload.data() == udp->payload.data() && packet->payload.size() == udp->payload.size()));
      // RFC 6040 §4.2: a mark outside is one inside, unless the transport knows none; nothing else makes one.
      const bool marked = outer == Ecn::kCe || was.ecn() == Ecn::kCe;
      AMT_ASSERT((is.ecn() == Ecn::kCe) == marked && !(outer == Ecn::kCe && was.ecn() == Ecn::kNotEct));
      AMT_ASSERT((is.ecn() == Ecn::kNotEct) == (was.ecn() == Ecn::kNotEct));
    } else {
      AMT_ASSERT(message == before);
    }
    AMT_ASSERT(gateway_.counters()[GatewayCounter::kDataReceived] == accepted_);
    drain();
  }

  void timeout() {
    if (deadline_ == kNoDeadline) return;
    now_ = std::max(now_, deadline_);
    gateway_.handle_timeout(now_);
    drain();
    AMT_ASSERT(deadline_ > now_);
  }
  void shutdown() {
    gateway_.shutdown(now_);
    drain();
    is_shut_down_ = true;
    wanted_.clear();
  }

  void drain() {
    for (int outputs = 0;; ++outputs) {
      AMT_ASSERT(outputs < kOutputsMax);
      const GatewayOutput output = gateway_.poll_output();
      if (const auto* const deadline = std::get_if<GatewayDeadline>(&output)) {
        deadline_ = deadline->at;
        return;
      }
      if (const auto* const transmit = std::get_if<GatewayTransmit>(&output)) note_sent(*transmit);
    }
  }
  void note_sent(const GatewayTransmit& transmit) {
    AMT_ASSERT(!is_shut_down_);
    AMT_ASSERT(std::find(kPeers.begin(), kPeers.begin() + 3, transmit.to) != kPeers.begin() + 3);
    const Bytes octets(transmit.datagram);
    switch (wire::peek_type(octets).value()) {
      case wire::MessageType::kRelayDiscovery:
        last_discovery_ = wire::RelayDiscovery::parse(octets).value().nonce;
        AMT_ASSERT(transmit.to == kPeers[2]);
        return;
      case wire::MessageType::kRequest:
        last_request_ = wire::Request::parse(octets).value();
        request_to_ = transmit.to;
        AMT_ASSERT((start_ & 8) != 0 || !last_request_->ecn_capable);
        return;
      case wire::MessageType::kMembershipUpdate: {
        last_update_to_ = transmit.to;
        const wire::MembershipUpdate update = wire::MembershipUpdate::parse(octets).value();
        AMT_ASSERT(update.datagram.size() <= options(start_).update_octets_max);
        const auto report = parse_group_message(DatagramView::parse(update.datagram).value(), {.router_alert = true});
        AMT_ASSERT(report && std::holds_alternative<GroupReport>(*report));
        return;
      }
      case wire::MessageType::kTeardown:
        AMT_ASSERT(wire::Teardown::parse(octets).has_value());
        return;
      default:
        AMT_ASSERT(false);
    }
  }

  void check() {
    std::size_t groups = 0;
    if (!is_shut_down_) {
      gateway_.for_each_membership([&](const IpAddress& group, const SourceFilter& filter) {
        const auto it = wanted_.find(group);
        AMT_ASSERT(it != wanted_.end() && it->second == filter);
        ++groups;
      });
      AMT_ASSERT(groups == wanted_.size());
    }
    AMT_ASSERT(memory_.held() <= kGatewayOctetsMax);
  }

  /// First: it counts from before the gateway is there, and what the harness itself holds, too.
  fuzz::Allocations memory_;
  ByteReader in_;
  std::uint8_t start_;
  SeededRandom random_{1};
  Instant now_{std::chrono::hours(1)};
  Gateway gateway_;
  Instant deadline_ = kNoDeadline;
  std::uint64_t accepted_ = 0;
  bool is_shut_down_ = false;
  std::optional<wire::DiscoveryNonce> last_discovery_;
  std::optional<wire::Request> last_request_;
  std::optional<Endpoint> last_update_to_;
  Endpoint request_to_;
  std::map<IpAddress, SourceFilter> wanted_;
};

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::GatewayRun(amt::ByteReader(amt::fuzz::input(data, size))).run();
  return 0;
}
