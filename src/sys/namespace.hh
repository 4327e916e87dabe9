#pragma once
/// Network namespaces held by descriptors: for `amt demo` and tests. Nothing is mounted or named, so nothing is left
/// behind when the last descriptor and process are gone.

#include <functional>
#include <thread>
#include <type_traits>

#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Moves this process into a new user namespace, as its root, and into a new network namespace that belongs to it.
/// Only while the process has one thread (EINVAL). EPERM, ENOSPC, EUSERS: the system forbids it to ordinary users.
[[nodiscard]] SysResult<void> enter_user_namespace();

/// One network namespace. It lives as long as this object, or something inside it.
class NetworkNamespace {
 public:
  /// A new one, its loopback interface up; the caller stays where it is. Needs CAP_SYS_ADMIN (see
  /// `enter_user_namespace`).
  static SysResult<NetworkNamespace> create();
  /// Where the calling thread is.
  static SysResult<NetworkNamespace> current();

  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Calls `f()` inside, on a thread of its own, and returns its result, as a SysResult. Sockets that it opens stay in
  /// the namespace. `f` must not throw.
  template <typename F>
  auto run(F&& f) const -> SysResult<std::invoke_result_t<F>> {
    using Value = std::invoke_result_t<F>;
    SysResult<Value> result = tl::unexpected(SysError{"setns", "network namespace", 0});
    // allow: a thread that only enters the namespace and ends; the others stay where they are
    std::thread([&] {
      if (SysResult<void> entered = enter(); !entered) {
        result = tl::unexpected(entered.error());
      } else if constexpr (std::is_void_v<Value>) {
        f();
        result = {};
      } else {
        result = f();
      }
    }).join();
    return result;
  }

 private:
  explicit NetworkNamespace(UniqueFd fd) : fd_(std::move(fd)) {}
  /// The calling thread only, for good.
  [[nodiscard]] SysResult<void> enter() const;
  UniqueFd fd_;
};

}  // namespace amt
