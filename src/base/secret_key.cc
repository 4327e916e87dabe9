#include "base/secret_key.hh"

#include <sodium.h>

#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

unsigned char* allocate() {
  // Before this libsodium does not know the size of a page. A second time costs nothing.
  AMT_ASSERT(sodium_init() >= 0);
  void* const memory = sodium_malloc(SecretKey::kOctets);
  AMT_ASSERT(memory != nullptr);
  return static_cast<unsigned char*>(memory);
}

}  // namespace

SecretKey::SecretKey() : data_(allocate()) { std::fill_n(data_, kOctets, static_cast<unsigned char>(0)); }
SecretKey::SecretKey(const SecretKey& other) : data_(allocate()) { std::copy_n(other.data_, kOctets, data_); }
SecretKey& SecretKey::operator=(const SecretKey& other) {
  if (this != &other) std::copy_n(other.data_, kOctets, data_);
  return *this;
}
SecretKey::~SecretKey() { sodium_free(data_); }

}  // namespace amt
