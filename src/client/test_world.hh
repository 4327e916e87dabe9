#pragma once
/// For tests: a client in virtual time, among relays that answer or do not, a DNS, and a local network.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/test_state.hh"
#include "client/client.hh"
#include "discovery/amtrelay.hh"
#include "gateway/test_bench.hh"
#include "membership/message.hh"

namespace amt::test {

inline constexpr std::string_view kGroup = "232.1.1.1";
inline constexpr std::string_view kSource = "198.51.100.1";
inline constexpr std::string_view kFirst = "192.0.2.1";
inline constexpr std::string_view kSecond = "192.0.2.2";
inline constexpr std::string_view kAnycastV4 = "192.52.193.1";

/// A relay of that world. Answers after the world's latency, serves what was asked of it by Updates.
struct WorldRelay {
  bool answers = true;
  bool limit = false;
  /// Hands on what `World::send` sends.
  bool serves = true;
  /// What its Advertisements name; none: itself.
  std::optional<IpAddress> advertised = {};
  /// By socket: the groups that were joined through it.
  std::map<SocketId, std::set<IpAddress>> gateways = {};
  std::size_t requests = 0;
  std::size_t teardowns = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed = 7) : random(seed) {}

  /// Begins with the options as they are.
  void start() {
    client.emplace(options, random, now);
    drain();
  }
  [[nodiscard]] StateOctets record() {
    return saved(now, [this](StateRecordWriter& out) { client->save(out); });
  }
  /// Another process goes on: with the sockets of the tunnels, and without answers that the one before waited for.
  void take_over() {
    const StateOctets kept = record();
    ++process_;
    host_answers_.clear();
    StateRecordReader in(kept, now);
    client.emplace(options, random, now, in);
    ASSERT_TRUE(in.is_good());
    std::set<SocketId> still;
    client->for_each_socket([&](SocketId socket, Family) { still.insert(socket); });
    std::erase_if(sockets, [&](const auto& entry) { return !still.contains(entry.first); });
    drain();
  }
  void join(std::string_view group, const SourceFilter& filter) {
    ASSERT_TRUE(client->set_membership(now, address(group), filter));
    drain();
  }
  void leave(std::string_view group) { join(group, {}); }
  void shut_down() {
    client->shutdown(now);
    drain();
  }
  WorldRelay& relay(std::string_view at) { return relays[endpoint(at)]; }

  /// The reverse zone of `source` names a relay by address (RFC 8777 §4.2), without Relay Discovery.
  void name_relay(std::string_view source, std::string_view at, unsigned precedence = 0) {
    const IpAddress relay_address = address(at);
    Octets record{static_cast<std::byte>(precedence), relay_address.is_v4() ? std::byte{0x81} : std::byte{0x82}};
    record.insert(record.end(), relay_address.bytes().begin(), relay_address.bytes().end());
    DnsAnswer& answer = dns[{DomainName::reverse_of(address(source)).to_string(), kAmtRelayType}];
    answer.records.push_back(record);
    answer.ttl_seconds = 3600;
    relays[endpoint(at)];
  }

  /// A packet of (source, group) comes through each relay that serves a socket of this client.
  void send(std::string_view source, std::string_view group) {
    const Octets message = udp_data(source, group);
    // The identification tells packets apart; the IPv4 header checksum goes with it.
    ++packet_number;
    for (auto& [at, one] : relays) {
      if (!one.answers || !one.serves) continue;
      for (const auto& [socket, groups] : one.gateways) {
        if (!groups.contains(address(group))) continue;
        later([this, socket = socket, at = at, octets = numbered(message, packet_number)] {
          receive(socket, at, octets);
        });
      }
    }
  }
  static Octets numbered(Octets message, unsigned number) {
    constexpr std::size_t kIdentificationAt = 6;
    constexpr std::size_t kChecksumAt = 12;
    unsigned sum = (~unsigned{u16_at(message, kChecksumAt)} & 0xffffU) +
                   (~unsigned{u16_at(message, kIdentificationAt)} & 0xffffU) + (number & 0xffffU);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    put_u16(message, kIdentificationAt, number & 0xffffU);
    put_u16(message, kChecksumAt, ~sum & 0xffffU);
    return message;
  }

