#include "io/dns_resolver.hh"

#include <unbound.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <list>
#include <span>
#include <utility>

#include "io/trust_anchor.hh"
#include "sys/resolver_file.hh"

namespace amt {
namespace {

constexpr const char* kResolverFile = "/etc/resolv.conf";
constexpr int kClassIn = 1;
constexpr int kTypeDnskey = 48;
constexpr int kRcodeServerFailure = 2;
constexpr int kRcodeRefused = 5;

struct ContextDelete {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, ContextDelete>;
struct ResultFree {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using UnboundResult = std::unique_ptr<ub_result, ResultFree>;

/// libunbound's form: `192.0.2.1@53`.
std::string forwarder(const Endpoint& resolver) {
  return resolver.address.to_string() + '@' + std::to_string(resolver.port);
}

std::string problem_of(const ub_result& result) {
  if (result.bogus != 0) {
    return std::string("the signatures are wrong") +
           (result.why_bogus != nullptr ? std::string(": ") + result.why_bogus : "");
  }
  if (result.nxdomain != 0) return "no such name";
  if (result.rcode == kRcodeServerFailure) return "the resolver could not find out (SERVFAIL)";
  if (result.rcode == kRcodeRefused) return "the resolver refused to answer (REFUSED)";
  if (result.rcode != 0) return "the resolver answered with error " + std::to_string(result.rcode);
  return "no record of this type";
}

DnsAnswer answer_of(const ub_result& result, bool validated) {
  DnsAnswer answer;
  if (validated) {
    answer.dnssec = result.secure != 0  ? DnssecState::kSecure
                    : result.bogus != 0 ? DnssecState::kBogus
                                        : DnssecState::kInsecure;
  }
  if (result.canonname != nullptr) answer.canonical_name = result.canonname;
  answer.ttl_seconds = static_cast<std::uint32_t>(std::max(result.ttl, 0));
  if (result.havedata == 0 || result.bogus != 0) {
    answer.problem = problem_of(result);
    answer.denied = result.bogus == 0 && (result.nxdomain != 0 || result.rcode == 0);
    return answer;
  }
  for (std::size_t i = 0; result.data[i] != nullptr && i < DnsResolver::kRecordsMax; ++i) {
    const auto octets = std::as_bytes(std::span(result.data[i], static_cast<std::size_t>(result.len[i])));
    answer.records.emplace_back(octets.begin(), octets.end());
  }
  return answer;
}

}  // namespace

struct DnsResolver::Impl {
  struct Query {
    Impl* owner = nullptr;
    std::string name;
    std::uint16_t type = 0;
    /// Empty: answered already, only libunbound still works on it.
    AnswerHandler on_answer;
    Ticket ticket = 0;
    bool validated = false;
    bool asks_for_anchor = false;
    /// Never validated: it stands in for another that is.
    bool is_substitute = false;
    bool waits_for_signatures = true;
    std::optional<DnsAnswer> plain_answer;
  };

  static Result<Context, std::string> open(const DnsResolverOptions& options, const std::string* anchor_file);
  static void on_result(void* query, int error, ub_result* result);

  void start(Query query);
  void finish(std::list<Query>::iterator query, int error, UnboundResult result);
  /// A bogus answer may come from a resolver that hands on no signatures at all: asks for the anchor's own key.
  void doubt(std::list<Query>::iterator query, DnsAnswer bogus);
  void judge(bool resolver_signs);
  void deliver(std::list<Query>::iterator query, DnsAnswer answer);
  /// One that is being validated and was not answered yet.
  Query* find_validated(Ticket ticket);
  void on_plain_answer(Ticket ticket, const DnsAnswer& answer);
  static void answer_plainly(Query& query);

