// What: Feed, what is told to one watcher: one message after the other, as fast as it takes them.
// Why: a stream takes one write at a time; who is slow may not hold up the service, nor fill its
// memory.
// Who: services with a watch.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "hector/call.h"
#include "hector/check.h"

namespace hector::state {

/// Any thread. May end while a message is being written: what waits is written all the same.
class Feed {
 public:
  static constexpr std::size_t kWaitingMax = 10'000;  ///< messages for one watcher
  explicit Feed(std::shared_ptr<Stream> stream)
      : queue_(std::make_shared<Queue>(std::move(stream))) {}
  /// False: the watcher is too slow, kWaitingMax messages wait for it; nothing was added.
  bool push(Payload message) { return queue_->push(std::move(message)); }
  /// Runs `then` when everything so far has been taken, or the stream is over. Once.
  void when_told(Callback<void()> then) { queue_->when_told(std::move(then)); }

 private:
  class Queue : public std::enable_shared_from_this<Queue> {
   public:
    explicit Queue(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    bool push(Payload message) {
      std::unique_lock lock(mutex_);
      check();
      if (waiting_.size() >= kWaitingMax) return false;
      waiting_.push_back(std::move(message));
      if (!std::exchange(is_writing_, true)) write(lock);
      return true;
    }
    void when_told(Callback<void()> then) {
      std::unique_lock lock(mutex_);
      check();
      HECTOR_CHECK(!then_, "two wait for the end of one feed");
      if (is_writing_)
        then_ = std::move(then);
      else
        lock.unlock(), then();
    }

   private:
    /// With the lock held.
    void check() const {
      HECTOR_CHECK(is_writing_ || waiting_.empty(), "messages wait and none is being written");
      HECTOR_CHECK(is_writing_ || !then_, "the end of a feed was not told");
    }
    void write(std::unique_lock<std::mutex>& lock) {
      Payload message = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      stream_->write(std::move(message), [self = shared_from_this()](const Status& written) {
        self->written(written);
      });
    }
    void written(const Status& written) {
      std::unique_lock lock(mutex_);
      HECTOR_CHECK(is_writing_, "a message was written that none was writing");
      if (!written) waiting_.clear();
      if (!waiting_.empty()) return write(lock);
      is_writing_ = false;
      auto then = std::move(then_);
      check();
      lock.unlock();
      if (then) then();
    }
    const std::shared_ptr<Stream> stream_;  ///< shared with the call, which may end first
    std::mutex mutex_;
    std::deque<Payload> waiting_;
    bool is_writing_ = false;
    Callback<void()> then_;
  };
  /// Owners: this, and the message that is being written.
  std::shared_ptr<Queue> queue_;
};

}  // namespace hector::state
