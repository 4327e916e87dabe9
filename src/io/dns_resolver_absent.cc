// In the place of dns_resolver.cc, where the program is built without libunbound (-DAMT_DNS=OFF).

#include "io/dns_resolver.hh"

namespace amt {

struct DnsResolver::Impl {};

Result<std::unique_ptr<DnsResolver>, std::string> DnsResolver::create(const DnsResolverOptions&) {
  return Unexpected<std::string>("this program was built without libunbound (name a relay: --relay)");
}

DnsResolver::DnsResolver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DnsResolver::~DnsResolver() = default;

// There is never an object that these could be called on.
DnsResolver::Ticket DnsResolver::look_up(const std::string&, std::uint16_t, AnswerHandler) { return 0; }
void DnsResolver::ask_plainly(Ticket) {}
bool DnsResolver::stop_waiting(Ticket) { return false; }
std::vector<int> DnsResolver::fds() const { return {}; }
void DnsResolver::process() {}

}  // namespace amt
