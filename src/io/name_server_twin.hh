#pragma once
/// For tests: a name server on loopback that knows what the test tells it (RFC 1035).

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/udp_socket.hh"

namespace amt::test {

class NameServerTwin {
 public:
  using Octets = std::vector<std::byte>;
  static constexpr std::uint16_t kTypeA = 1;
  static constexpr std::uint16_t kTypeCname = 5;
  static constexpr std::uint16_t kTypeDnskey = 48;
  static constexpr unsigned kNoSuchName = 3;

  NameServerTwin() : socket_(UdpSocket::bind({*IpAddress::parse("127.0.0.1"), 0}, {}).value()) {}

  [[nodiscard]] int fd() const { return socket_.fd(); }
  [[nodiscard]] Endpoint endpoint() const { return socket_.local(); }

  /// `name`: as `relay.example.`
  void add(const std::string& name, std::uint16_t type, Octets data) {
    records_[{name, type}].push_back(std::move(data));
  }
  void refuse(const std::string& name, unsigned rcode) { rcodes_[name] = rcode; }
  /// Questions for that type are never answered.
  void ignore(std::uint16_t type) { ignored_.insert(type); }
  [[nodiscard]] std::size_t questions(std::uint16_t type) const {
    const auto found = questions_.find(type);
    return found == questions_.end() ? 0 : found->second;
  }

  /// Answers what has been asked so far.
  void process() {
    while (socket_.receive(received_).value_or(0) > 0) {
      for (const Received& message : received_.received()) answer(message.from, message.bytes);
    }
  }

  static Octets wire_name(std::string_view name) {
    Octets out;
    while (!name.empty()) {
      const std::string_view label = name.substr(0, name.find('.'));
      out.push_back(static_cast<std::byte>(label.size()));
      for (const char c : label) out.push_back(static_cast<std::byte>(c));
      name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    out.push_back(std::byte{0});
    return out;
  }
  static Octets address_data(std::string_view text) {
    const IpAddress address = *IpAddress::parse(text);
    return {address.bytes().begin(), address.bytes().end()};
  }

 private:
  static constexpr std::size_t kHeaderOctets = 12;
  static constexpr std::uint32_t kTtlSeconds = 300;

  static void append_u16(Octets& out, std::size_t value) {
    out.push_back(static_cast<std::byte>(value >> 8));
    out.push_back(static_cast<std::byte>(value & 0xff));
  }
  static void append_record(Octets& out, const Octets& owner, std::uint16_t type, const Octets& data) {
    out.insert(out.end(), owner.begin(), owner.end());
    append_u16(out, type);
    append_u16(out, 1);  // IN
    append_u16(out, 0);
    append_u16(out, kTtlSeconds);
    append_u16(out, data.size());
    out.insert(out.end(), data.begin(), data.end());
  }

  void answer(const Endpoint& from, Bytes question) {
    if (question.size() < kHeaderOctets + 5) return;
    std::size_t at = kHeaderOctets;
    std::string name;
    while (question[at] != std::byte{0}) {
      const auto octets = std::to_integer<std::size_t>(question[at++]);
      for (std::size_t i = 0; i < octets; ++i) name += std::to_integer<char>(question[at++]);
      name += '.';
    }
    if (name.empty()) name = ".";
    ++at;
    const auto type = static_cast<std::uint16_t>(std::to_integer<unsigned>(question[at]) << 8 |
                                                 std::to_integer<unsigned>(question[at + 1]));
    ++questions_[type];
    if (ignored_.contains(type)) return;
    const Bytes asked = question.subspan(kHeaderOctets, at + 4 - kHeaderOctets);

    Octets records;
    std::size_t count = 0;
    std::string owner = name;
    if (const auto alias = records_.find({owner, kTypeCname}); alias != records_.end()) {
      append_record(records, wire_name(owner), kTypeCname, alias->second.front());
      owner = target_of(alias->second.front());
      ++count;
    }
    if (const auto found = records_.find({owner, type}); found != records_.end()) {
      for (const Octets& data : found->second) append_record(records, wire_name(owner), type, data);
      count += found->second.size();
    }
    const auto rcode = rcodes_.find(name);
    Octets out(question.begin(), question.begin() + 2);
    append_u16(out, 0x8180U | (rcode == rcodes_.end() ? 0U : rcode->second));
    append_u16(out, 1);
    append_u16(out, count);
    append_u16(out, 0);
    append_u16(out, 0);
    out.insert(out.end(), asked.begin(), asked.end());
    out.insert(out.end(), records.begin(), records.end());
    const Bytes piece = out;
    const Transmit message{.to = from, .pieces = {&piece, 1}};
    socket_.send({&message, 1}, [](const SendFailure&) {});
  }
  static std::string target_of(const Octets& wire) {
    std::string name;
    for (std::size_t at = 0; wire[at] != std::byte{0};) {
      const auto octets = std::to_integer<std::size_t>(wire[at++]);
      for (std::size_t i = 0; i < octets; ++i) name += std::to_integer<char>(wire[at++]);
      name += '.';
    }
    return name;
  }

  UdpSocket socket_;
  ReceiveBatch received_{16};
  std::map<std::pair<std::string, std::uint16_t>, std::vector<Octets>> records_;
  std::map<std::string, unsigned> rcodes_;
  std::set<std::uint16_t> ignored_;
  std::map<std::uint16_t, std::size_t> questions_;
};

}  // namespace amt::test
