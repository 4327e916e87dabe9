#pragma once
/// A link in words: datagrams of hosts and other routers of every version, and what a Querier sends in answer.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "ip/checksum.hh"
#include "membership/querier.hh"
#include "membership/router_test_support.hh"

namespace amt::querier_test {

using namespace std::chrono_literals;  // allow: tests say durations as people do
using Octets = std::vector<std::byte>;

inline IpAddress a(const char* text) { return *IpAddress::parse(text); }
inline Instant after(Duration since_start) { return Instant{} + since_start; }

inline const IpAddress kSelf = a("192.0.2.10");
inline const IpAddress kLower = a("192.0.2.9");
inline const IpAddress kHigher = a("192.0.2.11");
inline const IpAddress kHost = a("192.0.2.50");
inline const IpAddress kGroup = a("239.1.1.1");
inline const IpAddress kSsm = a("232.1.1.1");
inline const IpAddress kNone = IpAddress::unspecified(Family::kIpv4);

inline GroupQuery general(std::uint8_t robustness = 2, Duration interval = 125s) {
  GroupQuery query;
  query.group = kNone;
  query.max_response_time = 10s;
  query.robustness = robustness;
  query.query_interval = interval;
  return query;
}
inline GroupQuery specific(const IpAddress& group, SourceList list = {}, bool suppress = false) {
  GroupQuery query = general();
  query.version = group.is_v4() ? 3 : 2;
  query.group = group;
  query.sources = std::move(list);
  query.max_response_time = 1s;
  query.suppress_router_processing = suppress;
  return query;
}

/// What a message of ours may get wrong.
struct HeaderFaults {
  std::uint8_t hop_limit = 1;
  bool router_alert = true;
};

/// `message` with its checksum filled in, as a whole IP datagram.
inline Octets datagram(const IpAddress& source, const IpAddress& destination, Octets message,
                       const HeaderFaults& faults = {}) {
  HeaderFields header;
  header.source = source;
  header.destination = destination;
  header.protocol = source.is_v4() ? kProtocolIgmp : kProtocolIcmpv6;
  header.hop_limit = faults.hop_limit;
  header.router_alert = faults.router_alert;
  InternetChecksum sum;
  if (!source.is_v4()) {
    sum.add_pseudo_header(source, destination, header.protocol, static_cast<std::uint32_t>(message.size()));
  }
  sum.add(message);
  message[2] = static_cast<std::byte>(sum.value() >> 8);
  message[3] = static_cast<std::byte>(sum.value() & 0xff);
  Octets out(header_octets(header) + message.size());
  ByteWriter writer(out);
  write_header(writer, header, message.size());
  writer.bytes(message);
  return out;
}

/// IGMPv1, IGMPv2 and MLDv1 messages have one form: type, code, checksum, (MLD: delay, reserved,) group.
inline Octets older_message(std::uint8_t type, std::uint16_t response_code, const IpAddress& group) {
  Octets out(group.is_v4() ? 4 : 8);
  out[0] = static_cast<std::byte>(type);
  if (group.is_v4()) {
    out[1] = static_cast<std::byte>(response_code);
  } else {
    out[4] = static_cast<std::byte>(response_code >> 8);
    out[5] = static_cast<std::byte>(response_code & 0xff);
  }
  out.insert(out.end(), group.bytes().begin(), group.bytes().end());
  return out;
}
inline Octets igmpv1_report(const IpAddress& host, const IpAddress& group) {
  return datagram(host, group, older_message(0x12, 0, group), {.router_alert = false});
}
inline Octets igmpv2_report(const IpAddress& host, const IpAddress& group, const HeaderFaults& faults = {}) {
  return datagram(host, group, older_message(0x16, 0, group), faults);
}
inline Octets igmpv2_leave(const IpAddress& host, const IpAddress& group) {
  return datagram(host, a("224.0.0.2"), older_message(0x17, 0, group));
}
inline Octets mldv1_report(const IpAddress& host, const IpAddress& group) {
  return datagram(host, group, older_message(131, 0, group));
}
inline Octets mldv1_done(const IpAddress& host, const IpAddress& group) {
  return datagram(host, a("ff02::2"), older_message(132, 0, group));
}
/// IGMPv1: code 0; IGMPv2: tenths of a second; MLDv1: milliseconds.
inline Octets older_query(const IpAddress& router, std::uint16_t response_code, const IpAddress& group) {
  const bool v4 = router.is_v4();
  const IpAddress everybody = v4 ? a("224.0.0.1") : a("ff02::1");
  return datagram(router, group.is_unspecified() ? everybody : group,
                  older_message(v4 ? 0x11 : 130, response_code, group));
}

/// A link with its Querier. Time is what the tests say, in steps of a Querier's own deadlines.
class Link {
 public:
  explicit Link(QuerierOptions options = {}) : family(options.family), querier(std::move(options), Instant{}) {}

  /// Until `time`, every timer at its time.
  void run_to(Duration time) {
    for (int steps = 0; querier.next_deadline() <= after(time); ++steps) {
      ASSERT_LT(steps, 100'000) << "a timer that has run is due again";
      now_ = std::max(now_, querier.next_deadline());
      querier.handle_timeout(now_, changes);
      collect();
    }
    now_ = after(time);
  }
  void set_address(const std::optional<IpAddress>& address) {
    querier.set_address(now_, address);
    run_to(now_ - Instant{});
  }
  Result<void, QuerierReject> receive(const Octets& octets) {
    const auto result = querier.handle_datagram(now_, octets, changes);
    collect();
    return result;
  }
  Result<void, QuerierReject> report(RecordType type, SourceList sources, const IpAddress& group) {
    const std::vector<GroupRecord> records{{type, group, std::move(sources)}};
    return receive(write_report(family == Family::kIpv4 ? a("192.0.2.50") : a("fe80::50"), records));
  }
  [[nodiscard]] std::string wanted(const IpAddress& group) const { return router_test::text(querier.filter(group)); }

  /// What was sent since the last call: `0 Q` a General Query at 0 ms, `Q(1.1)s` a specific one with the S flag for a
  /// group that ends so, `Q(1.1){1,2}` with sources.
  std::string sent() { return std::exchange(sent_, {}); }

  Family family;
  Querier querier;
  std::vector<FilterChange> changes;
  /// The last query as it went out.
  Octets last_query;

 private:
  void collect() {
    while (const auto octets = querier.poll_query()) {
      last_query = *octets;
      const auto view = DatagramView::parse(last_query);
      ASSERT_TRUE(view);
      const auto message = parse_group_message(*view, {.router_alert = true, .link_local_source = true});
      ASSERT_TRUE(message) << to_string(message.error());
      const auto& query = std::get<GroupQuery>(*message);
      if (!sent_.empty()) sent_ += " | ";
      sent_ += std::to_string((now_ - Instant{}) / 1ms) + " Q";
      if (!query.is_general()) sent_ += "(" + query.group.to_string() + ")";
      if (!query.sources.empty()) sent_ += router_test::text(query.sources);
      if (query.suppress_router_processing) sent_ += "s";
    }
  }

  Instant now_{};
  std::string sent_;
};

/// After the startup queries, with an address.
class RunningQuerier : public testing::Test, protected Link {
 protected:
  RunningQuerier() {
    set_address(kSelf);
    run_to(100s);
    EXPECT_EQ(sent(), "0 Q | 31250 Q");
  }
};

}  // namespace amt::querier_test
