#include "objects/read_all.h"

#include <atomic>

#include "hector/check.h"

namespace hector::objects {

namespace {

class Reading final : public std::enable_shared_from_this<Reading> {
 public:
  Reading(std::shared_ptr<Stream> flow,
          std::function<void(Payload, std::function<void(bool)>)> each, std::function<void()> over)
      : flow_(std::move(flow)), each_(std::move(each)), over_(std::move(over)) {}
  /// One step at a time: a thread that finds another in here leaves its step to that one.
  void step() {
    if (due_.fetch_add(1) > 0) return;
    do {
      if (message_)
        use();
      else
        read();
    } while (due_.fetch_sub(1) > 1);
  }

 private:
  void read() {
    HECTOR_CHECK(!message_, "a message is read before the one before it was used");
    flow_->read([self = shared_from_this()](Result<std::optional<Payload>> message) {
      if (!message || !*message) return self->over_();
      self->message_ = std::move(*message);
      self->step();
    });
  }
  void use() {
    Payload message = std::move(*message_);
    message_.reset();
    each_(std::move(message), [self = shared_from_this()](bool is_wanted) {
      if (is_wanted)
        self->step();
      else
        self->over_();
    });
  }
  const std::shared_ptr<Stream> flow_;
  const std::function<void(Payload, std::function<void(bool)>)> each_;
  const std::function<void()> over_;
  std::optional<Payload> message_;
  std::atomic<int> due_{0};
};

}  // namespace

void read_all(std::shared_ptr<Stream> flow,
              std::function<void(Payload message, std::function<void(bool)> next)> each,
              std::function<void()> over) {
  std::make_shared<Reading>(std::move(flow), std::move(each), std::move(over))->step();
}

}  // namespace hector::objects
