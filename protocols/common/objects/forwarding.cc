#include "objects/forwarding.h"

#include <atomic>
#include <mutex>

#include "hector/check.h"
#include "objects/read_all.h"

namespace hector::objects {

namespace {

/// How the Object is reached; a call that was not executed is tried again where it has moved.
class MovingTarget final : public Recovery, public std::enable_shared_from_this<MovingTarget> {
 public:
  MovingTarget(Hosting& hosting, std::unique_ptr<Target> target, Find find)
      : hosting_(hosting), find_(std::move(find)), target_(std::move(target)) {}
  [[nodiscard]] std::shared_ptr<Target> target() const {
    const std::lock_guard lock(mutex_);
    return target_;
  }
  bool recover(Call& call) noexcept override {
    HECTOR_CHECK(call.error.has_value(), "a call is recovered that did not fail");
    if (call.error->code != Code::kUnavailable || call.is_cancelled()) return false;
    hosting_.run_blocking([self = shared_from_this(), &call] {
      const bool has_moved = self->look_again();
      Error error = std::move(*call.error);
      call.error.reset();
      // A flow's other end, and the place for a new one, are those of the first attempt.
      const bool may_start = error.type == kNotExecuted && call.kind != Kind::kStream;
      if (has_moved && may_start) return self->target()->start(call);
      if (has_moved) error.message += "; it has moved, try again";
      call.fail(std::move(error));
    });
    return true;
  }

 private:
  bool look_again() {
    const auto before = target();
    const auto reference = find_();
    if (!reference || reference->profiles == before->reference().profiles) return false;
    auto found = hosting_.handle().resolve(reference->text());
    if (!found || (*found)->interface()->identity() != before->interface()->identity())
      return false;
    const std::lock_guard lock(mutex_);
    target_ = std::move(*found);
    return true;
  }
  Hosting& hosting_;
  const Find find_;
  mutable std::mutex mutex_;
  std::shared_ptr<Target> target_;  ///< owners: this, and those that start a call on it now
};

/// The call to the other capsule, for a call that came here. Counted: the cancellation of the call
/// here holds it too, and may run while it ends.
class CallThere final : public Call {
 public:
  explicit CallThere(Call& here) : here_(here) {}
  void hold() noexcept { holders_.fetch_add(1); }
  void let_go() noexcept {
    const int before = holders_.fetch_sub(1);
    HECTOR_CHECK(before > 0, "a call was let go more often than it was held");
    if (before == 1) delete this;
  }
  /// Before it starts: the call here ends after every message of the flow has been passed on.
  void has_flow() noexcept {
    const int before = parts_.exchange(2);
    HECTOR_CHECK(before == 1, "a call has a second flow, or has ended before its first");
  }
  void part_ended() noexcept {
    const int before = parts_.fetch_sub(1);
    HECTOR_CHECK(before > 0, "a part of a call ended twice");
    if (before > 1) return;
    here_.initial = std::move(initial);
    here_.trailing = std::move(trailing);
    if (error)
      here_.fail(std::move(*error));
    else
      here_.complete(std::move(reply));
    let_go();
  }

 private:
  void finished() noexcept override { part_ended(); }
  Call& here_;
  std::atomic<int> holders_{1}, parts_{1};
};

void pass_on(const std::shared_ptr<Stream>& from, const std::shared_ptr<Stream>& to,
             std::function<void()> done) {
  read_all(
      from,
      [to](Payload message, std::function<void(bool)> next) {
        to->write(std::move(message),
                  [next = std::move(next)](const Status& accepted) { next(accepted.has_value()); });
      },
      [to, done = std::move(done)] {
        to->close_write();
        done();
      });
}

class ForwardedObject final : public Servant {
 public:
  explicit ForwardedObject(std::shared_ptr<MovingTarget> target) : target_(std::move(target)) {}
  void invoke(Call& given) noexcept override {
    Call& here = given.defer();
    auto* const there = new CallThere(here);
    there->header.operation = here.operation->index;
    there->header.deadline = here.header.deadline;
    there->header.trace = here.header.trace;
    there->header.principal = here.header.principal;
    there->header.metadata = here.header.metadata;
    there->kind = here.kind;
    there->flow = here.flow;
    there->request = std::move(here.request);
    there->set_recovery(target_);
    there->hold();
    here.on_cancel([&here, held = std::shared_ptr<CallThere>(there, [](CallThere* each) {
                             each->let_go();
                           })] { held->cancel(here.why_cancelled()); });
    // `here`, and this Object, may be gone once the call has started.
    const auto target = target_->target();
    if (here.kind != Kind::kStream) return target->start(*there);
    const Flow flow = here.flow;
    const auto stream = here.stream;
    std::shared_ptr<Stream> stream_there;
    there->stream_out = &stream_there;
    there->has_flow();
    target->start(*there);
    if (!stream_there) return there->part_ended();  // it failed before there was a flow
    if (flow != Flow::kOut) pass_on(stream, stream_there, [] {});
    pass_on(stream_there, stream, [there] { there->part_ended(); });
  }

 private:
  /// Shared with its calls, which may recover after the Object is gone.
  const std::shared_ptr<MovingTarget> target_;
};

}  // namespace

Status adopt_offer(Hosting& hosting, const void* owner, const Adoption& adoption,
                   const Reference& reference, Find find) {
  auto target = HECTOR_TRY(hosting.handle().resolve(reference.text()));
  const std::string model = target->interface()->model();
  auto moving = std::make_shared<MovingTarget>(hosting, std::move(target), std::move(find));
  return hosting.adopt(owner, {adoption.object, model,
                               [&](const InterfacePtr&) -> Result<std::unique_ptr<Servant>> {
                                 return std::make_unique<ForwardedObject>(moving);
                               },
                               adoption.properties, adoption.kind});
}

}  // namespace hector::objects
