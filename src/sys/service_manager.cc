#include "sys/service_manager.hh"

#include <systemd/sd-daemon.h>

#include <string>

namespace amt {

void notify_ready(std::string_view status) {
  static_cast<void>(sd_notify(0, ("READY=1\nSTATUS=" + std::string(status)).c_str()));
}

void notify_stopping() { static_cast<void>(sd_notify(0, "STOPPING=1")); }

}  // namespace amt