  /// Virtual time passes; all that is due happens.
  void run_for(Duration duration) {
    const Instant end = now + duration;
    // What one timeout leads to may be due at once, too; but not for ever.
    for (std::size_t at_once = 0;;) {
      ASSERT_LT(at_once, std::size_t{8}) << "a deadline that is due stays due";
      const Instant next = std::min(deadline, events.empty() ? kNoDeadline : events.begin()->first);
      if (next > end) break;
      now = std::max(now, next);
      if (!events.empty() && events.begin()->first <= now) {
        const std::function<void()> event = std::move(events.begin()->second);
        events.erase(events.begin());
        event();
      } else {
        client->handle_timeout(now);
        drain();
        at_once = deadline > now ? 0 : at_once + 1;
      }
    }
    now = end;
  }

  [[nodiscard]] std::size_t times_said(std::string_view text) const {
    std::size_t times = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++times;
    return times;
  }
  [[nodiscard]] bool said(std::string_view text) const { return log.find(text) != std::string::npos; }

  Instant now = Instant() + seconds(1000);
  SeededRandom random;
  ClientOptions options;
  std::map<Endpoint, WorldRelay> relays;
  std::map<std::pair<std::string, std::uint16_t>, DnsAnswer> dns;
  /// From which address relays are reached; absent: by no way.
  std::optional<IpAddress> own_v4 = address("10.0.0.1");
  std::optional<IpAddress> own_v6 = std::nullopt;
  /// Of single relays.
  std::map<IpAddress, IpAddress> own_to;
  bool sockets_fail = false;
  /// Why nothing can be sent; empty: it can.
  std::string send_problem;
  /// What a host knows by itself is answered before the next poll, rather than after all of them.
  bool answers_at_once = false;
  /// By name; absent: no such host.
  std::map<std::string, std::vector<IpAddress>> hosts;
  std::size_t hosts_asked = 0;
  Duration latency = milliseconds(10);
  Duration dns_latency = milliseconds(20);

  std::optional<Client> client;
  std::map<SocketId, OpenSocket> sockets;
  std::vector<std::string> natively;  ///< `JoinNatively`, as text
  std::vector<IpAddress> chosen;
  std::string log;
  /// Identifications of the datagrams that were handed on, and how many payloads.
  std::vector<unsigned> delivered;
  std::vector<Endpoint> payload_sources;
  unsigned packet_number = 0;
  Instant deadline = kNoDeadline;

  void receive(SocketId socket, const Endpoint& from, Octets message) {
    if (!sockets.contains(socket)) return;
    Received received;
    received.from = from;
    received.bytes = message;
    client->handle_datagrams(now, socket, {&received, 1});
    drain();
  }
  void later(std::function<void()> event) { events.emplace(now + latency, std::move(event)); }

  void drain() {
    for (;;) {
      ClientOutput output = client->poll_output();
      if (const auto* end = std::get_if<ClientDeadline>(&output)) {
        deadline = end->at;
        break;
      }
      std::visit([this](auto& one) { take(one); }, output);
    }
    // What the host answers by itself is an input, too.
    for (const std::function<void()>& answer : std::exchange(host_answers_, {})) {
      answer();
      drain();
    }
  }

