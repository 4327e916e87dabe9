#include "sys/search_domains.hh"

#include <netinet/in.h>
#include <resolv.h>

#include <memory>
#include <type_traits>

namespace amt {
namespace {

using ResolverState = std::remove_pointer_t<res_state>;
struct StateClose {
  void operator()(ResolverState* state) const { ::res_nclose(state); }
};

}  // namespace

std::vector<std::string> search_domains() {
  ResolverState state{};
  if (::res_ninit(&state) != 0) return {};
  const std::unique_ptr<ResolverState, StateClose> owner(&state);
  std::vector<std::string> domains;
  for (const char* domain : state.dnsrch) {
    if (domain == nullptr) break;
    if (*domain != '\0') domains.emplace_back(domain);
  }
  return domains;
}

}  // namespace amt
