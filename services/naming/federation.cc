// What: Federation, the rest of a name in the next naming system: another Naming, files, a store,
// DNS, CosNaming.
// Why: a composite name goes on where this directory ends; the caller is told under its whole name.
// Who: the Naming servant.
#include "federation.h"

#include <fmt/format.h>

#include <algorithm>

#include "attributes.h"
#include "hector/naming.hector.h"
#include "state/answer.h"

namespace hector::naming {

using state::refuse;

namespace {

std::string rest_of(const Place& place) {
  return print_name(place.rest.empty() ? Components{""} : place.rest);
}

Error unavailable_at(const Place& place, const std::string& why) {
  v1::NamingStatus status;
  status.set_code("CTX_UNAVAILABLE");
  if (!place.rest.empty()) status.set_remaining_name(print_name(place.rest));
  return status_behind(
      place,
      status_error(std::move(status), fmt::format("the naming system '{}' cannot be reached: {}",
                                                  place.next.substr(0, 40), why)));
}

Error not_federated(OperationId operation) {
  return Error::unimplemented(fmt::format("OPERATION_NOT_SUPPORTED: {} does not go into other "
                                          "naming systems",
                                          operation.name))
      .with_type("OPERATION_NOT_SUPPORTED");
}

/// Under its whole name.
Payload whole_binding(v1::NamingBinding binding, const Place& place) {
  Components whole = place.link ? place.link->whole() : place.resolved;
  if (!place.link) whole.insert(whole.end(), place.rest.begin(), place.rest.end());
  binding.set_name(print_name(whole));
  return write_message(binding);
}

bool is(OperationId operation, OperationId other) { return operation.number == other.number; }

bool gives_a_binding(OperationId operation) {
  return is(operation, NamingOperations::kLookup) || is(operation, NamingOperations::kLookupLink);
}

/// Operations that follow a name which leads from a system of others into a third one.
bool goes_further(OperationId operation) {
  return gives_a_binding(operation) || is(operation, NamingOperations::kListBindings) ||
         is(operation, NamingOperations::kListNames);
}

Result<Payload> revision_of(const Status& done) {
  if (!done) return fail(done.error());
  return write_message(v1::NamingRevision());
}

}  // namespace

std::uint32_t page_of(std::uint32_t how_many) {
  return how_many == 0 ? kPageMax : std::min(how_many, kPageMax);
}

Result<v1::NamingAttributes> attributes_of(const v1::NamingBinding& binding,
                                           const v1::NamingAttributeIds& request,
                                           std::string_view operation) {
  v1::NamingAttributes reply;
  if (request.ids_size() == 0) *reply.mutable_attributes() = binding.attributes();
  for (const auto& id : request.ids()) {
    const auto* const found = find_attribute(binding, id);
    if (found != nullptr)
      *reply.add_attributes() = *found;
    else if (operation == NamingOperations::kAttrGet.name)
      return refuse("NO_SUCH_ATTRIBUTE",
                    fmt::format("'{}' has no attribute '{}'", request.name(), id), Code::kNotFound);
  }
  if (operation == NamingOperations::kAttrGetIds.name) {
    for (auto& each : *reply.mutable_attributes()) each.clear_values();
  }
  return reply;
}

Error continue_at(const Place& place, const std::string& why) {
  v1::NamingStatus status;
  status.set_code("CONTINUE");
  status.set_resolved_name(print_name(place.resolved));
  status.set_remaining_name(rest_of(place));
  status.mutable_resolved()->set_next(place.next);
  return status_error(std::move(status), why);
}

Federation::Federation(const ServiceContext& context, const v1::NamingSettings& settings)
    : context_(context),
      settings_(settings),
      peers_(*context.handle, "naming", NamingOperations::kInterface) {}

template <class In>
void Federation::go_on(Call& given, OperationId operation, In request, const Place& place) {
  if constexpr (requires { request.stay(); }) {
    if (request.stay()) return given.fail(continue_at(place, "here the next naming system begins"));
  }
  if constexpr (requires { request.hops(); }) {
    if (request.hops() >= kHopsMax)
      return given.fail(continue_at(
          place,
          fmt::format("the name has come through {} naming systems, the limit: is there a ring?",
                      kHopsMax)));
    request.set_hops(request.hops() + 1);
    request.set_name(rest_of(place));
    request.clear_who();
    Call& call = given.defer();
    context_.run_blocking([this, &call, operation, request = std::move(request), place] {
      if (place.next.starts_with("hector:")) return forward(call, operation, request, place);
      ask_system(call, operation, request, place);
    });
  } else {
    given.fail(not_federated(operation));
  }
}

void Federation::fail_forwarded(Call& call, const Place& place, const Error& error) {
  if (status_of(error)) return call.fail(status_behind(place, error));
  if (error.code != Code::kUnavailable && error.code != Code::kDeadlineExceeded)
    return call.fail(error);
  peers_.forget(place.next);
  call.fail(unavailable_at(place, error.message));
}

template <class In>
void Federation::forward(Call& call, OperationId operation, const In& request, const Place& place) {
  const auto target = peers_.at(place.next);
  if (!target) return call.fail(unavailable_at(place, target.error().message));
  auto& onward = CallbackCall::make([this, &call, operation, place](Call& answered) {
    if (answered.error) return fail_forwarded(call, place, *answered.error);
    if (!gives_a_binding(operation)) return call.complete(std::move(answered.reply));
    auto binding = read_message<v1::NamingBinding>(answered.reply);
    if (!binding) return call.fail(std::move(binding.error()));
    call.complete(whole_binding(std::move(*binding), place));
  });
  onward.header.operation = kByName;
  onward.header.operation_name = operation.name;
  onward.header.deadline =
      std::min(call.header.deadline, context_.clock->now() + kSystemAnswersWithin);
  onward.request = write_message(request);
  (*target)->start(onward);
}

Result<std::shared_ptr<NamingSystem>> Federation::system_at(const std::string& url,
                                                            const Components& rest) {
  const auto& allowed = settings_.federate();
  const bool is_allowed = std::any_of(allowed.begin(), allowed.end(),
                                      [&](const auto& each) { return url.starts_with(each); });
  if (!is_allowed)
    return refuse_name("CONFIGURATION_ERROR", rest, 0,
                       fmt::format("names may not lead to '{}' from here; its beginning has to be "
                                   "listed in the setting `federate` of naming, in this capsule's "
                                   "configuration",
                                   url));
  const std::lock_guard lock(mutex_);
  if (const auto found = systems_.find(url); found != systems_.end()) return found->second;
  auto made = make_system(context_, url);
  if (!made) return refuse_name(made.error().type.c_str(), rest, 0, made.error().message);
  if (systems_.size() >= kSystemsMax) systems_.clear();
  return systems_[url] = std::move(*made);
}

Federation::Answered Federation::ask(NamingSystem& system, OperationId operation,
                                     const v1::NamingBind& request, const Place& place) {
  return revision_of(is(operation, NamingOperations::kBind) ? system.bind(place.rest, request)
                                                            : system.make_context(place.rest));
}

Federation::Answered Federation::ask(NamingSystem& system, OperationId operation,
                                     const v1::NamingName&, const Place& place) {
  if (is(operation, NamingOperations::kUnbind)) return revision_of(system.unbind(place.rest));
  if (is(operation, NamingOperations::kDestroySubcontext))
    return revision_of(system.destroy_context(place.rest));
  if (is(operation, NamingOperations::kGetSyntaxAttrs)) return write_message(system.syntax());
  auto found = HECTOR_TRY(system.lookup(place.rest));
  return whole_binding(std::move(found), place);
}

Federation::Answered Federation::ask(NamingSystem& system, OperationId,
                                     const v1::NamingPage& request, const Place& place) {
  auto all = HECTOR_TRY(system.list(place.rest));
  const std::string& iterator = request.iterator();
  const std::size_t first =
      iterator.starts_with('@') ? std::strtoull(iterator.c_str() + 1, nullptr, 10) : 0;
  const std::size_t last = std::min(all.size(), first + page_of(request.how_many()));
  v1::NamingBindings reply;
  for (std::size_t i = std::min(first, last); i < last; ++i)
    *reply.add_bindings() = std::move(all[i]);
  if (last < all.size()) reply.set_iterator(fmt::format("@{}", last));
  return write_message(reply);
}

Federation::Answered Federation::ask(NamingSystem& system, OperationId operation,
                                     const v1::NamingAttributeIds& request, const Place& place) {
  const auto found = HECTOR_TRY(system.lookup(place.rest));
  const auto reply = HECTOR_TRY(attributes_of(found, request, operation.name));
  return write_message(reply);
}

template <class In>
Federation::Answered Federation::ask(NamingSystem&, OperationId operation, const In&,
                                     const Place& place) {
  return refuse_name("OPERATION_NOT_SUPPORTED", place.rest, 0,
                     fmt::format("this naming system has no {}", operation.name));
}

template <class In>
void Federation::ask_system(Call& call, OperationId operation, const In& request,
                            const Place& place) {
  const auto system = system_at(place.next, place.rest);
  if (!system) return call.fail(status_behind(place, system.error()));
  auto answered = ask(**system, operation, request, place);
  if (answered) return call.complete(std::move(*answered));
  if (goes_further(operation))
    return continue_from(call, operation, request, place, answered.error());
  call.fail(status_behind(place, answered.error()));
}

/// A third system may begin there.
template <class In>
void Federation::continue_from(Call& call, OperationId operation, In request, const Place& place,
                               const Error& error) {
  const auto status = status_of(error);
  if (!status || status->code() != "CONTINUE" || status->resolved().next().empty())
    return call.fail(status_behind(place, error));
  Place further = place;
  further.next = status->resolved().next();
  if (const auto resolved = parse_name(status->resolved_name()))
    further.resolved.insert(further.resolved.end(), resolved->begin(), resolved->end());
  auto rest = parse_name(status->remaining_name());  // the other system's words
  if (!rest) return call.fail(status_behind(place, error));
  further.rest = std::move(*rest);
  go_on(call, operation, std::move(request), further);
}

template void Federation::go_on(Call&, OperationId, v1::NamingAttributeIds, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingBind, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingModify, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingName, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingPage, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingRename, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingSearch, const Place&);
template void Federation::go_on(Call&, OperationId, v1::NamingWatch, const Place&);

}  // namespace hector::naming
