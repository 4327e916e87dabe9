#pragma once
/// A failed system call and its object.

#include <string>
#include <string_view>

#include "amt/result.hh"

namespace amt {

/// `bind 192.0.2.1:2268: Address already in use`
struct SysError {
  std::string call;    ///< "bind"
  std::string object;  ///< "192.0.2.1:2268"; may be empty
  int code = 0;        ///< errno

  /// Takes errno as it is now.
  static SysError last(std::string_view call, std::string object = {});
  [[nodiscard]] std::string to_string() const;
};

template <typename T>
using SysResult = Result<T, SysError>;

}  // namespace amt
