// What: Feed, what is told to one watcher: one message after the other, as fast as it takes them.
// Why: a stream takes one write at a time; who is slow may not hold up the service, nor fill its
// memory.
// Who: services with a watch.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "hector/call.h"

namespace hector::state {

/// Any thread.
class Feed : public std::enable_shared_from_this<Feed> {
 public:
  static constexpr std::size_t kWaitingMax = 10'000;
  explicit Feed(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  /// False: the watcher is too slow, kWaitingMax messages wait for it; nothing was added.
  bool push(Payload message) {
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= kWaitingMax) return false;
    waiting_.push_back(std::move(message));
    if (!std::exchange(is_writing_, true)) write(lock);
    return true;
  }
  /// Runs `then` when everything so far has been taken, or the stream is over.
  void when_told(Callback<void()> then) {
    std::unique_lock lock(mutex_);
    if (is_writing_)
      then_ = std::move(then);
    else
      lock.unlock(), then();
  }

 private:
  void write(std::unique_lock<std::mutex>& lock) {
    Payload message = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    stream_->write(std::move(message),
                   [self = shared_from_this()](const Status& written) { self->written(written); });
  }
  void written(const Status& written) {
    std::unique_lock lock(mutex_);
    if (!written) waiting_.clear();
    if (!waiting_.empty()) return write(lock);
    is_writing_ = false;
    auto then = std::move(then_);
    lock.unlock();
    if (then) then();
  }
  const std::shared_ptr<Stream> stream_;
  std::mutex mutex_;
  std::deque<Payload> waiting_;
  bool is_writing_ = false;
  Callback<void()> then_;
};

}  // namespace hector::state