 private:
  void take(const ClientDeadline&) {}
  void take(const ClientPackets& packets) {
    for (const DataPacket& packet : packets.datagrams) delivered.push_back(u16_at(packet.datagram, 4));
    for (const Payload& payload : packets.payloads) payload_sources.push_back(payload.source);
  }
  void take(const OpenSocket& open) {
    ASSERT_FALSE(sockets.contains(open.socket)) << "a number is used once";
    if (sockets_fail) {
      return answer_from_host([this, id = open.socket] { client->handle_socket_failed(now, id, "no more sockets"); });
    }
    sockets[open.socket] = open;
  }
  void take(const CloseSocket& close) { ASSERT_EQ(sockets.erase(close.socket), 1U); }
  void take(const ClientTransmit& transmit) {
    const auto socket = sockets.find(transmit.socket);
    if (sockets_fail) return;
    ASSERT_NE(socket, sockets.end()) << "sent from a socket that is not open";
    ASSERT_EQ(socket->second.family, transmit.to.address.family());
    if (!send_problem.empty()) {
      return answer_from_host([this, socket = transmit.socket, to = transmit.to] {
        client->handle_send_error(now, socket, to, send_problem);
      });
    }
    const auto at = relays.find(transmit.to);
    if (at == relays.end() || !at->second.answers) return;
    later([this, socket = transmit.socket, to = transmit.to,
           sent = Sent{now, transmit.to, Octets(transmit.datagram.begin(), transmit.datagram.end())}] {
      answer(socket, to, sent);
    });
  }
  void answer(SocketId socket, const Endpoint& at, const Sent& sent) {
    WorldRelay& one = relays.at(at);
    if (!one.answers) return;
    if (sent.type() == kDiscovery) {
      const IpAddress named = one.advertised.value_or(at.address);
      later([=, this] { receive(socket, at, advertisement(sent.nonce(), named.to_string())); });
    } else if (sent.type() == kRequest) {
      ++one.requests;
      QueryText query;
      query.nonce = sent.nonce();
      query.limit = one.limit;
      later([=, this] { receive(socket, at, sent.is_mld_request() ? query.mld() : query.igmp()); });
    } else if (sent.type() == kUpdate) {
      apply_update(one, socket, sent.octets);
    } else if (sent.type() == kTeardown) {
      ++one.teardowns;
      one.gateways.erase(socket);
    }
  }
  /// Each group of these tests has one source.
  static void apply_update(WorldRelay& one, SocketId socket, const Octets& message) {
    const auto update = wire::MembershipUpdate::parse(message);
    ASSERT_TRUE(update);
    const auto report = parse_group_message(*DatagramView::parse(update->datagram), HeaderRules{});
    ASSERT_TRUE(report);
    for (const GroupRecord& record : std::get<GroupReport>(*report).records) {
      const bool leaves = record.type == RecordType::kBlockOldSources ||
                          (record.type == RecordType::kChangeToInclude && record.sources.empty());
      if (leaves) {
        one.gateways[socket].erase(record.group);
      } else {
        one.gateways[socket].insert(record.group);
      }
    }
    if (one.gateways[socket].empty()) one.gateways.erase(socket);
  }
  void take(const AskDns& ask) {
    DnsAnswer answer;
    answer.problem = "no such name";
    answer.denied = true;
    answer.ttl_seconds = 300;
    if (const auto found = dns.find({ask.name, ask.type}); found != dns.end()) answer = found->second;
    events.emplace(now + dns_latency, [this, id = ask.question, answer, process = process_] {
      if (process != process_) return;
      client->handle_dns_answer(now, id, answer);
      drain();
    });
  }
  void take(const AskSource& ask) {
    answer_from_host([this, to = ask.destination] {
      const auto single = own_to.find(to);
      const std::optional<IpAddress> of_family = to.is_v4() ? own_v4 : own_v6;
      client->handle_source_answer(now, to, single == own_to.end() ? of_family : single->second);
    });
  }
  void take(const AskHost& ask) {
    ++hosts_asked;
    HostAnswer answer{hosts[ask.name], "no such name"};
    if (!answer.addresses.empty()) answer.problem.clear();
    events.emplace(now + dns_latency, [this, id = ask.question, answer, process = process_] {
      if (process != process_) return;
      client->handle_host_answer(now, id, answer);
      drain();
    });
  }
  void take(const AskServiceDomains&) {
    answer_from_host([this] { client->handle_service_domains(now, {}); });
  }
  void take(const JoinNatively& join) { natively.push_back(join.group.to_string() + " " + join.filter.to_string()); }
  void take(const RelayChosen& one) { chosen.push_back(one.relay); }
  void take(const ClientEvent& event) { log += event.text + "\n"; }

  void answer_from_host(std::function<void()> answer) {
    if (answers_at_once) return answer();
    host_answers_.push_back(std::move(answer));
  }

  std::vector<std::function<void()>> host_answers_;
  unsigned process_ = 0;
  std::multimap<Instant, std::function<void()>> events;
};

}  // namespace amt::test
