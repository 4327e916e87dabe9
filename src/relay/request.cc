/// RFC 7450 §5.3.3.3: Request and Membership Query. Nothing is allocated and no tunnel state is touched.

#include "relay/relay_impl.hh"

namespace amt {
namespace {

/// "The Max Resp Code ... SHOULD be set to 1" (R-5.3.3.3-i): 0.1 s in IGMP, 1 ms in MLD.
constexpr Duration kIgmpResponseTime = std::chrono::milliseconds(100);
constexpr Duration kMldResponseTime = std::chrono::milliseconds(1);

/// R-5.3.3.3-f allows any source. IPv4: none. IPv6: a link-local one, since some hosts drop Queries from `::`
/// (X-4.2-a).
const IpAddress kIgmpSource = IpAddress::unspecified(Family::kIpv4);
const IpAddress kMldSource = *IpAddress::parse("fe80::1");

}  // namespace

void Relay::Impl::build_general_queries() {
  for (const wire::Protocol protocol : {wire::Protocol::kIgmp, wire::Protocol::kMld}) {
    const bool igmp = protocol == wire::Protocol::kIgmp;
    GroupQuery query;
    query.version = igmp ? 3 : 2;
    query.group = IpAddress::unspecified(igmp ? Family::kIpv4 : Family::kIpv6);
    query.max_response_time = igmp ? kIgmpResponseTime : kMldResponseTime;
    query.robustness = options.robustness;
    query.query_interval = options.query_interval;
    general_queries[static_cast<std::size_t>(protocol)] = write_query(igmp ? kIgmpSource : kMldSource, query);
  }
}

std::optional<Refusal> Relay::Impl::refusal_of_request(Instant now, const TunnelEndpoint& from,
                                                       wire::RequestNonce nonce) {
  const std::optional<TunnelId> id = tunnels.find(from);
  if (!id) return options.shared->answers.take(now, from, AnswerBudget::Kind::kQuery, nonce.value);
  // An endpoint with a tunnel shares its budget with no other: a forger of its address does not know its port, and
  // forged messages of others do not affect it.
  const std::uint32_t per_second_max = options.answers.queries_per_address_max;
  if (per_second_max == 0) return std::nullopt;
  if (tunnels[*id].requests.take(now, TokenBucket::kDepth / per_second_max)) return std::nullopt;
  return Refusal{RelayReject::kRequestRateLimit, subscriber_of(from.address)};
}

Relay::Impl::Outcome Relay::Impl::handle_request(Instant now, const TunnelEndpoint& from, const LocalAddress& to,
                                                 Bytes message) {
  counters.add(RelayCounter::kRequestsReceived);
  const auto request = wire::Request::parse(message);
  if (!request) return reject(RelayReject::kBadLength);
  if (const auto refusal = refusal_of_request(now, from, request->nonce)) return refuse(now, *refusal);

  const bool spoilt = gateway_fields.spoilt_igmp_query(from, *request);
  send_query(from, to, *request, gateway_fields.for_request(now, from, *request));
  if (!spoilt) return {};
  // A second answer is charged like the first.
  if (const auto refusal = refusal_of_request(now, from, request->nonce)) return refuse(now, *refusal);
  wire::Request again = *request;
  again.protocol = wire::Protocol::kIgmp;
  send_query(from, to, again, false);
  return {};
}

void Relay::Impl::send_query(const TunnelEndpoint& from, const LocalAddress& to, const wire::Request& request,
                             bool with_fields) {
  wire::MembershipQuery query;
  query.mac = secrets.compute({from, request.nonce, request.ecn_capable});
  query.nonce = request.nonce;
  // R-5.3.3.3-e: "not accepting new endpoints". A gateway that has a tunnel here sees the flag only when it is to move:
  // RFC 8777 §3.3.5 has it restart discovery, and a full relay keeps the gateways that it serves.
  const Admission& admission = options.shared->admission;
  query.limit =
      refuses_newcomers(to) || (!tunnels.find(from) && (admission.is_full() || admission.refuses_tunnel(from.address)));
  query.datagram = general_queries[static_cast<std::size_t>(request.protocol)];
  if (with_fields) query.gateway = wire::GatewayFields{from};

  ControlDatagram& out = transmit(from, to);
  out.resize(wire::kQueryHeaderOctets + query.datagram.size() + (query.gateway ? wire::kGatewayFieldsOctets : 0),
             boost::container::default_init);
  ByteWriter writer(out);
  query.write(writer);
  AMT_ASSERT(writer.written() == out.size());
  counters.add(RelayCounter::kQueriesSent);
  if (query.limit) counters.add(RelayCounter::kQueriesSentWithLimit);
  if (!query.gateway) counters.add(RelayCounter::kQueriesSentWithoutGatewayFields);
}

}  // namespace amt
