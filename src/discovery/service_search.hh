#pragma once
/// DNS-SD: from the domains of the network around to the relays that it has (RFC 8777 §3.1.2; RFC 6763 §4, §5, §11).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amt/time.hh"
#include "base/random.hh"
#include "discovery/dns_answer.hh"
#include "discovery/relay_preference.hh"
#include "discovery/service_record.hh"

namespace amt {

/// Where to look.
struct ServiceDomains {
  /// `_amt._udp` is asked for in these.
  std::vector<DomainName> named;
  /// Which further domains to look in is asked of these: the same ones, reverse names of subnets.
  std::vector<DomainName> advisers;
};

enum class DnsType : std::uint16_t { kA = 1, kPtr = 12, kAaaa = 28, kSrv = 33 };

struct ServiceQuestion {
  DomainName name;
  DnsType type = DnsType::kPtr;
  /// An answer that comes after its round says nothing of the next.
  std::uint64_t round = 0;

  friend bool operator==(const ServiceQuestion&, const ServiceQuestion&) = default;
};

struct ServiceAnswer {
  std::vector<Bytes> records;
  std::uint32_t ttl_seconds = 0;
  /// There certainly are none.
  bool denied = false;
  /// Why there are none, as a person reads it.
  std::string problem;
  /// The result of DNSSEC.
  std::string dnssec;
};

/// The answer of a resolver; its records are those of `answer`, which must outlive it.
[[nodiscard]] ServiceAnswer service_answer(const DnsAnswer& answer);

/// A domain that was asked for `_amt._udp`.
struct ServiceDomain {
  DomainName name;
  std::size_t instances = 0;
  std::uint32_t ttl_seconds = 0;
  std::string dnssec;
  /// There certainly are no instances.
  bool denied = false;
  /// Why there are none.
  std::string problem;
};

/// One SRV record of an instance, or an instance that has none.
struct ServiceRelay {
  DomainName instance;
  std::optional<SrvRecord> location;
  std::vector<IpAddress> addresses;
  /// Why there are no addresses.
  std::string problem;
  /// Drawn once: the smallest of equal priority is first, more often the greater its weight.
  double lot = 0;
};

/// Decides, never sends: one input, then `poll_question` until it gives nothing. Time is an argument. Not thread-safe.
/// Works in rounds; each asks all questions again. Relays of an earlier round stay known until the next one is over,
/// and longer while the DNS cannot be asked.
class ServiceSearch {
 public:
  // Answers of the DNS are not trusted: entries beyond these limits are left out.
  static constexpr std::size_t kDomainsMax = 8;
  static constexpr std::size_t kRelaysMax = 8;
  static constexpr std::size_t kAddressesEach = 4;
  static constexpr std::size_t kOptionsMax = 16;
  static constexpr std::size_t kQuestionsMax = 48;
  /// The first round waits this long for the best of them; then relays are known as they come (D-3.2.2-b).
  static constexpr Duration kFirstResultsDelay = std::chrono::milliseconds(300);
  /// Questions without an answer by then are given up.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  /// The DNS is not asked more often, nor more rarely, for any TTL: other domains may be this host's by then.
  static constexpr Duration kLifetimeMin = std::chrono::seconds(10);
  static constexpr Duration kLifetimeMax = std::chrono::hours(1);
  /// Most networks have nothing to say, and some say so with no life at all.
  static constexpr Duration kDenialMin = std::chrono::minutes(1);

  explicit ServiceSearch(Random& random) : random_(random) {}

  /// A round begins.
  void start(Instant now, const ServiceDomains& domains);
  /// This host is somewhere else now: nothing is known.
  void forget();
  void handle_answer(Instant now, const ServiceQuestion& question, const ServiceAnswer& answer);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::optional<ServiceQuestion> poll_question();

  /// `start` is due: the records' life has ended, or the DNS, which could not be asked, may be asked again (D-3.5-a).
  [[nodiscard]] bool is_start_due(Instant now) const { return !asking_ && next_start_ <= now; }
  /// More may be known soon.
  [[nodiscard]] bool is_searching() const { return asking_ && !known_before_; }
  /// In order of preference; each with its destination's address alone.
  [[nodiscard]] const std::vector<RelayOption>& options() const { return options_; }
  /// Why there are none, as a person reads it; empty, too, when no domain is known.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // Of this round, for a person
  [[nodiscard]] const std::vector<ServiceDomain>& domains() const { return domains_; }
  [[nodiscard]] const std::vector<ServiceRelay>& relays() const { return relays_; }

 private:
  struct Asked {
    ServiceQuestion question;
    bool answered = false;
  };

  void ask(const std::optional<DomainName>& name, DnsType type);
  void add_domain(const DomainName& name);
  void add_instance(const DomainName& name);
  void handle_failure(const ServiceQuestion& question);
  /// The domain that is asked for `_amt._udp`; none: another question.
  [[nodiscard]] std::vector<ServiceDomain>::iterator domain_of(const ServiceQuestion& question);
  void handle_instances(ServiceDomain& domain, const ServiceAnswer& answer);
  void handle_locations(const DomainName& instance, const ServiceAnswer& answer);
  void locate(ServiceRelay& relay, SrvRecord location);
  void handle_addresses(const DomainName& target, const ServiceAnswer& answer);
  [[nodiscard]] std::vector<RelayOption> found() const;
  [[nodiscard]] std::string why_none() const;
  void end_round(Instant now);

  Random& random_;
  std::uint64_t round_ = 0;
  std::vector<Asked> asked_;
  std::size_t polled_ = 0;
  std::vector<ServiceDomain> domains_;
  std::vector<ServiceRelay> relays_;
  std::vector<RelayOption> options_;
  std::string problem_;

  bool asking_ = false;
  /// An earlier round was over.
  bool known_before_ = false;
  bool first_results_due_ = false;
  bool failed_ = false;
  std::uint32_t failures_ = 0;
  Duration lifetime_{};
  Instant started_at_{};
  Instant next_start_ = Instant::min();
};

}  // namespace amt
