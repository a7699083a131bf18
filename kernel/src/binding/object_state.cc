#include "binding/object_state.h"

#include <fmt/format.h>

#include "hector/awaited.h"

namespace hector {

namespace {

/// How long an Object may take to save or restore its state.
constexpr std::chrono::seconds kStateWithin{5};

/// Runs in the Object; this thread waits for it.
template <class Answer>
Answer in_object(ObjectHost& host, std::function<Answer(Servant&)> ask) {
  Awaited<Answer> answer;
  host.notify(
      [bring = answer.callback(), ask = std::move(ask)](Servant& servant) { bring(ask(servant)); });
  if (auto brought = answer.wait_for(kStateWithin)) return std::move(*brought);
  return fail(
      Error::deadline_exceeded(fmt::format("'{}' did not answer about its state within {} s",
                                           host.options().name, kStateWithin.count())));
}

}  // namespace

Result<std::optional<Bytes>> saved_state(ObjectHost& host) {
  return in_object<Result<std::optional<Bytes>>>(
      host, [](Servant& servant) -> Result<std::optional<Bytes>> {
        if (!servant.has_state()) return std::optional<Bytes>();
        auto state = HECTOR_TRY(servant.save());
        return std::optional<Bytes>(std::move(state));
      });
}

Status restore_state(ObjectHost& host, const std::string& state) {
  return in_object<Status>(host, [state](Servant& servant) -> Status {
    if (servant.has_state()) return servant.restore(Bytes::copy(state));
    return fail(
        Code::kFailedPrecondition,
        "its predecessor hands over a state, and this template takes none (it has no restore)");
  });
}

}  // namespace hector
