#include "binding/binding_control.h"

#include <fmt/format.h>

#include "hector/binding.hector.h"
#include "hector/check.h"

namespace hector {

using binding::v1::Done;
using binding::v1::Events;
using binding::v1::EventsRequest;
using binding::v1::Joined;
using binding::v1::JoinRequest;
using binding::v1::LeaveRequest;
using binding::v1::Moved;
using binding::v1::MoveRequest;
using binding::v1::Nothing;
using binding::v1::RebindRequest;
using binding::v1::Rebound;
using binding::v1::ResetDone;
using binding::v1::ResetRequest;
using binding::v1::State;

std::string binding_control_name(std::uint64_t binding) { return "_binding-" + id_text(binding); }

namespace {

Result<Done> done(const Status& status, const std::string& text) {
  if (!status) return fail(status.error());
  Done reply;
  reply.set_text(text);
  return reply;
}

class BindingControl final : public BindingServant {
 public:
  BindingControl(BlockingPool& pool, std::shared_ptr<BindingController> controller)
      : pool_(pool), controller_(std::move(controller)) {
    HECTOR_CHECK(controller_ != nullptr, "a control Object has no Binding");
  }

  void describe(const Nothing& /*request*/, Reply<State> reply) override {
    on_worker(reply, [](auto& binding) -> Result<State> { return binding.state(); });
  }
  void join(const JoinRequest& request, Reply<Joined> reply) override {
    on_worker(reply, [request](auto& binding) { return binding.join(request); });
  }
  void leave(const LeaveRequest& request, Reply<Done> reply) override {
    on_worker(reply, [request](auto& binding) {
      return done(binding.leave(request),
                  fmt::format("{} {} left", request.role(), request.number()));
    });
  }
  void rebind(const RebindRequest& request, Reply<Rebound> reply) override {
    on_worker(reply, [request](auto& binding) { return binding.rebind(request); });
  }
  void move(const MoveRequest& request, Reply<Moved> reply) override {
    on_worker(reply, [request](auto& binding) { return binding.move(request); });
  }
  void suspend(const Nothing& /*request*/, Reply<Done> reply) override {
    on_worker(reply,
              [](auto& binding) { return done(binding.suspend(), "suspended: calls wait"); });
  }
  void resume(const Nothing& /*request*/, Reply<Done> reply) override {
    on_worker(reply, [](auto& binding) { return done(binding.resume(), "resumed"); });
  }
  void reset(const ResetRequest& request, Reply<ResetDone> reply) override {
    on_worker(reply, [request](auto& binding) { return binding.reset(request); });
  }
  void close(const Nothing& /*request*/, Reply<Done> reply) override {
    on_worker(reply, [](auto& binding) {
      binding.close();
      return done({}, "closing");
    });
  }
  void events(const EventsRequest& request, Reply<Events> reply) override {
    on_worker(reply, [after = request.after()](auto& binding) -> Result<Events> {
      return binding.events(after);
    });
  }

 private:
  /// Changes block. The Binding may end meanwhile: the task keeps its controller.
  template <class Out, class Work>
  void on_worker(Reply<Out> reply, Work work) {
    pool_.run([controller = controller_, reply = reply.later(), work = std::move(work)] {
      reply(work(*controller));
    });
  }

  BlockingPool& pool_;
  const std::shared_ptr<BindingController> controller_;  // owners: Bindings, and this Object
};

}  // namespace

std::unique_ptr<Servant> make_binding_control(BlockingPool& pool,
                                              std::shared_ptr<BindingController> controller) {
  return std::make_unique<BindingControl>(pool, std::move(controller));
}

}  // namespace hector