  DnssecPolicy policy = DnssecPolicy::kOff;
  std::string anchor;
  /// Neither context is ever both: a validating one cannot return answers that it could not validate.
  Context plain;
  Context validating;
  /// Whether the resolver hands on signatures.
  enum class Signatures : std::uint8_t { kUnknown, kAsked, kSeen, kNone };
  Signatures signatures = Signatures::kUnknown;
  std::list<Query> queries;
  Ticket last_ticket = 0;
  /// Bogus answers that wait for that to be known.
  std::vector<std::pair<std::list<Query>::iterator, DnsAnswer>> doubted;
};

Result<Context, std::string> DnsResolver::Impl::open(const DnsResolverOptions& options,
                                                     const std::string* anchor_file) {
  Context context(ub_ctx_create());
  if (!context) return Unexpected<std::string>("the DNS resolver cannot start");
  const auto failed = [](const std::string& what, int error) {
    return Unexpected<std::string>(what + ": " + ub_strerror(error));
  };
  // Private addresses have reverse zones, too, and a resolver may run on this host.
  constexpr std::array<std::pair<const char*, const char*>, 2> kSettings{
      {{"unblock-lan-zones:", "yes"}, {"do-not-query-localhost:", "no"}}};
  for (const auto& [name, value] : kSettings) {
    if (const int error = ub_ctx_set_option(context.get(), name, value); error != 0) return failed(name, error);
  }
  // libunbound's own reading of /etc/resolv.conf knows neither `%eth0` nor options.
  std::vector<std::string> forwarders;
  for (const Endpoint& resolver : options.resolvers) forwarders.push_back(forwarder(resolver));
  if (forwarders.empty()) {
    if (!std::ifstream(kResolverFile)) {
      return Unexpected<std::string>(std::string(kResolverFile) + ": cannot be read (or name a resolver: --resolver)");
    }
    const ResolverFile file = read_resolver_file();
    forwarders = file.name_servers;
    if (file.uses_tcp) static_cast<void>(ub_ctx_set_option(context.get(), "tcp-upstream:", "yes"));
    static_cast<void>(ub_ctx_hosts(context.get(), nullptr));
  }
  for (const std::string& server : forwarders) {
    if (const int error = ub_ctx_set_fwd(context.get(), server.c_str()); error != 0) {
      return failed("resolver " + server, error);
    }
  }
  if (anchor_file != nullptr) {
    if (const int error = ub_ctx_add_ta_file(context.get(), anchor_file->c_str()); error != 0) {
      return failed("trust anchor " + *anchor_file, error);
    }
  }
  constexpr int kThread = 1;
  if (const int error = ub_ctx_async(context.get(), kThread); error != 0) return failed("the DNS resolver", error);
  return context;
}

void DnsResolver::Impl::on_result(void* query, int error, ub_result* result) {
  auto* const asked = static_cast<Query*>(query);
  Impl& impl = *asked->owner;
  const auto place = std::ranges::find_if(impl.queries, [&](const Query& one) { return &one == asked; });
  impl.finish(place, error, UnboundResult(result));
}

void DnsResolver::Impl::start(Query query) {
  query.owner = this;
  query.validated = validating != nullptr && signatures != Signatures::kNone && !query.is_substitute;
  queries.push_back(std::move(query));
  const auto place = std::prev(queries.end());
  ub_ctx* const context = place->validated ? validating.get() : plain.get();
  const int error =
      ub_resolve_async(context, place->name.c_str(), place->type, kClassIn, &*place, &Impl::on_result, nullptr);
  if (error != 0) finish(place, error, nullptr);
}

DnsResolver::Impl::Query* DnsResolver::Impl::find_validated(Ticket ticket) {
  for (Query& query : queries) {
    if (query.ticket == ticket && query.validated && query.on_answer) return &query;
  }
  return nullptr;
}

void DnsResolver::Impl::on_plain_answer(Ticket ticket, const DnsAnswer& answer) {
  Query* const query = find_validated(ticket);
  // A failure is no answer: the other way may still bring one.
  if (query == nullptr || (answer.records.empty() && !answer.denied)) return;
  query->plain_answer = answer;
  if (!query->waits_for_signatures) answer_plainly(*query);
}

void DnsResolver::Impl::answer_plainly(Query& query) {
  // The query itself stays until libunbound has done with it.
  const AnswerHandler on_answer = std::exchange(query.on_answer, nullptr);
  const DnsAnswer answer = *std::exchange(query.plain_answer, std::nullopt);
  on_answer(answer);
}

void DnsResolver::Impl::finish(std::list<Query>::iterator query, int error, UnboundResult result) {
  if (!query->on_answer) {
    queries.erase(query);
    return;
  }
  if (error != 0 || !result) {
    DnsAnswer answer;
    answer.problem = std::string("the look-up failed: ") + ub_strerror(error);
    return deliver(query, std::move(answer));
  }
  DnsAnswer answer = answer_of(*result, query->validated);
  if (answer.dnssec == DnssecState::kSecure && signatures == Signatures::kUnknown) signatures = Signatures::kSeen;
  const bool doubtful = answer.dnssec == DnssecState::kBogus && policy == DnssecPolicy::kPrefer &&
                        signatures != Signatures::kSeen && !query->asks_for_anchor;
  if (doubtful) return doubt(query, std::move(answer));
  if (policy == DnssecPolicy::kRequire && answer.dnssec == DnssecState::kInsecure && !answer.records.empty()) {
    answer.records.clear();
    answer.problem = "the zone is not signed, and signatures are required";
  }
  deliver(query, std::move(answer));
}

void DnsResolver::Impl::doubt(std::list<Query>::iterator query, DnsAnswer bogus) {
  doubted.emplace_back(query, std::move(bogus));
  if (signatures == Signatures::kNone) return judge(false);
  if (signatures == Signatures::kAsked) return;
  signatures = Signatures::kAsked;
  Query key;
  key.name = anchor;
  key.type = kTypeDnskey;
  key.asks_for_anchor = true;
  key.on_answer = [this](const DnsAnswer& answer) { judge(answer.dnssec == DnssecState::kSecure); };
  start(std::move(key));
}

void DnsResolver::Impl::judge(bool resolver_signs) {
  signatures = resolver_signs ? Signatures::kSeen : Signatures::kNone;
  for (auto& [query, bogus] : std::exchange(doubted, {})) {
    if (resolver_signs || !query->on_answer) {
      deliver(query, std::move(bogus));
      continue;
    }
    Query again = std::move(*query);
    queries.erase(query);
    start(std::move(again));
  }
}

void DnsResolver::Impl::deliver(std::list<Query>::iterator query, DnsAnswer answer) {
  const AnswerHandler on_answer = std::move(query->on_answer);
  queries.erase(query);
  if (on_answer) on_answer(answer);
}

Result<std::unique_ptr<DnsResolver>, std::string> DnsResolver::create(const DnsResolverOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->policy = options.dnssec;
  Result<Context, std::string> plain = Impl::open(options, nullptr);
  if (!plain) return Unexpected<std::string>(plain.error());
  impl->plain = std::move(*plain);
  const std::optional<std::string> anchor = options.trust_anchor_file ? options.trust_anchor_file : root_anchor_file();
  if (options.dnssec == DnssecPolicy::kRequire && !anchor) {
    return Unexpected<std::string>("signatures cannot be checked: there is no trust anchor (package dns-root-data)");
  }
  if (options.dnssec != DnssecPolicy::kOff && anchor) {
    Result<Context, std::string> validating = Impl::open(options, &*anchor);
    if (!validating) return Unexpected<std::string>(validating.error());
    impl->validating = std::move(*validating);
    impl->anchor = anchor_name(*anchor);
  }
  return std::unique_ptr<DnsResolver>(new DnsResolver(std::move(impl)));
}

DnsResolver::DnsResolver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DnsResolver::~DnsResolver() = default;

DnsResolver::Ticket DnsResolver::look_up(const std::string& name, std::uint16_t type, AnswerHandler on_answer) {
  Impl::Query query;
  query.name = name;
  query.type = type;
  query.on_answer = std::move(on_answer);
  query.ticket = ++impl_->last_ticket;
  impl_->start(std::move(query));
  return impl_->last_ticket;
}

void DnsResolver::ask_plainly(Ticket ticket) {
  const Impl::Query* const query = impl_->find_validated(ticket);
  if (query == nullptr || impl_->policy != DnssecPolicy::kPrefer) return;
  Impl::Query substitute;
  substitute.name = query->name;
  substitute.type = query->type;
  substitute.is_substitute = true;
  substitute.on_answer = [impl = impl_.get(), ticket](const DnsAnswer& answer) {
    impl->on_plain_answer(ticket, answer);
  };
  impl_->start(std::move(substitute));
}

bool DnsResolver::stop_waiting(Ticket ticket) {
  Impl::Query* const query = impl_->find_validated(ticket);
  if (query == nullptr || impl_->policy != DnssecPolicy::kPrefer) return false;
  query->waits_for_signatures = false;
  if (query->plain_answer) Impl::answer_plainly(*query);
  return true;
}

std::vector<int> DnsResolver::fds() const {
  std::vector<int> descriptors{ub_fd(impl_->plain.get())};
  if (impl_->validating) descriptors.push_back(ub_fd(impl_->validating.get()));
  return descriptors;
}

void DnsResolver::process() {
  ub_process(impl_->plain.get());
  if (impl_->validating) ub_process(impl_->validating.get());
}

}  // namespace amt
