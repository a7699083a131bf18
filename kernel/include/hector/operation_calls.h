// What: what generated servants and clients stand on: Reply, OutFlow, InFlow, Client.
// Why: a servant's function is given the message it was asked with and the one way to answer it; a
// wrong message type does not compile.
// Who: headers made by hector-typegen; the services and the kernel that use them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hector/language.h"
#include "hector/message_calls.h"

namespace hector {

/// One operation of an Interface: its number in the type's order, and its name.
struct OperationId {
  std::uint32_t number;
  const char* name;
};
/// With the messages it is asked with and answers.
template <class In, class Out>
struct OperationOf : OperationId {};

/// The answer to one call of an operation that replies with `Out` (void: an announcement). Whoever
/// holds it ends the call exactly once. Valid until the servant's function returns; later() gives
/// one that is valid until the call ends. Copies are the same answer. Any thread.
template <class Out>
class Reply {
 public:
  explicit Reply(Call& call) : call_(&call) {}
  /// Ends the call with the message or the error.
  void operator()(Result<Out> result) const noexcept {
    if (!result) return call_->fail(std::move(result.error()));
    if constexpr (std::is_void_v<Out>)
      call_->complete();
    else
      call_->complete(write_message(*result));
  }
  void fail(Error error) const noexcept { call_->fail(std::move(error)); }
  void fail(Code code, std::string message) const noexcept {
    call_->fail(Error{code, std::move(message)});
  }
  /// Ends the call with a message that is serialised already.
  void serialised(Payload message) const noexcept { call_->complete(std::move(message)); }
  /// For an answer after the function has returned. Once for each call.
  [[nodiscard]] Reply later() const { return Reply(call_->defer()); }
  /// Who asks, until when, and whether it was cancelled.
  [[nodiscard]] Call& call() const noexcept { return *call_; }

 private:
  Call* call_;
};

/// The flow of messages that a call of a stream operation gives, and the call's end. As Reply.
template <class Out>
class OutFlow {
 public:
  explicit OutFlow(Call& call) : call_(&call) {}
  /// As Stream::write.
  void write(const Out& message, Callback<void(Status)> accepted) const {
    call_->stream->write(write_message(message), std::move(accepted));
  }
  /// Ends flow and call.
  void end() const noexcept { call_->complete(); }
  void fail(Error error) const noexcept { call_->fail(std::move(error)); }
  [[nodiscard]] OutFlow later() const { return OutFlow(call_->defer()); }
  [[nodiscard]] Call& call() const noexcept { return *call_; }

 private:
  Call* call_;
};

/// The messages that the caller of a stream operation sends.
template <class In>
class InFlow {
 public:
  explicit InFlow(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  /// As Stream::read. INVALID_ARGUMENT for octets that are no `In`.
  void read(Callback<void(Result<std::optional<In>>)> next) const {
    stream_->read([next = std::move(next)](Result<std::optional<Payload>> octets) mutable {
      if (!octets) return next(hector::fail(std::move(octets.error())));
      if (!*octets) return next(std::optional<In>());
      next(read_message<In>(**octets).map([](In message) { return std::optional<In>(message); }));
    });
  }

 private:
  std::shared_ptr<Stream> stream_;
};

// How a generated servant's invoke() enters the function of one operation.

template <class In, class Out, auto function, class Servant>
void enter_operation(Servant& servant, Call& call) {
  auto request = read_message<In>(call.request);
  if (!request) return call.fail(std::move(request.error()));
  (servant.*function)(*request, Reply<Out>(call));
}
template <class In, class Out, auto function, class Servant>
void enter_flow_out(Servant& servant, Call& call) {
  auto request = read_message<In>(call.request);
  if (!request) return call.fail(std::move(request.error()));
  (servant.*function)(*request, OutFlow<Out>(call));
}
template <class In, class Out, auto function, class Servant>
void enter_flow_in(Servant& servant, Call& call) {
  (servant.*function)(InFlow<In>(call.stream), Reply<Out>(call));
}
template <class In, class Out, auto function, class Servant>
void enter_flow_both(Servant& servant, Call& call) {
  (servant.*function)(InFlow<In>(call.stream), OutFlow<Out>(call));
}
/// The Interface that the Offer carries has more operations than the servant was generated with.
inline void fail_unknown(Call& call, const char* interface_id) noexcept {
  call.fail(Error::unimplemented(std::string(interface_id) + " has no operation '" +
                                 call.operation->name + "'"));
}

/// Fills a call of one operation, for a target that finds it by its name.
template <class In, class Out>
void write_call(Call& call, OperationOf<In, Out> operation, const In& request,
                Deadline deadline = kNever) {
  write_call(call, kByName, operation.name, request, deadline);
}
/// As call_and_wait(), of one operation by its name.
template <class In, class Out>
Result<Out> ask(CallTarget& target, const Clock& clock, OperationOf<In, Out> operation,
                const In& request, Deadline deadline = kNever) {
  return call_and_wait<Out>(target, clock, kByName, operation.name, request, deadline);
}

/// How a Client names its operations to the other side.
enum class Addressing : std::uint8_t {
  kByName,    ///< right also where the other side's Interface has more operations
  kByNumber,  ///< no look-up; the other side's Interface has this one's order
};

/// The base of generated clients. Any thread. Owns nothing: target and clock outlive it, a call in
/// flight needs neither.
class Client {
 public:
  Client(Target& target, const Clock& clock, Addressing addressing = Addressing::kByName)
      : target_(&target), clock_(&clock), addressing_(addressing) {}
  [[nodiscard]] Target& target() const noexcept { return *target_; }

 protected:
  /// Blocks until the answer is there or the deadline has passed. Only on a thread that may block.
  template <class In, class Out>
  Result<Out> ask(OperationOf<In, Out> operation, const In& request, Deadline deadline) const {
    WaitedCall call;
    prepare(call, operation, request, deadline);
    call.run(*target_, *clock_);
    return reply_of<Out>(call);
  }
  /// `done` runs once, on any thread, possibly before this returns.
  template <class In, class Out>
  void start(OperationOf<In, Out> operation, const In& request, Deadline deadline,
             Callback<void(Result<Out>)> done) const {
    auto& call = CallbackCall::make(
        [done = std::move(done)](Call& answered) mutable { done(reply_of<Out>(answered)); });
    prepare(call, operation, request, deadline);
    target_->start(call);
  }

 private:
  template <class In, class Out>
  void prepare(Call& call, OperationOf<In, Out> operation, const In& request,
               Deadline deadline) const {
    write_call(call, operation, request, deadline);
    if (addressing_ == Addressing::kByNumber) call.header.operation = operation.number;
  }
  Target* target_;
  const Clock* clock_;
  Addressing addressing_;
};

}  // namespace hector
