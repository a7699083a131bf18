// What: FlowReader, the queue of one reader of a flow of events.
// Why: a world's publishers do not wait; a slow reader gets a queue, and its flow ends at the
// queue's limit.
// Who: Audience; adopted HEROs.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "hector/call.h"
#include "hector/check.h"

namespace hector::objects {

/// Any thread.
class FlowReader : public std::enable_shared_from_this<FlowReader> {
 public:
  /// About a second of events of a fast instrument.
  static constexpr std::size_t kWaitingMax = 1'000;
  explicit FlowReader(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  Call* call = nullptr;  ///< ended by the thread that took the reader off its list

  /// False: kWaitingMax messages wait already.
  bool push(const Bytes& message) {
    std::unique_lock lock(mutex_);
    HECTOR_CHECK(waiting_.empty() || is_writing_, "messages wait and none is being written");
    if (waiting_.size() >= kWaitingMax) return false;
    waiting_.push_back(message);
    if (is_writing_) return true;
    is_writing_ = true;
    write(std::move(lock));
    return true;
  }

 private:
  void write(std::unique_lock<std::mutex> lock) {
    if (waiting_.empty()) {
      is_writing_ = false;
      return;
    }
    Bytes next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    stream_->write(Payload(std::move(next)), [self = shared_from_this()](const Status& accepted) {
      if (accepted) self->write(std::unique_lock(self->mutex_));
    });
  }
  std::mutex mutex_;
  std::shared_ptr<Stream> stream_;  ///< shared with the call, which may end first
  std::deque<Bytes> waiting_;
  bool is_writing_ = false;
};

}  // namespace hector::objects
