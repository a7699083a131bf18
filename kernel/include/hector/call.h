// What: Call, one interaction in flight: stub, monitor, binder and protocol object all handle this
// one object. CallTarget, what a call is started on. Stream, a flow of messages.
// Why: one object from the caller to the Object's method means that no hand-over allocates, copies
// or looks anything up.
// Who: channels, protocols, languages, and programs that call Objects.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>

#include "hector/executor.h"
#include "hector/interface.h"
#include "hector/message.h"

namespace hector {

class Parker;

/// One end of a flow. Any thread may call; each callback runs exactly once, possibly before the
/// function returns, and may call this Stream again. At most one read and one write are
/// outstanding at a time: a second one is a mistake of the program and ends the process.
/// An implementer keeps messages in the order in which they were written, and runs every
/// outstanding callback when the flow breaks. WindowedStream (hector/stream.h) does all of it.
class Stream {
 public:
  virtual ~Stream() = default;
  /// `accepted` runs when the peer's window has taken the message: wait for it, that is the flow
  /// control. Errors: CANCELLED, UNAVAILABLE or DEADLINE_EXCEEDED once the flow is over.
  virtual void write(Payload message, Callback<void(Status)> accepted) = 0;
  /// This end writes no more; the peer reads the end after the last message. Idempotent.
  virtual void close_write() = 0;
  /// `next` gets the peer's next message, null after its last one, or an error if the flow broke.
  virtual void read(Callback<void(Result<std::optional<Payload>>)> next) = 0;
};

class Call;

/// What a caller does about a call that failed, before the call ends.
class Recovery {
 public:
  virtual ~Recovery() = default;
  /// Runs on the thread that failed the call; must not block. True: the implementer has taken the
  /// call and ends it later, by complete(), by fail() or by a new start(). False: the call ends
  /// now, with the error as the implementer left it. The call asks once; to be asked again about a
  /// second attempt, set it again.
  virtual bool recover(Call& call) noexcept = 0;
};

/// One interaction. The caller makes it, fills in the request and starts it on a CallTarget; the
/// handler ends it with complete() or fail(), exactly once, on any thread:
///
///   WaitedCall call;                                     // the caller, on a thread that may block
///   call.header.operation_name = "add";
///   call.request = write_message(appointment);
///   call.run(*target, clock);
///   if (call.error) return fail(*call.error);
///
///   void invoke(Call& call) noexcept override {          // the handler, a Servant
///     call.complete(Payload(Bytes::copy("done")));       // `call` may be gone now
///   }
///
/// The fields belong to the caller until start(), then to the handler until it ends the call, then
/// to the caller again: no two threads use them at the same time.
class Call {
 public:
  Call() noexcept;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call();

  // --- the request: written by the caller, read by the handler
  Header header;
  Payload request;
  Kind kind = Kind::kRpc;
  Flow flow = Flow::kNone;
  /// The operation of the handler's Interface. Set by the kernel before the handler sees the call.
  const Operation* operation = nullptr;
  /// The caller as the handler sees it; null where the caller is unknown. Valid until the call
  /// ends.
  const Peer* peer = nullptr;
  /// This side's end of the flow of a kStream. It is set before start() returns (caller) or before
  /// the handler is entered.
  std::shared_ptr<Stream> stream;
  /// Caller: a second place that receives its end of the flow. A call may end, and free itself,
  /// before start() returns; this place outlives it.
  std::shared_ptr<Stream>* stream_out = nullptr;
  /// For a CallTarget that makes the flow: sets `stream`, and `*stream_out` where there is one.
  void give_stream(std::shared_ptr<Stream> made) {
    stream = std::move(made);
    if (stream_out != nullptr) *stream_out = stream;
  }

  // --- the outcome: written by the handler, read by the caller
  Payload reply;
  std::optional<Error> error;
  Metadata initial;   ///< sent with or before the first reply
  Metadata trailing;  ///< sent with the end

  /// Handler: ends the call. The call may be gone when these return. A second end is a mistake of
  /// the program and ends the process.
  void complete(Payload answer) noexcept {
    reply = std::move(answer);
    end();
  }
  void complete() noexcept { end(); }
  void fail(Error reason) noexcept {
    error.emplace(std::move(reason));
    end();
  }

