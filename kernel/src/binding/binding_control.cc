#include "binding/binding_control.h"

#include <fmt/format.h>

#include "hector/binding/v1/binding.pb.h"
#include "hector/message_calls.h"
#include "hector/table_servant.h"
#include "services/builtin.h"

namespace hector {

namespace b = binding::v1;

std::string binding_control_name(std::uint64_t binding) { return "_binding-" + id_text(binding); }

hector::type::v1::Interface binding_control_interface() {
  return builtin_interface(
      "hector.Binding",
      "The control interface of a Binding: its parties, its channels, and what changes in them.",
      {builtin_rpc<b::Nothing, b::State>("describe"),
       builtin_rpc<b::JoinRequest, b::Joined>("join"),
       builtin_rpc<b::LeaveRequest, b::Done>("leave"),
       builtin_rpc<b::RebindRequest, b::Rebound>("rebind"),
       builtin_rpc<b::MoveRequest, b::Moved>("move"), builtin_rpc<b::Nothing, b::Done>("suspend"),
       builtin_rpc<b::Nothing, b::Done>("resume"), builtin_rpc<b::Nothing, b::Done>("close"),
       builtin_rpc<b::EventsRequest, b::Events>("events")});
}

namespace {

using Controller = std::shared_ptr<BindingController>;

/// Changes block: they run on a thread that may.
template <class In, class Work>
TableServant::Handler blocking(BlockingPool& pool, const Controller& controller, Work work) {
  return [&pool, controller, work](Call& given) {
    Call& call = given.defer();
    pool.run([controller, work, &call] {
      answer<In>(call, [&](const In& request) { return work(*controller, request); });
    });
  };
}

Result<b::Done> done(const Status& status, const std::string& text) {
  if (!status) return fail(status.error());
  b::Done reply;
  reply.set_text(text);
  return reply;
}

}  // namespace

std::unique_ptr<Servant> make_binding_control(
    BlockingPool& pool, const std::shared_ptr<BindingController>& controller) {
  return std::make_unique<TableServant>(std::vector<TableServant::Handler>{
      blocking<b::Nothing>(pool, controller,
                           [](auto& it, const auto&) -> Result<b::State> { return it.state(); }),
      blocking<b::JoinRequest>(pool, controller,
                               [](auto& it, const auto& request) { return it.join(request); }),
      blocking<b::LeaveRequest>(pool, controller,
                                [](auto& it, const auto& request) {
                                  return done(
                                      it.leave(request),
                                      fmt::format("{} {} left", request.role(), request.number()));
                                }),
      blocking<b::RebindRequest>(pool, controller,
                                 [](auto& it, const auto& request) { return it.rebind(request); }),
      blocking<b::MoveRequest>(pool, controller,
                               [](auto& it, const auto& request) { return it.move(request); }),
      blocking<b::Nothing>(
          pool, controller,
          [](auto& it, const auto&) { return done(it.suspend(), "suspended: calls wait"); }),
      blocking<b::Nothing>(pool, controller,
                           [](auto& it, const auto&) { return done(it.resume(), "resumed"); }),
      blocking<b::Nothing>(pool, controller,
                           [](auto& it, const auto&) {
                             it.close();
                             return done({}, "closing");
                           }),
      blocking<b::EventsRequest>(pool, controller,
                                 [](auto& it, const auto& request) -> Result<b::Events> {
                                   return it.events(request.after());
                                 })});
}

}  // namespace hector
