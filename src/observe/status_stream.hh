#pragma once
/// An answer that is made while it is written out.

#include <functional>
#include <string>
#include <utility>

namespace amt {

/// Lives on one thread; `next` is called there, and delivers there.
class StatusStream {
 public:
  StatusStream() = default;
  StatusStream(const StatusStream&) = delete;
  StatusStream& operator=(const StatusStream&) = delete;
  virtual ~StatusStream() = default;

  /// Takes the next piece; an empty one is the end.
  using Deliver = std::function<void(std::string piece)>;
  /// Makes the next piece and delivers it, at once or later; never, if this object is destroyed first. Not called again
  /// before that. Nothing is made ahead: a client that reads slowly costs nothing.
  virtual void next(Deliver deliver) = 0;
};

/// An answer that is whole already.
class WholeStatus final : public StatusStream {
 public:
  explicit WholeStatus(std::string text) : text_(std::move(text)) {}
  void next(Deliver deliver) override { deliver(std::exchange(text_, {})); }

 private:
  std::string text_;
};

}  // namespace amt
