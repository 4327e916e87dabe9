/// Specific queries of a LAN (RFC 3376 §6.6.3, RFC 3810 §7.6.3): when they are sent, and which sources they name.
#include <utility>

#include "membership/router_group.hh"

namespace amt {
namespace {

/// A query with its sources stays below the least IPv6 MTU, on any link: (1280 - 76) / 16, and the same for IPv4.
constexpr std::size_t kQuerySourcesMax = 75;

Duration last_member_query_time(const RouterOptions& options) {
  return options.robustness * options.last_member_query_interval;
}

GroupQuery make_query(const IpAddress& group, const RouterOptions& options, bool suppress) {
  GroupQuery query;
  query.version = group.is_v4() ? 3 : 2;
  query.group = group;
  query.max_response_time = options.last_member_query_interval;
  query.suppress_router_processing = suppress;
  query.robustness = options.robustness <= 7 ? options.robustness : std::uint8_t{0};
  query.query_interval = options.query_interval;
  return query;
}

std::size_t pieces_of(std::size_t sources) { return (sources + kQuerySourcesMax - 1) / kQuerySourcesMax; }

void send_in_pieces(const GroupQuery& query, std::span<const IpAddress> sources, QueryQueue& queue) {
  while (!sources.empty()) {
    const std::size_t count = std::min(sources.size(), kQuerySourcesMax);
    GroupQuery piece = query;
    piece.sources.assign(sources.begin(), sources.begin() + static_cast<std::ptrdiff_t>(count));
    queue.push(std::move(piece));
    sources = sources.subspan(count);
  }
}

}  // namespace

bool QueryQueue::admit(Instant now, std::size_t queries) {
  constexpr Duration kEach = Duration(std::chrono::seconds(1)) / kQueriesPerSecondMax;
  const Instant paid_until = std::max(paid_until_, now) + static_cast<std::int64_t>(queries) * kEach;
  if (paid_until - now > kBurstMax * kEach) {
    ++refusals_;
    return false;
  }
  paid_until_ = paid_until;
  return true;
}

std::uint32_t QueryQueue::take_refusals() { return std::exchange(refusals_, 0); }

std::optional<GroupQuery> QueryQueue::pop() {
  if (queries_.empty()) return std::nullopt;
  GroupQuery query = std::move(queries_.front());
  queries_.pop_front();
  return query;
}

void RouterGroup::ask_about_sources(Instant now, const RouterOptions& options, std::span<const IpAddress> sources,
                                    QueryQueue& queue) {
  // RFC 3376 §6.6.3.2: "for each of the sources in X of group G, with source timer larger than LMQT: Set number of
  // retransmissions for each source to [Last Member Query Count]. Lower source timer to LMQT."
  const Instant lowered = now + last_member_query_time(options);
  std::vector<SourceRecord*> asked;
  for (const IpAddress& source : sources) {
    SourceRecord* const record = find(source);
    if (record != nullptr && record->expires > lowered) asked.push_back(record);
  }
  if (asked.empty() || !queue.admit(now, pieces_of(asked.size()) * options.robustness)) return;
  auto& queries = extras().source_queries;
  for (SourceRecord* const record : asked) {
    record->expires = lowered;
    auto query = std::lower_bound(queries.begin(), queries.end(), record->address,
                                  [](const SourceQueries& q, const IpAddress& a) { return q.source < a; });
    if (query == queries.end() || query->source != record->address) query = queries.insert(query, {record->address, 0});
    query->left = options.robustness;
  }
  extras().next_query = now;
}

void RouterGroup::ask_about_group(Instant now, const RouterOptions& options, QueryQueue& queue) {
  const Instant lowered = now + last_member_query_time(options);
  // A repeat of the same leave while its queries are under way starts no second round.
  if (expires_ <= lowered && extras_ && extras_->group_queries_left > 0) return;
  if (!queue.admit(now, options.robustness)) return;
  expires_ = std::min(expires_, lowered);
  extras().group_queries_left = options.robustness;
  extras().next_query = now;
}

void RouterGroup::stop_queries() {
  if (!extras_) return;
  extras_->group_queries_left = 0;
  extras_->source_queries.clear();
  extras_->next_query = kNoDeadline;
  refresh_deadline();
}

void RouterGroup::send_queries(Instant now, const RouterOptions& options, QueryQueue& queue) {
  if (!extras_ || now < extras_->next_query) return;
  const Instant lowered = now + last_member_query_time(options);
  const bool about_group = extras_->group_queries_left > 0 && mode_ == FilterMode::kExclude;
  if (about_group) {
    // §6.6.3.1: "if the group timer is larger than LMQT, the "Suppress Router-Side Processing" bit is set".
    queue.push(make_query(group_, options, expires_ > lowered));
    --extras_->group_queries_left;
  } else {
    extras_->group_queries_left = 0;
  }

  SourceList suppressed;
  SourceList plain;
  for (SourceQueries& query : extras_->source_queries) {
    const SourceRecord* const record = find(query.source);
    if (record == nullptr || !record->is_forwarded()) {
      query.left = 0;
      continue;
    }
    (record->expires > lowered ? suppressed : plain).push_back(query.source);
    --query.left;
  }
  // §6.6.3.2: beside a group-specific query "transmission of the group and source specific message with the "Suppress
  // Router-Side Processing" bit set may be suppressed".
  if (!about_group) send_in_pieces(make_query(group_, options, true), suppressed, queue);
  send_in_pieces(make_query(group_, options, false), plain, queue);

  auto& queries = extras_->source_queries;
  queries.erase(std::remove_if(queries.begin(), queries.end(), [](const SourceQueries& q) { return q.left == 0; }),
                queries.end());
  const bool more = extras_->group_queries_left > 0 || !queries.empty();
  extras_->next_query = more ? now + options.last_member_query_interval : kNoDeadline;
  refresh_deadline();
}

}  // namespace amt
