#include "sys/capabilities.hh"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace amt {
namespace {

/// All sets of the calling thread, a word for each 32 capabilities.
struct CapabilitySets {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};

  // glibc has no functions for them.
  bool read() { return ::syscall(SYS_capget, &header, words.data()) == 0; }
  bool write() { return ::syscall(SYS_capset, &header, words.data()) == 0; }
};

constexpr std::size_t kBitsPerWord = 32;

std::uint32_t bit(Capability capability) { return 1U << (static_cast<std::size_t>(capability) % kBitsPerWord); }
std::size_t word(Capability capability) { return static_cast<std::size_t>(capability) / kBitsPerWord; }

bool is_kept(int number, std::span<const Capability> kept) {
  for (const Capability capability : kept) {
    if (static_cast<int>(capability) == number) return true;
  }
  return false;
}

}  // namespace

std::string to_string(Capability capability) {
  switch (capability) {
    case Capability::kDacOverride:
      return "CAP_DAC_OVERRIDE";
    case Capability::kNetAdmin:
      return "CAP_NET_ADMIN";
    case Capability::kNetRaw:
      break;
  }
  return "CAP_NET_RAW";
}

bool has_capability(Capability capability) {
  CapabilitySets sets;
  return sets.read() && (sets.words[word(capability)].effective & bit(capability)) != 0;
}

std::string effective_capabilities() {
  std::string text;
  for (const Capability one : {Capability::kDacOverride, Capability::kNetAdmin, Capability::kNetRaw}) {
    if (has_capability(one)) text += (text.empty() ? "" : " ") + to_string(one);
  }
  return text.empty() ? "none" : text;
}

SysResult<void> limit_capabilities(std::span<const Capability> kept) {
  CapabilitySets sets;
  if (!sets.read()) return tl::unexpected(SysError::last("capget"));
  // Numbers that this kernel does not know end the loop. Without CAP_SETPCAP the kernel refuses, and the set stays. It
  // is of no use: no program is started, and with no_new_privs none would gain by it.
  for (int number = 0; ::prctl(PR_CAPBSET_READ, number) >= 0; ++number) {
    if (!is_kept(number, kept)) static_cast<void>(::prctl(PR_CAPBSET_DROP, number, 0, 0, 0));
  }
  static_cast<void>(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  std::array<std::uint32_t, _LINUX_CAPABILITY_U32S_3> mask{};
  for (const Capability capability : kept) mask[word(capability)] |= bit(capability);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    sets.words[i].permitted &= mask[i];
    sets.words[i].effective &= mask[i];
    sets.words[i].inheritable = 0;
  }
  if (!sets.write()) return tl::unexpected(SysError::last("capset"));
  return {};
}

}  // namespace amt
