/// The descriptions of a gateway's counters.
#include "base/counter_table.hh"
#include "gateway/gateway.hh"

namespace amt {
namespace {

constexpr CounterTable<GatewayCounter> kCounters = {{
    {GatewayCounter::kDiscoveriesSent,
     message_counter("discoveries_sent", R"(type="discovery",direction="out")", "Relay Discovery messages")},
    {GatewayCounter::kAdvertisementsReceived,
     message_counter("advertisements_received", R"(type="advertisement",direction="in")",
                     "Relay Advertisement messages that were accepted")},
    {GatewayCounter::kRequestsSent,
     message_counter("requests_sent", R"(type="request",direction="out")", "Request messages")},
    {GatewayCounter::kQueriesReceived, message_counter("queries_received", R"(type="query",direction="in")",
                                                       "Membership Query messages that were accepted")},
    {GatewayCounter::kUpdatesSent,
     message_counter("updates_sent", R"(type="update",direction="out")", "Membership Update messages")},
    {GatewayCounter::kTeardownsSent,
     message_counter("teardowns_sent", R"(type="teardown",direction="out")", "Teardown messages")},
    {GatewayCounter::kDataReceived, packet_counter("data_received", R"(direction="in")",
                                                   "multicast datagrams that came through tunnels and were accepted")},
    {GatewayCounter::kDataBytesReceived,
     octet_counter("data_bytes_received", R"(direction="in")", "octets of these datagrams")},
    {GatewayCounter::kRelayChanges, own_counter("relay_changes", "times", "changes to another relay",
                                                "A relay or the way to it fails: the log says which.")},
    {GatewayCounter::kSilences,
     own_counter("silences", "times", "times that data stopped and the relay was asked early",
                 "Often a source that pauses. With relay_changes: the relay fails.")},
    {GatewayCounter::kUnreachables, own_counter("unreachables", "messages", "ICMP errors for what was sent to a relay",
                                                "Is the relay running, and UDP port 2268 open on the way to it?")},
    {GatewayCounter::kEcnMismatch,
     own_counter("ecn_mismatches", "datagrams", "datagrams with congestion marks that should not occur together",
                 "Something on the way rewrites ECN fields. --no-ecn at either end turns the marks off.")},
}};
static_assert(is_complete(kCounters));

constexpr CounterTable<GatewayReject> kRejects = {{
    {GatewayReject::kEmpty, reject_counter("reject_empty", "messages", "datagrams without content",
                                           "Something on the way damages datagrams, or somebody forges them. If it is "
                                           "much, capture one: UDP from port 2268.")},
    {GatewayReject::kBadVersion,
     reject_counter("reject_bad_version", "messages", "AMT messages of another version than 0",
                    "Something on the way damages datagrams, or somebody forges them. If it is much, capture one: UDP "
                    "from port 2268.")},
    {GatewayReject::kUnknownType, reject_counter("reject_unknown_type", "messages", "AMT messages of an unknown type",
                                                 "Something on the way damages datagrams, or somebody forges them. If "
                                                 "it is much, capture one: UDP from port 2268.")},
    {GatewayReject::kBadLength,
     reject_counter("reject_bad_length", "messages", "AMT messages that are too short or too long for their type",
                    "Something on the way damages datagrams, or somebody forges them. If it is much, capture one: UDP "
                    "from port 2268.")},
    {GatewayReject::kWrongRole, reject_counter("reject_wrong_role", "messages", "messages that only a gateway sends",
                                               "Another gateway, or a forger, sends to this gateway's port.")},
    {GatewayReject::kNotWaiting,
     reject_counter("reject_not_waiting", "messages", "Advertisements and Queries that nobody waits for",
                    "Often an answer that came late. If it is much, somebody forges answers; they have no effect.")},
    {GatewayReject::kWrongNonce,
     reject_counter("reject_wrong_nonce", "messages",
                    "Advertisements and Queries whose nonce is not the one that was sent",
                    "Often an answer that came late. If it is much, somebody forges answers; they have no effect.")},
    {GatewayReject::kWrongSource,
     reject_counter("reject_wrong_source", "messages", "messages that do not come from where they were asked for",
                    "The relay answers from another address: give it --local. Or somebody forges; it has no effect.")},
    {GatewayReject::kBadRelayAddress,
     reject_counter("reject_bad_relay_address", "messages",
                    "Advertisements that name an address which no relay can have",
                    "The relay's --local or --advertise is wrong, or somebody forges.")},
    {GatewayReject::kInnerTruncated,
     reject_counter("reject_inner_truncated", "messages", "messages whose inner datagram is cut off",
                    "Something on the way damages datagrams, or somebody forges them. If it is much, capture one: UDP "
                    "from port 2268.")},
    {GatewayReject::kInnerBadHeader,
     reject_counter("reject_inner_bad_header", "messages", "messages whose inner IP header is damaged",
                    "Something on the way damages datagrams, or somebody forges them. If it is much, capture one: UDP "
                    "from port 2268.")},
    {GatewayReject::kInnerBadHeaderChecksum,
     reject_counter("reject_inner_bad_header_checksum", "messages",
                    "messages whose inner IPv4 header has a wrong checksum",
                    "Something on the way damages datagrams, or somebody forges them. If it is much, capture one: UDP "
                    "from port 2268.")},
    {GatewayReject::kInnerBadChecksum,
     reject_counter("reject_inner_bad_checksum", "messages", "Queries whose inner message has a wrong checksum",
                    "Something on the way damages datagrams, or somebody forges them. If it is much, capture one: UDP "
                    "from port 2268.")},
    {GatewayReject::kInnerNotQuery,
     reject_counter("reject_inner_not_query", "messages",
                    "Queries whose inner datagram is no General Query of the version that was asked for",
                    "The relay speaks an older IGMP or MLD version than RFC 7450 demands.")},
    {GatewayReject::kDataNotMulticast,
     reject_counter("reject_data_not_multicast", "datagrams", "data whose inner destination is no multicast address",
                    "Somebody forges data; it goes no further.")},
    {GatewayReject::kDataNotWanted,
     reject_counter("reject_data_not_wanted", "datagrams", "data that nobody here has asked for",
                    "For a moment after a leave that is usual. If it goes on, the relay sends too much or somebody "
                    "forges data; it goes no further.")},
    {GatewayReject::kDataBadChecksum,
     reject_counter("reject_data_bad_checksum", "datagrams", "data whose UDP or other checksum is wrong",
                    "Something on the way damages datagrams.")},
    {GatewayReject::kDataEcnDrop, reject_counter("reject_data_ecn_drop", "datagrams",
                                                 "data marked as congested outside and not capable of it inside",
                                                 "The path was congested and the relay marks what may not be marked. "
                                                 "--no-ecn at either end turns the marks off.")},
}};
static_assert(is_complete(kRejects));

}  // namespace

const CounterInfo& counter_info(GatewayCounter counter) { return info_in(kCounters, counter); }
const CounterInfo& counter_info(GatewayReject reject) { return info_in(kRejects, reject); }

}  // namespace amt
