#pragma once
/// The octets of a key.

#include <cstddef>
#include <span>

namespace amt {

/// 16 octets in pages of their own (libsodium): in no core dump, not swapped out where the process may lock memory, and
/// overwritten at the end. Zeros at first. A copy costs a few system calls: keys are few, and copied rarely.
class SecretKey {
 public:
  static constexpr std::size_t kOctets = 16;

  SecretKey();
  SecretKey(const SecretKey& other);
  SecretKey& operator=(const SecretKey& other);
  ~SecretKey();

  [[nodiscard]] std::span<std::byte, kOctets> octets() {
    return std::as_writable_bytes(std::span<unsigned char, kOctets>(data_, kOctets));
  }
  [[nodiscard]] std::span<const std::byte, kOctets> octets() const {
    return std::as_bytes(std::span<const unsigned char, kOctets>(data_, kOctets));
  }
  /// As the C interface of libsodium wants them.
  [[nodiscard]] unsigned char* data() { return data_; }
  [[nodiscard]] const unsigned char* data() const { return data_; }

 private:
  unsigned char* data_;
};

}  // namespace amt
