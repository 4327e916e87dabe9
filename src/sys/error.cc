#include "sys/error.hh"

#include <cerrno>
#include <system_error>

namespace amt {

SysError SysError::last(std::string_view call, std::string object) {
  const int code = errno;
  return SysError{std::string(call), std::move(object), code};
}

std::string SysError::to_string() const {
  std::string text = call;
  if (!object.empty()) text += ' ' + object;
  return text + ": " + std::generic_category().message(code);
}

}  // namespace amt
