#include "engine/runtime/loop_thread.hh"

#include <pthread.h>

namespace amt {

void LoopThread::start(const std::string& name) {
  thread_ = std::thread([this] { loop_.run(); });  // allow: the engine's workers
  // Without a name nothing is wrong.
  ::pthread_setname_np(thread_.native_handle(), name.c_str());
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

}  // namespace amt
