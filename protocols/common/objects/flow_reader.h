// What: FlowReader, who reads a flow of events that do not wait for him.
// Why: a world's publishers send as they like; a reader that is slow gets a queue, and an end at
// its limit.
// Who: adopted objects.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "hector/call.h"

namespace hector::objects {

/// Any thread.
class FlowReader : public std::enable_shared_from_this<FlowReader> {
 public:
  static constexpr std::size_t kWaitingMax = 1'000;
  explicit FlowReader(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  Call* call = nullptr;  ///< ended by who has taken the reader off his list

  /// False: kWaitingMax messages wait already.
  bool push(const Bytes& message) {
    std::unique_lock lock(mutex_);
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
  std::shared_ptr<Stream> stream_;
  std::deque<Bytes> waiting_;
  bool is_writing_ = false;
};

}  // namespace hector::objects
