// What: WindowedStream, one end of a flow with a window in octets.
// Why: flow control written once, for in-process flows and for every protocol that has none of its
// own.
// Who: the kernel's local channels; protocols.
#pragma once

#include <deque>
#include <mutex>

#include "hector/call.h"

namespace hector {

/// An implementer sends what transmit…() give it and calls deliver…() for what arrives. transmit…()
/// run with no lock held and may be called on any thread, never two at once for messages. Messages
/// up to any size pass: one may be sent whenever the window is not used up.
class WindowedStream : public Stream, public std::enable_shared_from_this<WindowedStream> {
 public:
  static constexpr std::int64_t kWindowOctets = 256 * 1024;
  /// Where the peer must be ready before anything is sent, the first window is 0 and the peer's
  /// first credit opens it.
  WindowedStream(bool can_read, bool can_write, std::int64_t first_window = kWindowOctets)
      : window_(first_window), read_over_(!can_read), write_closed_(!can_write) {}

  void write(Payload message, Callback<void(Status)> accepted) final;
  void close_write() final;
  void read(Callback<void(Result<std::optional<Payload>>)> next) final;

  /// False: the peer's window was used up when it sent this. The flow is broken with
  /// RESOURCE_EXHAUSTED and the message is dropped; the call should end.
  bool deliver(Payload message);
  void deliver_credit(std::int64_t octets);
  /// The peer writes no more.
  void deliver_end();
  /// The flow is over: outstanding reads (after what has arrived) and writes end with the reason;
  /// with none, as an orderly end.
  void deliver_break(std::optional<Error> why);

 protected:
  virtual void transmit(Payload message) = 0;
  virtual void transmit_credit(std::int64_t octets) = 0;
  virtual void transmit_end() = 0;
  /// The reader has taken a delivered message of this many octets. No lock is held.
  virtual void taken(std::size_t) {}

 private:
  void pump_reads(std::unique_lock<std::mutex>& lock);
  std::mutex mutex_;
  std::deque<Bytes> arrived_;
  Callback<void(Result<std::optional<Payload>>)> reader_;
  Payload waiting_;
  Callback<void(Status)> writer_;
  std::int64_t window_;
  std::int64_t owed_ = 0;
  std::int64_t peer_window_ = kWindowOctets;  ///< what the peer may still send
  bool read_over_;
  bool write_closed_;
  bool end_waits_ = false;
  std::optional<Error> broken_;
  bool over_ = false;
};

}  // namespace hector
