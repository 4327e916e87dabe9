/// Names of what a Querier counts.
#include <array>

#include "membership/querier.hh"

namespace amt {
namespace {

constexpr std::array<std::string_view, Counters<QuerierReject>::kSize> kRejectTexts{
    "no whole IP datagram",
    "another address family",
    "no membership message",
    "a fragment",
    "truncated",
    "wrong checksum",
    "TTL or Hop Limit is not 1",
    "wrong destination address",
    "no Router Alert",
    "unacceptable source address",
    "our own query",
    "query from 0.0.0.0",
    "query from outside the LAN's subnets",
};

constexpr std::array<std::string_view, Counters<QuerierReject>::kSize> kRejectNames{
    "reject_bad_header",
    "reject_other_family",
    "reject_not_membership",
    "reject_fragment",
    "reject_truncated",
    "reject_bad_checksum",
    "reject_bad_hop_limit",
    "reject_bad_destination",
    "reject_no_router_alert",
    "reject_bad_source",
    "reject_own_query",
    "reject_query_of_no_address",
    "reject_query_from_elsewhere",
};

constexpr std::array<std::string_view, Counters<QuerierCounter>::kSize> kCounterNames{
    "general_queries_sent", "specific_queries_sent", "reports_received",       "older_reports_received",
    "leaves_received",      "queries_received",      "older_queries_received", "querier_changes",
    "link_scope_groups",    "groups_not_multicast",  "excludes_of_ssm_groups", "older_reports_of_ssm_groups",
    "groups_limit",         "sources_limit",         "queries_limit",          "reports_without_router_alert",
};

}  // namespace

std::string_view to_string(QuerierReject reject) { return kRejectTexts.at(static_cast<std::size_t>(reject)); }
std::string_view counter_name(QuerierReject reject) { return kRejectNames.at(static_cast<std::size_t>(reject)); }
std::string_view counter_name(QuerierCounter counter) { return kCounterNames.at(static_cast<std::size_t>(counter)); }

}  // namespace amt
