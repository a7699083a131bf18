#include "binding/coordinators.h"

#include "channel/ping.h"
#include "hector/check.h"
#include "party/target.h"

namespace hector {

Result<Target*> Coordinators::coordinator(const Reference& capsule) {
  HECTOR_CHECK(!capsule.is_foreign(), "a foreign server has no coordinator to ask");
  if (const auto known = known_.find(capsule.capsule_id); known != known_.end())
    return known->second.get();
  std::unique_ptr<Target> made;
  if (core_.references.is_own(capsule)) {
    const OfferPtr offer = core_.offers.find_object(kCoordinatorName);
    if (!offer) return fail(Error::unavailable("the capsule stops"));
    made = std::make_unique<LocalTarget>(core_, offer);
  } else {
    made = HECTOR_TRY(coordinator_of(core_, capsule));
  }
  HECTOR_CHECK(made != nullptr, "a coordinator was found and is not there");
  return known_.emplace(capsule.capsule_id, std::move(made)).first->second.get();
}

namespace {

/// Whether the ping's answer is this capsule's: not when another one answers at its address.
bool is_answer_of(std::uint64_t capsule_id, Call& ping) {
  if (ping.error)
    return ping.error->code != Code::kUnavailable && ping.error->code != Code::kDeadlineExceeded;
  const auto description = read_message<kernel::v1::OfferDescription>(ping.reply);
  return description && description->reference().capsule_id() == capsule_id;
}

}  // namespace

void ping_capsule(Core& core, const Reference& capsule, Deadline deadline,
                  std::function<void(bool is_there)> done) {
  const auto target = coordinator_of(core, capsule);
  if (!target) return done(false);
  auto& call = CallbackCall::make([id = capsule.capsule_id, done = std::move(done)](Call& ping) {
    done(is_answer_of(id, ping));
  });
  write_ping(call);
  call.header.deadline = deadline;
  (*target)->start(call);
}

}  // namespace hector