  /// Caller, from start() until the call ends, any thread: asks the handler to stop. The call still
  /// ends by finished(). Idempotent: the first reason stays.
  void cancel(Error why) noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept;
  [[nodiscard]] Error why_cancelled() const;
  /// Handler: `action` runs once if the call is cancelled, at once if it already is. It replaces an
  /// earlier action and does not run after the end.
  void on_cancel(Callback<void()> action);
  /// Handler: sends initial metadata now; without it they go with the first reply.
  virtual void send_initial() noexcept {}

  /// Handler: a call that does not end before the Servant's invoke() returns is deferred first.
  /// What this returns is the call from then on; the reference given to invoke() must not be
  /// touched any more.
  [[nodiscard]] Call& defer();

  /// Caller, before start(): is asked if the call fails. The call holds it until it ends.
  void set_recovery(std::shared_ptr<Recovery> recovery) noexcept;
  /// Whether the starting thread does nothing else until the end: a CallTarget needs no timer of
  /// its own for the deadline then.
  [[nodiscard]] bool is_waited() const noexcept;

 protected:
  /// The call is over: `reply` or `error` is set. Runs on the thread that ended it; the implementer
  /// may free the call here, and must not block.
  virtual void finished() noexcept = 0;
  /// Makes an ended call usable for another start(). The header stays as it is.
  void reset_call() noexcept;

 private:
  friend struct CallState;
  void end() noexcept;

  /// The kernel's own bookkeeping (kernel/src/call/call_state.h), kept in place: a call that is
  /// started allocates nothing.
  static constexpr std::size_t kStateOctets = 384;
  alignas(std::max_align_t) std::byte state_[kStateOctets];
};

/// What a call is started on: an Object here or elsewhere, or a protocol's channel to it. Any
/// thread.
class CallTarget {
 public:
  virtual ~CallTarget() = default;
  /// Takes the call; it ends by finished(), no later than its deadline, possibly before start()
  /// returns. An implementer must not touch the call after it gave it on or ended it, and reports
  /// every failure by Call::fail().
  virtual void start(Call& call) noexcept = 0;
  /// Lets a thread that waits for a call do this target's reading, until something arrived or the
  /// time is over. False: there is nothing to do here, the thread may sleep. An implementer that
  /// reads on threads of its own leaves it as it is.
  virtual bool help(TimePoint until) noexcept {
    static_cast<void>(until);
    return false;
  }
};

/// A call that one thread waits for; may live on the stack. One thread at a time, but for cancel().
class WaitedCall final : public Call {
 public:
  WaitedCall();
  /// Starts the call and returns when it is over. Only on a thread that may block (private threads,
  /// main); elsewhere the call fails with FAILED_PRECONDITION. While it waits, the thread serves
  /// its own Object's other requests.
  void run(CallTarget& target, const Clock& clock);
  /// The same for a call that was started already, here or by start_all(): returns when it is over.
  /// `helper`: the target whose reading this thread may do meanwhile, or null.
  void wait(CallTarget* helper, const Clock& clock);
  [[nodiscard]] bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
  /// Makes it usable for another run(); only when it is done or was never started.
  void reset() noexcept {
    reset_call();
    done_.store(false, std::memory_order_relaxed);
  }

 private:
  void finished() noexcept override;
  std::atomic<bool> done_{false};
  Parker* parker_;
};

/// A call that ends in a callback, and frees itself after it:
///   auto& call = CallbackCall::make([](Call& ended) { … ended.error, ended.reply … });
///   target.start(call);
/// The callback runs on the thread that ended the call and must not block.
class CallbackCall final : public Call {
 public:
  using Done = Callback<void(Call&)>;
  /// To be started exactly once: nothing else frees it.
  static CallbackCall& make(Done done) { return *new CallbackCall(std::move(done)); }

 private:
  explicit CallbackCall(Done done) : done_(std::move(done)) {}
  void finished() noexcept override {
    done_(*this);
    delete this;
  }
  Done done_;
};

}  // namespace hector
