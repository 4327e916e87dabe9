#pragma once
/// DNS look-ups by libunbound: asynchronous, CNAME and DNAME followed, validated where the answer can be (RFC 8777
/// §3.4, §6.2).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "amt/time.hh"
#include "discovery/dns_answer.hh"

namespace amt {

/// DNS types that this project asks for.
inline constexpr std::uint16_t kDnsTypeA = 1;
inline constexpr std::uint16_t kDnsTypeAaaa = 28;

/// The use of answers whose signatures cannot be checked.
enum class DnssecPolicy : std::uint8_t {
  kRequire,  ///< only signed and valid answers count
  kPrefer,   ///< unsigned ones count, too; broken ones never
  kOff,      ///< nothing is checked
};

struct DnsResolverOptions {
  /// Resolvers to ask; empty: those of /etc/resolv.conf.
  std::vector<Endpoint> resolvers;
  DnssecPolicy dnssec = DnssecPolicy::kPrefer;
  /// Keys that validation starts from, in zone-file form (DS or DNSKEY); not given: the root's, as the distribution
  /// keeps it.
  std::optional<std::string> trust_anchor_file;
  /// A validated answer is waited for this long where unsigned ones count, too (DnsClient): validation takes several
  /// queries, and behind a resolver that is dead each of them may wait for a time-out.
  Duration signatures_wait = std::chrono::milliseconds(1500);
};

/// Lives on one thread, that of the event loop; libunbound works on a thread of its own.
class DnsResolver {
 public:
  using AnswerHandler = std::function<void(const DnsAnswer& answer)>;
  /// Records of an answer beyond are left out.
  static constexpr std::size_t kRecordsMax = 64;

  /// Error: why there can be none, as a person reads it.
  static Result<std::unique_ptr<DnsResolver>, std::string> create(const DnsResolverOptions& options);
  ~DnsResolver();
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;

  using Ticket = std::uint64_t;
  /// `name`: in text form. `on_answer` is called from `process` (at once when nothing can be asked), or never when this
  /// object ends before.
  Ticket look_up(const std::string& name, std::uint16_t type, AnswerHandler on_answer);
  /// The answer takes long: where unsigned ones count, it is asked for without its signatures, too. Nothing happens
  /// when the look-up is over, and where signatures are required or not looked for.
  void ask_plainly(Ticket ticket);
  /// The client waits for signatures no longer: the plain answer counts, if there is one, and else as soon as it comes.
  /// False: the look-up was over.
  bool stop_waiting(Ticket ticket);
  /// When one is readable `process` has something to do.
  [[nodiscard]] std::vector<int> fds() const;
  void process();

 private:
  struct Impl;
  explicit DnsResolver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
