#include "cli/data_path.hh"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/order_sender.hh"
#include "io/xdp_sender.hh"
#include "sys/descriptor_limit.hh"
#include "sys/log.hh"

namespace amt {
namespace {

using Ports = std::vector<OrderPort>;

/// Each has passed its check.
Result<Ports, std::string> open_ports(std::size_t count) {
  Ports ports;
  for (std::size_t i = 0; i < count; ++i) {
    SysResult<OrderPort> port = OrderPort::open();
    if (!port) return Unexpected<std::string>(port.error().to_string());
    if (const Result<void, std::string> checked = check_orders(*port); !checked) {
      return Unexpected<std::string>("--data-path orders does not work here: " + checked.error());
    }
    ports.push_back(std::move(*port));
  }
  return ports;
}

void use_xdp(DataPathOptions& options) {
  raise_locked_memory_limit();
  options.open_back_end = [] { return XdpSender::open(); };
}

void use_orders(DataPathOptions& options, std::size_t workers) {
  Result<Ports, std::string> opened = open_ports(workers);
  if (!opened) {
    log_warn("{}; --data-path xdp is used instead", opened.error());
    return use_xdp(options);
  }
  // A std::function can be copied.
  const auto ports = std::make_shared<Ports>(std::move(*opened));
  options.open_back_end = [ports]() -> SysResult<std::unique_ptr<ReplicationBackEnd>> {
    OrderPort port = std::move(ports->back());
    ports->pop_back();
    return OrderSender::open(std::move(port));
  };
}

}  // namespace

void open_data_path(const RelayConfig& config, RelayEngineOptions& options) {
  if (config.data_path == DataPath::kXdp) return use_xdp(options.data_path);
  if (config.data_path == DataPath::kOrders) use_orders(options.data_path, RelayEngine::workers_for(options));
}

}  // namespace amt
