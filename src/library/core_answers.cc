/// What a caller of the core answers.

#include "library/c_values.hh"
#include "library/core.hh"

namespace amt {
namespace {

Unexpected<Failure> argument_failure(const char* text) { return Unexpected<Failure>({AMT_ERROR_ARGUMENT, text}); }

DnssecState dnssec_of(int state) {
  switch (state) {
    case AMT_DNSSEC_SECURE:
      return DnssecState::kSecure;
    case AMT_DNSSEC_INSECURE:
      return DnssecState::kInsecure;
    case AMT_DNSSEC_BOGUS:
      return DnssecState::kBogus;
    case AMT_DNSSEC_UNCHECKED:
      break;
  }
  return DnssecState::kUnchecked;
}

std::string problem_of(const amt_answer& answer) { return answer.text == nullptr ? "unknown" : answer.text; }

}  // namespace

LibraryCore::Done LibraryCore::answer(std::int64_t now_ns, const amt_answer& answer) {
  if (!is_bounded(answer.text)) return argument_failure("a text without end");
  if (answer.count > AMT_CORE_RECORDS_MAX) return argument_failure("too many records or names");
  if (Done begun = advance(now_ns); !begun) return begun;
  // There is more to poll from now on.
  is_polled_ = false;
  switch (number_of(answer.kind)) {
    case AMT_ANSWER_DNS:
      return answer_dns(answer);
    case AMT_ANSWER_SOURCE:
      return answer_source(answer);
    case AMT_ANSWER_DOMAINS:
      return answer_domains(answer);
    case AMT_ANSWER_SOCKET_FAILED:
      client_.handle_socket_failed(now_, SocketId{answer.socket}, problem_of(answer));
      return {};
    case AMT_ANSWER_SEND_FAILED:
    case AMT_ANSWER_UNREACHABLE:
      return answer_socket(answer);
    case AMT_ANSWER_NETWORK_CHANGED:
      client_.handle_network_change(now_);
      return {};
  }
  return argument_failure("no kind of answer");
}

LibraryCore::Done LibraryCore::answer_dns(const amt_answer& answer) {
  DnsAnswer known;
  if (answer.count != 0 && answer.records == nullptr) return argument_failure("records that are a null pointer");
  for (const amt_record& record : std::span(answer.records, answer.count)) {
    if (record.size > AMT_CORE_RECORD_OCTETS_MAX || (record.octets == nullptr && record.size != 0)) {
      return argument_failure("a record that is too long, or a null pointer");
    }
    const auto* const octets = static_cast<const std::byte*>(record.octets);
    known.records.emplace_back(octets, octets + record.size);
  }
  known.dnssec = dnssec_of(number_of(answer.dnssec));
  if (known.records.empty()) known.problem = problem_of(answer);
  known.denied = answer.denied != 0;
  known.ttl_seconds = answer.ttl_seconds;
  client_.handle_dns_answer(now_, DnsQuestionId{answer.question}, known);
  return {};
}

LibraryCore::Done LibraryCore::answer_source(const amt_answer& answer) {
  const std::optional<Endpoint> destination = endpoint_of(answer.endpoint);
  if (!destination) return argument_failure("a destination that is no address");
  std::optional<IpAddress> source;
  if (answer.source.length != 0) {
    const std::optional<Endpoint> own = endpoint_of(answer.source);
    if (!own || own->address.family() != destination->address.family()) {
      return argument_failure("a source that is no address of the destination's family");
    }
    source = own->address;
  }
  client_.handle_source_answer(now_, destination->address, source);
  return {};
}

LibraryCore::Done LibraryCore::answer_domains(const amt_answer& answer) {
  ServiceDomains domains;
  if (answer.count != 0 && answer.names == nullptr) return argument_failure("names that are a null pointer");
  for (const char* name : std::span(answer.names, answer.count)) {
    const std::optional<DomainName> domain =
        name != nullptr && is_bounded(name) ? DomainName::parse(name) : std::nullopt;
    if (!domain) return argument_failure("a name that is none of the DNS");
    domains.named.push_back(*domain);
  }
  domains.advisers = domains.named;
  client_.handle_service_domains(now_, domains);
  return {};
}

LibraryCore::Done LibraryCore::answer_socket(const amt_answer& answer) {
  const std::optional<Endpoint> to = endpoint_of(answer.endpoint);
  if (!to) return argument_failure("an endpoint that is no address");
  if (answer.kind == AMT_ANSWER_SEND_FAILED) {
    client_.handle_send_error(now_, SocketId{answer.socket}, *to, problem_of(answer));
  } else {
    client_.handle_unreachable(now_, SocketId{answer.socket}, *to);
  }
  return {};
}

}  // namespace amt
