// What: FlowReader, a reader of a flow of events: its call, and the queue of what it has not taken.
// Why: a world's publishers do not wait; a slow reader gets a queue, and its flow ends at the
// queue's limit.
// Who: Audience; adopted HEROs.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "hector/call.h"
#include "hector/check.h"

namespace hector::objects {

/// A copy is the same reader. Any thread. It may go while a message is being written.
class FlowReader {
 public:
  /// About a second of events of a fast instrument.
  static constexpr std::size_t kWaitingMax = 1'000;
  /// Defers the call of a flow out.
  explicit FlowReader(Call& given) : queue_(std::make_shared<Queue>(given)) {}
  bool operator==(const FlowReader& other) const noexcept { return queue_ == other.queue_; }

  /// False: kWaitingMax messages wait already.
  bool push(const Bytes& message) const { return queue_->push(message); }
  void on_cancel(Callback<void()> action) const { queue_->call.on_cancel(std::move(action)); }
  /// Inside the action of on_cancel().
  [[nodiscard]] Error why_cancelled() const { return queue_->call.why_cancelled(); }
  /// Ends the call; in order, where there is no error. Once, by the thread that took the reader off
  /// its list.
  void end(std::optional<Error> why) const {
    if (why)
      queue_->call.fail(std::move(*why));
    else
      queue_->call.complete();
  }

 private:
  struct Queue : std::enable_shared_from_this<Queue> {
    explicit Queue(Call& given) : stream(given.stream), call(given.defer()) {}
    bool push(const Bytes& message) {
      std::unique_lock lock(mutex);
      HECTOR_CHECK(waiting.empty() || is_writing, "messages wait and none is being written");
      if (waiting.size() >= kWaitingMax) return false;
      waiting.push_back(message);
      if (std::exchange(is_writing, true)) return true;
      write(std::move(lock));
      return true;
    }
    void write(std::unique_lock<std::mutex> lock) {
      HECTOR_CHECK(is_writing, "a message is written out of turn");
      if (waiting.empty()) {
        is_writing = false;
        return;
      }
      Bytes next = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      stream->write(Payload(std::move(next)), [self = shared_from_this()](const Status& accepted) {
        if (accepted) self->write(std::unique_lock(self->mutex));
      });
    }
    const std::shared_ptr<Stream> stream;  ///< shared with the call, which may end first
    Call& call;
    std::mutex mutex;
    std::deque<Bytes> waiting;
    bool is_writing = false;
  };
  /// Owners: the list that tells the readers, the call's cancellation, the message being written.
  std::shared_ptr<Queue> queue_;
};

}  // namespace hector::objects
