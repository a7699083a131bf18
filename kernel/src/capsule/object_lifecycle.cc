#include "capsule/object_lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "binding/object_state.h"
#include "hector/check.h"
#include "party/party_session.h"

namespace hector {

namespace {

constexpr Duration kLookAgain = std::chrono::microseconds(100);  ///< whether its parties have left
/// Of an Object whose neighbours have used up the grace of all.
constexpr Duration kLeastGrace = std::chrono::milliseconds(50);

Status check_name(const std::string& name) {
  if (!name.empty() && name.front() != '_' && name.find_first_of("/ .") == std::string::npos)
    return {};
  return fail(Error::invalid_argument(fmt::format(
      "'{}' is not an Object's name: letters without '/', '.' and blanks, not starting with '_'",
      name)));
}

/// What a later move of the Object needs; null where the template alone made it.
std::unique_ptr<const MadeWith> made_with(const CreateOptions& options) {
  const MadeWith nothing;
  if (options.arguments == nothing.arguments && options.properties.empty()) return nullptr;
  return std::make_unique<const MadeWith>(MadeWith{options.arguments, options.properties});
}

/// An Object with a thread of its own needs one.
Status give(ObjectHost& host, std::unique_ptr<Servant> servant) {
  try {
    host.set_servant(std::move(servant));
  } catch (const std::system_error& error) {
    return fail(
        Error::resource_exhausted(fmt::format("Object '{}' gets no thread: {}; raise `ulimit -u`, "
                                              "or the memory that the process may have",
                                              host.options().name, error.code().message())));
  }
  return {};
}

}  // namespace

Result<OfferPtr> ObjectLifecycle::create(const CreateOptions& options) {
  HECTOR_TRY(check_name(options.name));
  auto [from, record] =
      HECTOR_TRY(on_.templates.reserve(options.template_name, options.name, made_with(options)));
  const OfferPtr offer = on_.maker.object(options, from.code->info(), from.interface);
  record.handle = on_.make_handle(options.name, offer->principal());
  auto servant = from.code->instantiate(*record.handle, from.interface, options.arguments);
  if (!servant) {
    on_.registry.abandon(record);
    return fail(std::move(servant.error()));
  }
  Status done = give(*offer->host, std::move(*servant));
  if (done && options.state) done = restore_state(*offer->host, *options.state);
  if (!done) {
    offer->host->drop_servant();
    on_.registry.abandon(record);
    return fail(std::move(done.error()));
  }
  HECTOR_TRY(
      serve(record, offer,
            options.is_successor ? Publication::NameIs::kTakenOver : Publication::NameIs::kNew));
  return offer;
}

Result<OfferPtr> ObjectLifecycle::adopt(const CreateOptions& options, const Adoption& adoption,
                                        types::CompiledPtr interface,
                                        const MakeServant& make_servant) {
  auto* const record = HECTOR_TRY(on_.registry.reserve(options.name, {.owner = adoption.owner}));
  auto servant = make_servant();
  if (!servant) {
    on_.registry.abandon(*record);
    return fail(std::move(servant.error()));
  }
  TemplateInfo info;
  info.name = adoption.kind;
  info.thread = adoption.thread;
  info.parallel = adoption.parallel;
  const OfferPtr offer = on_.maker.object(options, info, std::move(interface));
  if (auto given = give(*offer->host, std::move(*servant)); !given) {
    on_.registry.abandon(*record);
    return fail(std::move(given.error()));
  }
  HECTOR_TRY(serve(*record, offer, Publication::NameIs::kNew));
  return offer;
}

/// From here on it is found and called, so an Object that cannot be published ends like any other.
Status ObjectLifecycle::serve(ObjectRecord& record, const OfferPtr& offer,
                              Publication::NameIs name) {
  if (auto added = on_.registry.commit(record, offer); !added) {
    offer->host->drop_servant();
    on_.registry.abandon(record);
    return added;
  }
  if (auto entered = on_.publication.enter(offer, name); !entered) {
    if (ObjectRecord* const retired = on_.registry.retire(offer)) finish(*retired);
    return entered;
  }
  on_.log.write(Level::kInfo, "object created",
                {{"object", offer->object}, {"interface", offer->interface->id()}});
  on_.changed();
  return {};
}

TimePoint ObjectLifecycle::grace_end() const {
  const TimePoint now = on_.clock.now();
  return std::min(now + on_.grace.load(), std::max(all_end_.load(), now + kLeastGrace));
}

void ObjectLifecycle::wait_until_unbound(const Offer& offer) {
  const TimePoint until = grace_end();
  while (on_.parties.has(offer) && on_.clock.now() < until && on_.pause(kLookAgain)) {
  }
}

void ObjectLifecycle::end(const OfferPtr& offer, Publication::NameGoes name) {
  const std::string why = fmt::format("Object '{}' was deleted", offer->object);
  for (const auto& session : on_.parties.of_offer(*offer))
    on_.close_parties(session->binding(), why);
  // Sessions that another thread is about to end still tell their Object so: it must be there.
  wait_until_unbound(*offer);
  ObjectRecord* const record = on_.registry.retire(offer);
  if (record == nullptr) return;
  on_.changed();
  on_.publication.leave(offer, name);
  finish(*record);
}

void ObjectLifecycle::finish(ObjectRecord& record) {
  HECTOR_CHECK(record.offer != nullptr, "an Object is finished that never served");
  ObjectHost& host = *record.offer->host;
  if (host.retire(grace_end(), on_.clock)) {
    host.drop_servant();
    return on_.registry.destroy(record);
  }
  on_.log.write(Level::kWarning, "object kept: calls did not end within the grace",
                {{"object", record.name()},
                 {"template", host.options().template_name},
                 {"cut short", on_.running(host)}});
  on_.registry.keep(record);
}

}  // namespace hector
