#include "sys/unique_fd.hh"

#include <unistd.h>

namespace amt {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() {
  // Linux closes the descriptor even when close() fails: there is nothing to retry.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace amt
