#include "io/dns_resolver.hh"

#include <unbound.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <list>
#include <span>
#include <utility>

namespace amt {
namespace {

constexpr int kClassIn = 1;
constexpr int kTypeDnskey = 48;
constexpr int kRcodeServerFailure = 2;
constexpr int kRcodeRefused = 5;
/// Where distributions keep the root's keys: dns-root-data, unbound-anchor.
constexpr std::array kRootAnchorFiles{"/usr/share/dns/root.key", "/var/lib/unbound/root.key", "/etc/unbound/root.key"};

struct ContextDelete {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, ContextDelete>;
struct ResultFree {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using UnboundResult = std::unique_ptr<ub_result, ResultFree>;

std::optional<std::string> root_anchor_file() {
  std::error_code ignored;
  for (const char* path : kRootAnchorFiles) {
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return std::nullopt;
}

/// The name whose key the file holds: the first word that is no comment.
std::string anchor_name(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == ';') continue;
    return line.substr(begin, line.find_first_of(" \t", begin) - begin);
  }
  return ".";
}

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

std::string_view to_string(DnssecState state) {
  switch (state) {
    case DnssecState::kSecure:
      return "secure";
    case DnssecState::kInsecure:
      return "insecure";
    case DnssecState::kBogus:
      return "bogus";
    case DnssecState::kUnchecked:
      break;
  }
  return "unchecked";
}

struct DnsResolver::Impl {
  struct Query {
    Impl* owner = nullptr;
    std::string name;
    std::uint16_t type = 0;
    AnswerHandler on_answer;
    bool validated = false;
    bool asks_for_anchor = false;
  };

  static Result<Context, std::string> open(const DnsResolverOptions& options, const std::string* anchor_file);
  static void on_result(void* query, int error, ub_result* result);

  void start(Query query);
  void finish(std::list<Query>::iterator query, int error, UnboundResult result);
  /// A bogus answer may come from a resolver that hands on no signatures at all: asks for the anchor's own key.
  void doubt(std::list<Query>::iterator query, DnsAnswer bogus);
  void judge(bool resolver_signs);
  void deliver(std::list<Query>::iterator query, DnsAnswer answer);

  DnssecPolicy policy = DnssecPolicy::kOff;
  std::string anchor;
  /// Neither context is ever both: a validating one has no way to hand out what it could not validate.
  Context plain;
  Context validating;
  /// Whether the resolver hands on signatures.
  enum class Signatures : std::uint8_t { kUnknown, kAsked, kSeen, kNone };
  Signatures signatures = Signatures::kUnknown;
  std::list<Query> queries;
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
  if (options.resolvers.empty()) {
    if (const int error = ub_ctx_resolvconf(context.get(), nullptr); error != 0) {
      return failed("/etc/resolv.conf", error);
    }
    static_cast<void>(ub_ctx_hosts(context.get(), nullptr));
  }
  for (const Endpoint& resolver : options.resolvers) {
    if (const int error = ub_ctx_set_fwd(context.get(), forwarder(resolver).c_str()); error != 0) {
      return failed("resolver " + resolver.to_string(), error);
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
  query.validated = validating != nullptr && signatures != Signatures::kNone;
  queries.push_back(std::move(query));
  const auto place = std::prev(queries.end());
  ub_ctx* const context = place->validated ? validating.get() : plain.get();
  const int error =
      ub_resolve_async(context, place->name.c_str(), place->type, kClassIn, &*place, &Impl::on_result, nullptr);
  if (error != 0) finish(place, error, nullptr);
}

void DnsResolver::Impl::finish(std::list<Query>::iterator query, int error, UnboundResult result) {
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
    if (resolver_signs) {
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
  on_answer(answer);
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

void DnsResolver::look_up(const std::string& name, std::uint16_t type, AnswerHandler on_answer) {
  Impl::Query query;
  query.name = name;
  query.type = type;
  query.on_answer = std::move(on_answer);
  impl_->start(std::move(query));
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
