// What: Call, one interaction on its way: stub, monitor, binder and protocol object all handle this
// one object. Stream, a flow of messages with a window.
// Why: one object from the caller to the Object's method means no hand-over allocates, copies or
// looks anything up.
// Who: channels, protocols, languages.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "hector/executor.h"
#include "hector/interface.h"
#include "hector/message.h"

namespace hector {

/// One end of a flow in both directions (where the operation has only one, the other ends at once).
/// Any thread may call; each callback runs exactly once, possibly before the function returns. At
/// most one read and one write are outstanding.
class Stream {
 public:
  virtual ~Stream() = default;
  /// `accepted` runs when the peer's window has taken the message: wait for it, that is the flow
  /// control. It fails with CANCELLED, UNAVAILABLE or DEADLINE_EXCEEDED once the stream is over.
  virtual void write(Payload message, Callback<void(Status)> accepted) = 0;
  /// No more writes from this end.
  virtual void close_write() = 0;
  /// Null at the end of the peer's messages, an error if the stream broke.
  virtual void read(Callback<void(Result<std::optional<Payload>>)> next) = 0;
};

class Call;

/// Told once when a call is over, before finished().
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void ended(const Call& call) noexcept = 0;
  std::unique_ptr<CallObserver> next;
};

class Starter;

/// What a channel does about a call that failed under way.
class Recovery {
 public:
  virtual ~Recovery() = default;
  /// True: it has taken the call, which ends later. False: it ends now, with the error as it is
  /// then.
  virtual bool recover(Call& call) noexcept = 0;
};

/// Made by who starts the interaction; who handles it ends it with complete() or fail(), exactly
/// once, on any thread. The fields belong to the starter until start(), then to the handler until
/// finished() is called, then to the starter again.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;

  Header header;
  Payload request;
  Kind kind = Kind::kRpc;
  Flow flow = Flow::kNone;
  /// The handler's side: what is called. Set by the kernel before the Object sees the call.
  const Operation* operation = nullptr;
  /// The handler's side: who calls. Valid until the end of the call.
  const Peer* peer = nullptr;
  /// This side's end of the flow of a kStream; set before start() returns (starter) or before the
  /// Object is entered (handler).
  std::shared_ptr<Stream> stream;
  /// Starter: where its end of the flow is put as well. A call may end, and free itself, before
  /// start() returns.
  std::shared_ptr<Stream>* stream_out = nullptr;
  /// For who makes the flow.
  void give_stream(std::shared_ptr<Stream> made) {
    stream = std::move(made);
    if (stream_out != nullptr) *stream_out = stream;
  }

  Payload reply;
  std::optional<Error> error;
  Metadata initial;   ///< sent with or before the first reply
  Metadata trailing;  ///< sent with the end

  void complete(Payload answer) noexcept {
    reply = std::move(answer);
    end();
  }
  void complete() noexcept { end(); }
  void fail(Error reason) noexcept {
    error.emplace(std::move(reason));
    end();
  }

  /// Starter, any time between start() and finished(): asks the handler to stop. The call still
  /// ends by finished().
  void cancel(Error why) noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept {
    return cancelled_.load(std::memory_order_acquire);
  }
  [[nodiscard]] Error why_cancelled() const;
  /// Handler: runs once if the call is cancelled, at once if it already is; replaces an earlier
  /// one. Not run after the end.
  void on_cancel(Callback<void()> action);
  /// The kernel's: the last one to come is the first to be told.
  void observe(std::unique_ptr<CallObserver> observer) noexcept {
    observer->next = std::move(observers_);
    observers_ = std::move(observer);
  }
  /// Handler: sends initial metadata now; without it they go with the first reply.
  virtual void send_initial() noexcept {}

  /// Handler: a call that does not end before the Servant's invoke() returns is taken with defer()
  /// first; what it returns is the call from then on, and the reference given to invoke() must not
  /// be touched any more.
  [[nodiscard]] Call& defer();

  /// The kernel's: what resolve() found, for accept().
  struct Route {
    std::shared_ptr<void> to;  ///< a session if `is_session`, else an Offer
    bool is_session = false;
    std::uint32_t role = 0, member = 0;  ///< the sender's in its Binding
  } route;
  /// The kernel's: who reads the reply, if its reading may be done by who waits for it. Set while
  /// the call is started.
  std::atomic<Starter*> via{nullptr};
  /// The kernel's: asked about a call that failed, before anybody is told.
  std::shared_ptr<Recovery> recovery;
  Call* next = nullptr;              ///< for the queue that holds the call
  class ObjectHost* host = nullptr;  ///< the kernel's: the Object that handles it
  bool is_waited = false;  ///< the kernel's: the starting thread does nothing else until the end
  bool is_local = false;   ///< the kernel's: the starter's own call, entered without a hand-over

 protected:
  /// The call is over: reply or error are set. Runs on the thread that ended it; may free the call.
  virtual void finished() noexcept = 0;
  /// Makes the object usable for another call.
  void reset_call() noexcept;

 private:
  void end() noexcept {
    if (error && recovery) [[unlikely]] {
      const auto asked = std::move(recovery);
      if (asked->recover(*this)) return;
    }
    if (hooked_.load(std::memory_order_acquire)) unhook();
    if (host != nullptr) left_host();
    if (observers_) [[unlikely]]
      tell_observers();
    finished();
  }
  void left_host() noexcept;
  void tell_observers() noexcept;
  void unhook() noexcept;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> hooked_{false};
  std::mutex cancel_mutex_;
  Callback<void()> cancel_action_;
  std::optional<Error> why_;
  std::unique_ptr<CallObserver> observers_;
};

/// What start() makes of a call: a channel of the kernel or of a protocol.
class Starter {
 public:
  virtual ~Starter() = default;
  /// Takes the call; it ends by finished(), no later than its deadline, possibly before start()
  /// returns.
  virtual void start(Call& call) noexcept = 0;
  /// The direct path: lets the waiting thread do the channel's reading until something happened or
  /// the time is over. False: there is nothing to do here, sleep.
  virtual bool help(TimePoint until) noexcept {
    static_cast<void>(until);
    return false;
  }
};

/// A call somebody waits for on this thread. May live on the stack.
class WaitedCall final : public Call {
 public:
  WaitedCall();
  /// Starts the call and returns when it is over. Only on a thread that may block (private threads,
  /// main); elsewhere the call fails with FAILED_PRECONDITION. While it waits, the thread serves
  /// its own Object's other requests.
  void run(Starter& starter, const Clock& clock);
  /// The same for calls that were started already, here or by start_all(): returns when this one is
  /// over.
  void wait(Starter* helper, const Clock& clock);
  [[nodiscard]] bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
  void reset() noexcept {
    reset_call();
    done_.store(false, std::memory_order_relaxed);
  }

 private:
  void finished() noexcept override;
  std::atomic<bool> done_{false};
  class Parker* parker_;
};

/// A call that ends in a callback, and frees itself after it.
class CallbackCall final : public Call {
 public:
  using Done = Callback<void(Call&)>;
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
