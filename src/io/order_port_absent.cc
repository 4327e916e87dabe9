/// `OrderPort` of a program that was built without clang, bpftool or libbpf.

#include <cerrno>

#include "io/order_port.hh"

namespace amt {

struct OrderPort::Impl {};

OrderPort::~OrderPort() = default;
OrderPort::OrderPort(OrderPort&&) noexcept = default;
OrderPort& OrderPort::operator=(OrderPort&&) noexcept = default;

SysResult<OrderPort> OrderPort::open() {
  return tl::unexpected(SysError{"this amt was built without", "--data-path orders", ENOSYS});
}

// Without a port none of these is ever called.
SysResult<void> OrderPort::set_device(std::size_t, int) { return {}; }
MutableBytes OrderPort::header_of(std::uint32_t) { return {}; }
std::uint64_t OrderPort::send(const Order&) { return 0; }
int OrderPort::interface() const { return 0; }
std::optional<MutableBytes> OrderPort::receive(MutableBytes) { return std::nullopt; }

}  // namespace amt
