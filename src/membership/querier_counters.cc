/// The descriptions of a Querier's counters.
#include "base/counter_table.hh"
#include "membership/querier.hh"

namespace amt {
namespace {

constexpr CounterTable<QuerierCounter> kCounters = {{
    {QuerierCounter::kGeneralQueriesSent,
     message_counter("general_queries_sent", R"(type="general-query",direction="out")", "General Queries")},
    {QuerierCounter::kSpecificQueriesSent,
     message_counter("specific_queries_sent", R"(type="specific-query",direction="out")",
                     "queries about a group, or a group and sources")},
    {QuerierCounter::kReportsReceived,
     message_counter("reports_received", R"(type="report",direction="in")", "IGMPv3 and MLDv2 reports")},
    {QuerierCounter::kOlderReportsReceived,
     message_counter("older_reports_received", R"(type="older-report",direction="in")",
                     "IGMPv1, IGMPv2 and MLDv1 reports")},
    {QuerierCounter::kLeavesReceived,
     message_counter("leaves_received", R"(type="leave",direction="in")", "IGMPv2 leaves and MLDv1 dones")},
    {QuerierCounter::kQueriesReceived,
     message_counter("queries_received", R"(type="query",direction="in")", "queries of other routers")},
    {QuerierCounter::kOlderQueriesReceived,
     own_counter("older_queries_received", "messages", "queries of other routers in an older version",
                 "Have that router speak IGMPv3 and MLDv2.")},
    {QuerierCounter::kQuerierChanges,
     own_counter("querier_changes", "times", "times that another router became the querier, or this one did again")},
    {QuerierCounter::kLinkScopeGroups,
     own_counter("link_scope_groups", "records", "records of link-scope groups, which have no effect")},
    {QuerierCounter::kGroupsNotMulticast,
     own_counter("groups_not_multicast", "records", "records of a group that is no multicast address",
                 "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierCounter::kExcludesOfSsmGroups,
     own_counter("excludes_of_ssm_groups", "records", "joins of a source-specific group without a source",
                 "The host's program must name a source.")},
    {QuerierCounter::kOlderReportsOfSsmGroups,
     own_counter("older_reports_of_ssm_groups", "records", "reports of an older version about source-specific groups",
                 "The host is forced to an old version of IGMP or MLD.")},
    {QuerierCounter::kGroupsLimit, own_counter("groups_limit", "records", "groups beyond the most that a LAN may have",
                                               "Some host on that LAN joins very many groups. The log names it.")},
    {QuerierCounter::kSourcesLimit,
     own_counter("sources_limit", "records", "sources beyond the most that a group may have",
                 "Some host on that LAN names very many sources. The log names it.")},
    {QuerierCounter::kQueriesLimit,
     own_counter("queries_limit", "records", "leaves that were not asked about; the listener ages out instead",
                 "Some host leaves very many groups at once. Nothing is lost by it.")},
    {QuerierCounter::kReportsWithoutRouterAlert,
     own_counter("reports_without_router_alert", "messages",
                 "IGMP reports and leaves without Router Alert, which counted all the same")},
}};
static_assert(is_complete(kCounters));

constexpr CounterTable<QuerierReject> kRejects = {{
    {QuerierReject::kBadHeader,
     reject_counter("reject_bad_header", "messages", "no whole IP datagram",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kOtherFamily,
     reject_counter("reject_other_family", "messages", "another address family",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kNotMembership,
     reject_counter("reject_not_membership", "messages", "no membership message",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kFragment,
     reject_counter("reject_fragment", "messages", "a fragment",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kTruncated,
     reject_counter("reject_truncated", "messages", "truncated",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kBadChecksum,
     reject_counter("reject_bad_checksum", "messages", "wrong checksum",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kBadHopLimit,
     reject_counter("reject_bad_hop_limit", "messages", "TTL or Hop Limit is not 1",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kBadDestination,
     reject_counter("reject_bad_destination", "messages", "wrong destination address",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kNoRouterAlert,
     reject_counter("reject_no_router_alert", "messages", "no Router Alert",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kBadSource,
     reject_counter("reject_bad_source", "messages", "unacceptable source address",
                    "A host or switch on that LAN sends what the protocol forbids. The log names it.")},
    {QuerierReject::kOwnQuery, reject_counter("reject_own_query", "messages", "our own query",
                                              "Nothing, unless it is much: a switch may send back what it gets.")},
    {QuerierReject::kQueryOfNoAddress, reject_counter("reject_query_of_no_address", "messages", "query from 0.0.0.0",
                                                      "Nothing: a snooping switch without an address sends these.")},
    {QuerierReject::kQueryFromElsewhere,
     reject_counter("reject_query_from_elsewhere", "messages", "query from outside the LAN's subnets",
                    "Another router on that LAN has an address of another subnet, or somebody forges.")},
}};
static_assert(is_complete(kRejects));

}  // namespace

const CounterInfo& counter_info(QuerierCounter counter) { return info_in(kCounters, counter); }
const CounterInfo& counter_info(QuerierReject reject) { return info_in(kRejects, reject); }

}  // namespace amt
