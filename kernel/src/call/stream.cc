#include "hector/stream.h"

#include <mutex>

#include "hector/check.h"

namespace hector {

namespace {
Error over_error() { return {Code::kCancelled, "the flow is over"}; }
}  // namespace

void WindowedStream::write(Payload message, Callback<void(Status)> accepted) {
  std::unique_lock lock(mutex_);
  HECTOR_CHECK(!writer_, "a flow is written to while a write is outstanding");
  if (write_closed_ || over_) {
    Error why = broken_.value_or(over_error());
    lock.unlock();
    accepted(tl::unexpected(std::move(why)));
    return;
  }
  if (window_ <= 0) {
    message.own();
    waiting_ = std::move(message);
    writer_ = std::move(accepted);
    return;
  }
  window_ -= static_cast<std::int64_t>(message.bytes().size()) + 1;
  lock.unlock();
  transmit(std::move(message));
  accepted({});
}

void WindowedStream::close_write() {
  {
    const std::lock_guard lock(mutex_);
    if (write_closed_ || over_) return;
    write_closed_ = true;
    if (writer_) {  // sent after the message that waits for the window
      end_waits_ = true;
      return;
    }
  }
  transmit_end();
}

void WindowedStream::pump_reads(std::unique_lock<std::mutex>& lock) {
  HECTOR_CHECK(lock.owns_lock(), "a flow's reader is looked at without its lock");
  if (!reader_) return;
  if (!arrived_.empty()) {
    Bytes message = std::move(arrived_.front());
    arrived_.pop_front();
    owed_ += static_cast<std::int64_t>(message.size()) + 1;
    std::int64_t credit = 0;
    if (owed_ >= kWindowOctets / 4 && !over_) credit = std::exchange(owed_, 0);
    peer_window_ += credit;
    auto reader = std::move(reader_);
    reader_ = {};
    lock.unlock();
    taken(message.size());
    if (credit > 0) transmit_credit(credit);
    reader(std::optional<Payload>(Payload(std::move(message))));
    lock.lock();
  } else if (read_over_ || over_) {
    auto reader = std::move(reader_);
    reader_ = {};
    auto why = broken_;
    const bool is_orderly = read_over_ || !why;
    lock.unlock();
    if (is_orderly) {
      reader(std::optional<Payload>());
    } else {
      reader(tl::unexpected(*why));
    }
    lock.lock();
  }
}

void WindowedStream::read(Callback<void(Result<std::optional<Payload>>)> next) {
  const auto keep =
      weak_from_this().lock();  // the reader may end the call, and with it the last reference
  std::unique_lock lock(mutex_);
  HECTOR_CHECK(!reader_, "a flow is read while a read is outstanding");
  reader_ = std::move(next);
  pump_reads(lock);
}

bool WindowedStream::deliver(Payload message) {
  const auto keep = weak_from_this().lock();
  std::unique_lock lock(mutex_);
  if (over_) {
    lock.unlock();
    taken(message.bytes().size());
    return true;
  }
  if (peer_window_ <= 0) {
    lock.unlock();
    taken(message.bytes().size());
    deliver_break(Error::resource_exhausted(
        "the peer sends more of a flow than its window of 256 KiB allows"));
    return false;
  }
  peer_window_ -= static_cast<std::int64_t>(message.bytes().size()) + 1;
  arrived_.push_back(message.bytes());
  pump_reads(lock);
  return true;
}

void WindowedStream::deliver_credit(std::int64_t octets) {
  Payload ready;
  Callback<void(Status)> accepted;
  bool end = false;
  {
    const std::lock_guard lock(mutex_);
    window_ += octets;
    if (window_ <= 0 || !writer_ || over_) return;
    ready = std::move(waiting_);
    accepted = std::move(writer_);
    writer_ = {};
    window_ -= static_cast<std::int64_t>(ready.bytes().size()) + 1;
    end = std::exchange(end_waits_, false);
  }
  transmit(std::move(ready));
  if (end) transmit_end();
  accepted({});
}

void WindowedStream::deliver_end() {
  const auto keep = weak_from_this().lock();
  std::unique_lock lock(mutex_);
  read_over_ = true;
  pump_reads(lock);
}

void WindowedStream::deliver_break(std::optional<Error> why) {
  const auto keep = weak_from_this().lock();
  std::unique_lock lock(mutex_);
  if (over_) return;
  over_ = true;
  broken_ = std::move(why);
  auto writer = std::move(writer_);
  writer_ = {};
  pump_reads(lock);
  lock.unlock();
  if (writer) writer(tl::unexpected(broken_.value_or(over_error())));
}

}  // namespace hector
