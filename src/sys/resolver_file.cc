#include "sys/resolver_file.hh"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <memory>
#include <type_traits>

namespace amt {
namespace {

using ResolverState = std::remove_pointer_t<res_state>;
struct StateClose {
  void operator()(ResolverState* state) const { ::res_nclose(state); }
};

std::string to_text(const in_addr& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &address, text.data(), text.size());
}

std::string to_text(const sockaddr_in6& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::array<char, IF_NAMESIZE> interface {};
  std::string shown = ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  if (address.sin6_scope_id == 0) return shown;
  if (::if_indextoname(address.sin6_scope_id, interface.data()) == nullptr) return shown;
  return shown + '%' + interface.data();
}

}  // namespace

ResolverFile read_resolver_file() {
  ResolverState state{};
  ResolverFile file;
  if (::res_ninit(&state) != 0) return file;
  const std::unique_ptr<ResolverState, StateClose> owner(&state);
  for (int i = 0; i < state.nscount && i < MAXNS; ++i) {
    // A server of the other family stands in the extension, and its place in the list is void.
    const sockaddr_in6* const other = state._u._ext.nsaddrs[i];
    if (state.nsaddr_list[i].sin_family == AF_INET) {
      file.name_servers.push_back(to_text(state.nsaddr_list[i].sin_addr));
    } else if (other != nullptr && other->sin6_family == AF_INET6) {
      file.name_servers.push_back(to_text(*other));
    }
  }
  file.uses_tcp = (state.options & RES_USEVC) != 0;
  for (const char* domain : state.dnsrch) {
    if (domain == nullptr) break;
    if (*domain != '\0') file.search_domains.emplace_back(domain);
  }
  return file;
}

}  // namespace amt
