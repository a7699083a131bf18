// What: the embedded provider of Naming (X/Open XFN): composite names, contexts, links, junctions,
// attributes, leases, watches, on the store. Why: roles are resolved by name, and names lead on
// into the naming systems that are there already. Who: loaded by capsules whose configuration says
// `naming: embedded`.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "attributes.h"
#include "changes.h"
#include "expression/xfn.h"
#include "hector/plugin.h"
#include "hector/table_servant.h"
#include "search.h"
#include "state/answer.h"
#include "state/peers.h"
#include "state/seen.h"
#include "state/watches.h"
#include "systems.h"

namespace {

using namespace hector;
using namespace hector::naming;
using state::refuse;
using LastLink = Directory::LastLink;

constexpr std::size_t kTogetherMax = 1'000;
constexpr std::size_t kSearchesMax = 100;
constexpr std::size_t kSystemsMax = 100;
constexpr std::uint32_t kPageMax = 1'000;
constexpr Duration kSearchLives = std::chrono::minutes(1);
constexpr Duration kSystemAnswersWithin = std::chrono::seconds(10);
constexpr const char* kPrefix = "nm/";

std::string bytes_to_hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char each : bytes) text += fmt::format("{:02x}", each);
  return text;
}
std::string hex_to_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(
        static_cast<char>(std::strtol(std::string(text.substr(i, 2)).c_str(), nullptr, 16)));
  return bytes;
}

class Naming final : public Service {
 public:
  Naming(const ServiceContext& context, v1::NamingSettings settings)
      : context_(context),
        settings_(std::move(settings)),
        changes_(directory_, *context.random),
        replica_({context.store, context.clock, context.executor, context.log}, kPrefix,
                 directory_),
        leases_(*context.store, "nm-leases/"),
        peers_(*context.handle, "naming", "hector.Naming/1"),
        watches_(*context.store),
        servant_({[this](Call& call) { bind(call); },
                  [this](Call& call) { lookup(call, "lookup"); },
                  [this](Call& call) { unbind(call); },
                  [this](Call& call) { list(call, "list_bindings"); },
                  [this](Call& call) { parse(call); },
                  [this](Call& call) { lookup(call, "lookup_link"); },
                  [this](Call& call) { list(call, "list_names"); },
                  [this](Call& call) { rename(call); },
                  [this](Call& call) { create_subcontext(call); },
                  [this](Call& call) { destroy_subcontext(call); },
                  [this](Call& call) { initial_context(call); },
                  [this](Call& call) { get_syntax_attrs(call); },
                  [this](Call& call) { equivalent_name(call); },
                  [this](Call& call) { attr_get(call, "attr_get"); },
                  [this](Call& call) { attr_get(call, "attr_get_ids"); },
                  [this](Call& call) { attr_get(call, "attr_multi_get"); },
                  [this](Call& call) { attr_modify(call, "attr_modify"); },
                  [this](Call& call) { attr_modify(call, "attr_multi_modify"); },
                  [this](Call& call) { attr_search(call); },
                  [this](Call& call) { watch(call); },
                  [this](Call& call) { resolve_many(call); },
                  [this](Call& call) { state::open_lease<v1::NamingLease>(leases_, call); },
                  [this](Call& call) {
                    state::with_lease<v1::NamingLease, &state::Leases::renew>(leases_, call);
                  },
                  [this](Call& call) {
                    state::with_lease<v1::NamingLease, &state::Leases::close>(leases_, call);
                  }}) {}
  Status start() { return replica_.start(); }
  std::string interface_id() const override { return "hector.Naming/1"; }
  Servant& servant() override { return servant_; }

 private:
  // --- where names lead
  // --------------------------------------------------------------------------------------------

  /// As the caller is, where he does not say whose initial context he means.
  InitialNames initial_of(const v1::NamingWho& asked, const Call& call) const {
    return initial_names(filled(asked, caller_of(call)));
  }
  /// Only names that begin like one of the initial context pay for it.
  InitialNames initial_for(const Components& name, const v1::NamingWho& who,
                           const Call& call) const {
    const auto& first = name.front();
    return first.starts_with('_') || first == "thisuser" ? initial_of(who, call) : plain_;
  }
  /// Under the replica's lock.
  Result<Place> place_of(const std::string& text, const v1::NamingWho& who, const Call& call,
                         LastLink last) const {
    auto name = HECTOR_TRY(parse_name(text));
    for (const auto& each : name) {
      if (each.size() > Changes::kAtomOctetsMax)
        return refuse("ILLEGAL_NAME", fmt::format("a component has {} octets; one may have {}",
                                                  each.size(), Changes::kAtomOctetsMax));
    }
    return directory_.resolve(name, initial_for(name, who, call), last);
  }
  /// Operations on a context go on into the next system where the name ends at a junction.
  static Place through_junction(Place place) {
    if (place.kind != Place::Kind::kAtom || place.entry == nullptr ||
        place.entry->binding->next().empty())
      return place;
    place.kind = Place::Kind::kNext;
    place.next = place.entry->binding->next();
    place.rest = {""};
    return place;
  }
  /// The pattern of operations that only look: `work(request, place, revision)` under the lock, or
  /// into the next system.
  template <class In, class Work>
  void look(Call& given, const char* operation, LastLink last, bool goes_through, Work work) {
    auto read = read_message<In>(given.request);
    if (!read) return given.fail(std::move(read.error()));
    if (context_.store->is_shared()) {
      Call& call = given.defer();
      return replica_.when_current([this, &call, operation, last, goes_through, work,
                                    request = std::move(*read)](Status current) {
        if (!current) return call.fail(std::move(current.error()));
        look_now(call, operation, request, last, goes_through, work);
      });
    }
    look_now(given, operation, *read, last, goes_through, work);
  }
  template <class In, class Work>
  void look_now(Call& call, const char* operation, const In& request, LastLink last,
                bool goes_through, Work work) {
    Place place;
    {
      const Revision revision = replica_.revision();
      const auto lock = replica_.read();
      if constexpr (requires { request.at_least(); }) {
        if (request.at_least() > revision)
          return call.fail(
              {Code::kFailedPrecondition, fmt::format("Naming is at revision {}, not yet at {}",
                                                      revision, request.at_least())});
      }
      auto found = place_of(request.name(), request.who(), call, last);
      if (!found) return call.fail(std::move(found.error()));
      place = goes_through ? through_junction(std::move(*found)) : std::move(*found);
      if (place.kind != Place::Kind::kNext) return work(call, request, place, revision);
    }
    go_on(call, operation, request, place);
  }
  /// The same for operations that change: `plan(request, names)` makes the transaction, looking the
  /// names up again.
  template <class In, class Plan>
  void change(Call& call, const char* operation, LastLink last, Plan plan) {
    auto request = read_message<In>(call.request);
    if (!request) return call.fail(std::move(request.error()));
    Place place;
    {
      const auto lock = replica_.read();
      auto found = place_of(request->name(), request->who(), call, last);
      if (!found && !makes_contexts(*request, found.error()))
        return call.fail(std::move(found.error()));
      if (found) place = std::move(*found);
    }
    if (place.kind == Place::Kind::kNext) return go_on(call, operation, *request, place);
    state::change<In, v1::NamingRevision>(
        replica_, call,
        [this, plan = std::move(plan), who = caller_of(call), last](
            const In& asked, v1::NamingRevision&) -> Result<StoreTransaction> {
          return plan(asked, asked_names(filled(asked.who(), who), last));
        });
  }
  template <class In>
  static bool makes_contexts(const In& request, const Error& error) {
    if constexpr (std::is_same_v<In, v1::NamingBind>)
      return Changes::makes_contexts(request, error);
    return false;
  }
  AskedNames asked_names(const v1::NamingWho& who, LastLink last) const {
    AskedNames names{initial_names(who), {}};
    names.resolve = [this, initial = names.initial, last](const std::string& name) {
      return directory_.resolve(*parse_name(name), initial, last);
    };
    return names;
  }
  v1::NamingWho caller_of(const Call& call) const {
    v1::NamingWho who;
    if (call.peer != nullptr) who.set_principal(call.peer->principal);
    who.set_capsule(context_.capsule);
    who.set_host(settings_.host());
    return who;
  }
  static v1::NamingWho filled(v1::NamingWho asked, const v1::NamingWho& caller) {
    if (asked.principal().empty()) asked.set_principal(caller.principal());
    if (asked.capsule().empty()) asked.set_capsule(caller.capsule());
    if (asked.host().empty()) asked.set_host(caller.host());
    return asked;
  }

  // --- federation
  // --------------------------------------------------------------------------------------------

  static Error continue_at(const Place& place, const std::string& why) {
    v1::NamingStatus status;
    status.set_code("CONTINUE");
    status.set_resolved_name(print_name(place.resolved));
    status.set_remaining_name(print_name(place.rest.empty() ? Components{""} : place.rest));
    status.mutable_resolved()->set_next(place.next);
    return status_error(std::move(status), why);
  }
  static Error unavailable_at(const Place& place, const std::string& why) {
    v1::NamingStatus status;
    status.set_code("CTX_UNAVAILABLE");
    status.set_resolved_name(print_name(place.resolved));
    if (!place.rest.empty()) status.set_remaining_name(print_name(place.rest));
    return status_error(
        std::move(status),
        fmt::format("the naming system '{}' cannot be reached: {}", place.next.substr(0, 40), why));
  }

  /// The rest of the name is the next system's.
  template <class In>
  void go_on(Call& given, const char* operation, In request, const Place& place) {
    if constexpr (requires { request.stay(); }) {
      if (request.stay())
        return given.fail(continue_at(place, "here the next naming system begins"));
    }
    if constexpr (requires { request.hops(); }) {
      if (request.hops() >= kHopsMax)
        return given.fail(continue_at(
            place,
            fmt::format("the name has come through {} naming systems, the limit: is there a ring?",
                        kHopsMax)));
      request.set_hops(request.hops() + 1);
    } else {
      return given.fail(
          {Code::kUnimplemented,
           fmt::format("OPERATION_NOT_SUPPORTED: {} does not go into other naming systems",
                       operation),
           "OPERATION_NOT_SUPPORTED",
           {},
           {}});
    }
    request.set_name(print_name(place.rest.empty() ? Components{""} : place.rest));
    request.clear_who();
    Call& call = given.defer();
    context_.run_blocking([this, &call, operation, request = std::move(request), place]() mutable {
      if (place.next.starts_with("hector:")) return forward(call, operation, request, place);
      auto system = system_at(place.next, place.rest);
      if (!system) return call.fail(status_from(place.resolved, system.error()));
      ask_system(call, operation, **system, request, place);
    });
  }

  template <class In>
  void forward(Call& call, const char* operation, const In& request, const Place& place) {
    auto target = peers_.at(place.next);
    if (!target) return call.fail(unavailable_at(place, target.error().message));
    auto& onward = CallbackCall::make([this, &call, place, target = *target](Call& answered) {
      if (!answered.error) {
        if constexpr (std::is_same_v<In, v1::NamingName>) {
          if (answered.header.operation_name.starts_with("lookup"))
            return give_binding(call, place, read_message<v1::NamingBinding>(answered.reply));
        }
        return call.complete(std::move(answered.reply));
      }
      const Code code = answered.error->code;
      if (status_of(*answered.error))
        return call.fail(status_from(place.resolved, *answered.error));
      if (code == Code::kUnavailable || code == Code::kDeadlineExceeded) {
        peers_.forget(place.next);
        return call.fail(unavailable_at(place, answered.error->message));
      }
      call.fail(*answered.error);
    });
    onward.header.operation = kByName;
    onward.header.operation_name = operation;
    onward.header.deadline =
        std::min(call.header.deadline, context_.clock->now() + kSystemAnswersWithin);
    onward.request = write_message(request);
    (*target)->start(onward);
  }
  /// Under its whole name.
  static void give_binding(Call& call, const Place& place, Result<v1::NamingBinding> binding) {
    if (!binding) return call.fail(std::move(binding.error()));
    Components whole = place.resolved;
    whole.insert(whole.end(), place.rest.begin(), place.rest.end());
    binding->set_name(print_name(whole));
    call.complete(write_message(*binding));
  }
  Result<std::shared_ptr<NamingSystem>> system_at(const std::string& url, const Components& rest) {
    const auto& allowed = settings_.federate();
    if (std::none_of(allowed.begin(), allowed.end(),
                     [&](const auto& each) { return url.starts_with(each); })) {
      return refuse_name(
          "CONFIGURATION_ERROR", rest, 0,
          fmt::format("names may not lead to '{}' from here; its beginning has to be listed in the "
                      "setting `federate` of naming, in this capsule's configuration",
                      url));
    }
    const std::lock_guard lock(systems_mutex_);
    if (const auto found = systems_.find(url); found != systems_.end()) return found->second;
    auto made = make_system(context_, url);
    if (!made) return refuse_name(made.error().type.c_str(), rest, 0, made.error().message);
    if (systems_.size() >= kSystemsMax) systems_.clear();
    return systems_[url] = *made;
  }

  template <class In>
  void ask_system(Call& call, const char* operation, NamingSystem& system, const In& request,
                  const Place& place) {
    const std::string_view asked = operation;
    const auto done = [&](Status status) {
      if (!status) return call.fail(status_from(place.resolved, status.error()));
      call.complete(write_message(v1::NamingRevision()));
    };
    if constexpr (std::is_same_v<In, v1::NamingBind>) {
      return done(asked == "bind" ? system.bind(place.rest, request)
                                  : system.make_context(place.rest));
    } else if constexpr (std::is_same_v<In, v1::NamingName>) {
      if (asked == "unbind") return done(system.unbind(place.rest));
      if (asked == "destroy_subcontext") return done(system.destroy_context(place.rest));
      if (asked == "get_syntax_attrs") return call.complete(write_message(system.syntax()));
      auto found = system.lookup(place.rest);
      if (found) return give_binding(call, place, std::move(found));
      return continue_from(call, operation, request, place, found.error());
    } else if constexpr (std::is_same_v<In, v1::NamingPage>) {
      auto all = system.list(place.rest);
      if (!all) return continue_from(call, operation, request, place, all.error());
      v1::NamingBindings reply;
      const std::size_t first = request.iterator().starts_with('@')
                                    ? std::strtoull(request.iterator().c_str() + 1, nullptr, 10)
                                    : 0;
      const std::size_t last = std::min(all->size(), first + page_of(request.how_many()));
      for (std::size_t i = std::min(first, last); i < last; ++i)
        *reply.add_bindings() = std::move((*all)[i]);
      if (last < all->size()) reply.set_iterator(fmt::format("@{}", last));
      return call.complete(write_message(reply));
    } else if constexpr (std::is_same_v<In, v1::NamingAttributeIds>) {
      auto found = system.lookup(place.rest);
      if (!found) return call.fail(status_from(place.resolved, found.error()));
      auto reply = attributes_of(*found, request, operation);
      if (!reply) return call.fail(std::move(reply.error()));
      return call.complete(write_message(*reply));
    }
    call.fail(status_from(place.resolved,
                          refuse_name("OPERATION_NOT_SUPPORTED", place.rest, 0,
                                      fmt::format("this naming system has no {}", operation))
                              .value()));
  }
  /// A third system may begin there.
  template <class In>
  void continue_from(Call& call, const char* operation, In request, const Place& place,
                     const Error& error) {
    auto status = status_of(error);
    if (!status || status->code() != "CONTINUE" || status->resolved().next().empty())
      return call.fail(status_from(place.resolved, error));
    Place further = place;
    further.next = status->resolved().next();
    if (auto resolved = parse_name(status->resolved_name()))
      further.resolved.insert(further.resolved.end(), resolved->begin(), resolved->end());
    further.rest = *parse_name(status->remaining_name());
    go_on(call, operation, std::move(request), further);
  }

  // --- operations that look
  // --------------------------------------------------------------------------------------------

  void lookup(Call& call, const char* operation) {
    const bool keeps = std::string_view(operation) == "lookup_link";
    look<v1::NamingName>(
        call, operation, keeps ? LastLink::kKeep : LastLink::kFollow, false,
        [](Call& asked, const v1::NamingName& request, const Place& place, Revision revision) {
          if (place.kind == Place::Kind::kAtom && place.entry == nullptr)
            return asked.fail(missing_at(place).value());
          if (place.kind == Place::Kind::kContext) {
            auto binding = binding_at(place);
            binding.set_name(request.name());
            binding.set_revision(revision);
            return asked.complete(write_message(binding));
          }
          // What is stored goes as it is, behind what it leaves out: Protobuf reads two messages in
          // a row as one.
          v1::NamingBinding head;
          head.set_name(request.name());
          head.set_revision(revision);
          if (place.entry->binding->type().empty()) head.set_type(type_of(*place.entry->binding));
          std::string whole = head.SerializeAsString();
          whole.append(place.entry->stored.view());
          asked.complete(Payload(Bytes::take(std::move(whole))));
        });
  }

  static std::uint32_t page_of(std::uint32_t how_many) {
    return how_many == 0 ? kPageMax : std::min(how_many, kPageMax);
  }
  static Error bad_handle() {
    return Error{Code::kFailedPrecondition,
                 "INVALID_ENUM_HANDLE: the listing has been forgotten, or was none of this "
                 "service's; list again",
                 "INVALID_ENUM_HANDLE",
                 {},
                 {}};
  }

  /// Pages of one listing are read from the store at the first one's revision.
  void list(Call& call, const char* operation) {
    look<v1::NamingPage>(
        call, operation, LastLink::kFollow, true,
        [this, operation](Call& given, const v1::NamingPage& request, const Place& place,
                          Revision revision) {
          auto context = context_at(place);
          if (!context) return given.fail(std::move(context.error()));
          StoreRead read{KeyRange::prefix(fmt::format("{}n/{}/", kPrefix, (*context)->id))};
          read.revision = revision;
          read.limit = page_of(request.how_many());
          if (!request.iterator().empty()) {
            const auto colon = request.iterator().find(':');
            read.revision = std::strtoll(request.iterator().c_str(), nullptr, 10);
            if (colon == std::string::npos || read.revision <= 0) return given.fail(bad_handle());
            read.after = hex_to_bytes(std::string_view(request.iterator()).substr(colon + 1));
          }
          Call& answer = given.defer();
          context_.store->read(
              std::move(read),
              [&answer, iterates = !request.iterator().empty(),
               prefix = std::string(kPrefix).size() + 3 + (*context)->id.size(),
               names_only = std::string_view(operation) == "list_names"](Result<StorePage> page) {
                if (!page)
                  return answer.fail(iterates && page.error().code != Code::kUnavailable
                                         ? bad_handle()
                                         : std::move(page.error()));
                v1::NamingBindings reply;
                reply.set_revision(page->revision);
                if (!page->next.empty())
                  reply.set_iterator(
                      fmt::format("{}:{}", page->revision, bytes_to_hex(page->next)));
                for (const auto& entry : page->entries) {
                  v1::NamingBinding stored;
                  static_cast<void>(stored.ParseFromArray(entry.value.data(),
                                                          static_cast<int>(entry.value.size())));
                  const std::string type = type_of(stored);
                  auto& binding = *reply.add_bindings();
                  if (!names_only) binding = std::move(stored);
                  binding.set_name(print_name({entry.key.substr(prefix)}));
                  binding.set_type(type);
                }
                answer.complete(write_message(reply));
              });
        });
  }

  void parse(Call& call) {
    answer<v1::NamingName>(call,
                           [&](const v1::NamingName& request) -> Result<v1::NamingComponents> {
                             auto components = HECTOR_TRY(parse_name(request.name()));
                             return components_reply(components);
                           });
  }
  static v1::NamingComponents components_reply(const Components& components) {
    v1::NamingComponents reply;
    reply.set_name(print_name(components));
    for (const auto& each : components) reply.add_components(each);
    return reply;
  }

  void initial_context(Call& call) {
    answer<v1::NamingName>(call, [&](const v1::NamingName& request) -> Result<v1::NamingBindings> {
      v1::NamingBindings reply;
      const auto names = initial_of(request.who(), call);
      for (const auto& [name, target] : names) {
        auto& binding = *reply.add_bindings();
        binding.set_name(name);
        if (target.empty())
          binding.set_context(kRootContext);
        else
          binding.set_link(print_name(target));
      }
      auto& global = *reply.add_bindings();
      global.set_name(kGlobalRoot);
      global.set_next("dns:");
      return reply;
    });
  }

  void get_syntax_attrs(Call& call) {
    look<v1::NamingName>(call, "get_syntax_attrs", LastLink::kFollow, true,
                         [](Call& asked, const v1::NamingName&, const Place& place, Revision) {
                           if (auto context = context_at(place); !context)
                             return asked.fail(std::move(context.error()));
                           v1::NamingSyntax syntax;
                           syntax.set_direction("left_to_right");
                           syntax.set_separator("/");
                           syntax.set_escape("\\");
                           syntax.add_quotes("\"");
                           syntax.add_quotes("'");
                           asked.complete(write_message(syntax));
                         });
  }

  void equivalent_name(Call& call) {
    answer<v1::NamingEquivalent>(
        call, [&](const v1::NamingEquivalent& request) -> Result<v1::NamingComponents> {
          auto name = HECTOR_TRY(parse_name(request.name()));
          const auto initial = initial_of(request.who(), call);
          const auto alias = initial.find(name.front());
          Components whole = alias == initial.end() ? Components{name.front()} : alias->second;
          whole.insert(whole.end(), name.begin() + 1, name.end());
          const auto leading = initial.find(request.leading());
          const Components stands_for =
              leading == initial.end() ? Components{request.leading()} : leading->second;
          if (whole.size() < stands_for.size() ||
              !std::equal(stands_for.begin(), stands_for.end(), whole.begin()))
            return v1::NamingComponents();
          Components equivalent = {request.leading()};
          equivalent.insert(equivalent.end(),
                            whole.begin() + static_cast<std::ptrdiff_t>(stands_for.size()),
                            whole.end());
          return components_reply(equivalent);
        });
  }

  void resolve_many(Call& call) {
    answer<v1::NamingNames>(
        call, [&](const v1::NamingNames& request) -> Result<v1::NamingResolved> {
          if (request.names_size() > static_cast<int>(kTogetherMax))
            return refuse("INSUFFICIENT_RESOURCES",
                          fmt::format("{} names may be resolved together", kTogetherMax),
                          Code::kResourceExhausted);
          v1::NamingResolved reply;
          reply.set_revision(replica_.revision());
          const auto lock = replica_.read();
          for (const auto& name : request.names()) {
            auto& one = *reply.add_answers();
            auto place = place_of(name, request.who(), call, LastLink::kFollow);
            std::optional<Error> error;
            if (!place)
              error = place.error();
            else if (place->kind == Place::Kind::kNext)
              error = continue_at(*place, "");
            else if (place->kind == Place::Kind::kAtom && place->entry == nullptr)
              error = missing_at(*place).value();
            else
              *one.mutable_binding() = binding_at(*place);
            if (!error) {
              one.mutable_binding()->set_name(name);
            } else if (auto status = status_of(*error)) {
              *one.mutable_status() = std::move(*status);
            } else {
              one.mutable_status()->set_code(error->type);
              one.mutable_status()->set_remaining_name(name);
            }
          }
          return reply;
        });
  }

  // --- operations that change
  // --------------------------------------------------------------------------------------------

  void bind(Call& call) {
    change<v1::NamingBind>(call, "bind", LastLink::kKeep,
                           [this](const v1::NamingBind& request, const AskedNames& names) {
                             return changes_.bind(request, names);
                           });
  }

  void unbind(Call& call) {
    change<v1::NamingName>(call, "unbind", LastLink::kKeep,
                           [this](const v1::NamingName& request, const AskedNames& names) {
                             return changes_.unbind(request, names);
                           });
  }

  void create_subcontext(Call& call) {
    change<v1::NamingBind>(call, "create_subcontext", LastLink::kKeep,
                           [this](const v1::NamingBind& request, const AskedNames& names) {
                             return changes_.create_subcontext(request, names);
                           });
  }

  /// Twice through the store: it is marked first, and whoever had meant to bind into it has to look
  /// again.
  void destroy_subcontext(Call& given) {
    auto request = read_message<v1::NamingName>(given.request);
    if (!request) return given.fail(std::move(request.error()));
    Place place;
    {
      const auto lock = replica_.read();
      auto found = place_of(request->name(), request->who(), given, LastLink::kKeep);
      if (!found) return given.fail(std::move(found.error()));
      place = std::move(*found);
    }
    if (place.kind == Place::Kind::kNext)
      return go_on(given, "destroy_subcontext", *request, place);
    Call& call = given.defer();
    const auto who = filled(request->who(), caller_of(call));
    replica_.change(
        [this, asked = *request, who] {
          return changes_.begin_destroy(asked, asked_names(who, LastLink::kKeep));
        },
        [this, asked = *request, who, &call](Result<Revision> marked) {
          if (!marked) return call.fail(std::move(marked.error()));
          replica_.change(
              [this, asked, who] {
                return changes_.end_destroy(asked, asked_names(who, LastLink::kKeep));
              },
              [&call](Result<Revision> done) {
                if (!done) return call.fail(std::move(done.error()));
                v1::NamingRevision reply;
                reply.set_revision(*done);
                call.complete(write_message(reply));
              });
        });
  }
  /// A name of one component stays in the old one's context; a longer one begins where the old one
  /// did.
  void rename(Call& call) {
    auto request = read_message<v1::NamingRename>(call.request);
    if (!request) return call.fail(std::move(request.error()));
    auto to = parse_name(request->to());
    if (!to) return call.fail(std::move(to.error()));
    Place from;
    bool crosses = false;
    {
      const auto lock = replica_.read();
      auto found = place_of(request->name(), request->who(), call, LastLink::kKeep);
      if (!found) return call.fail(std::move(found.error()));
      from = std::move(*found);
      if (to->size() > 1) {
        auto target = place_of(request->to(), request->who(), call, LastLink::kKeep);
        if (!target) return call.fail(std::move(target.error()));
        crosses = (target->kind == Place::Kind::kNext) != (from.kind == Place::Kind::kNext) ||
                  (target->kind == Place::Kind::kNext && target->next != from.next);
        if (target->kind == Place::Kind::kNext) request->set_to(print_name(target->rest));
      }
    }
    if (crosses)
      return call.fail({Code::kUnimplemented,
                        "OPERATION_NOT_SUPPORTED: the two names are in different naming systems; "
                        "bind the new one and unbind the old one",
                        "OPERATION_NOT_SUPPORTED",
                        {},
                        {}});
    if (from.kind == Place::Kind::kNext) return go_on(call, "rename", *request, from);
    change<v1::NamingRename>(call, "rename", LastLink::kKeep,
                             [this](const v1::NamingRename& asked, const AskedNames& names) {
                               return changes_.rename(asked, names);
                             });
  }
  // --- attributes
  // --------------------------------------------------------------------------------------------

  static Result<v1::NamingAttributes> attributes_of(const v1::NamingBinding& binding,
                                                    const v1::NamingAttributeIds& request,
                                                    std::string_view operation) {
    v1::NamingAttributes reply;
    if (request.ids_size() == 0) {
      *reply.mutable_attributes() = binding.attributes();
    } else {
      for (const auto& id : request.ids()) {
        const auto* const found = find_attribute(binding, id);
        if (found != nullptr)
          *reply.add_attributes() = *found;
        else if (operation == "attr_get")
          return refuse("NO_SUCH_ATTRIBUTE",
                        fmt::format("'{}' has no attribute '{}'", request.name(), id),
                        Code::kNotFound);
      }
    }
    if (operation == "attr_get_ids") {
      for (auto& each : *reply.mutable_attributes()) each.clear_values();
    }
    return reply;
  }
  void attr_get(Call& call, const char* operation) {
    look<v1::NamingAttributeIds>(call, operation, LastLink::kFollow, false,
                                 [operation](Call& asked, const v1::NamingAttributeIds& request,
                                             const Place& place, Revision) {
                                   auto entry = entry_at(place);
                                   if (!entry) return asked.fail(std::move(entry.error()));
                                   auto reply =
                                       attributes_of(*(*entry)->binding, request, operation);
                                   if (!reply) return asked.fail(std::move(reply.error()));
                                   asked.complete(write_message(*reply));
                                 });
  }
  /// All modifications or none.
  void attr_modify(Call& call, const char* operation) {
    change<v1::NamingModify>(call, operation, LastLink::kFollow,
                             [this](const v1::NamingModify& request, const AskedNames& names) {
                               return changes_.modify(request, names);
                             });
  }

  struct Search {
    std::vector<v1::NamingBinding> found;
    std::size_t given = 0;
    TimePoint until;
  };
  void attr_search(Call& call) {
    auto request = read_message<v1::NamingSearch>(call.request);
    if (!request) return call.fail(std::move(request.error()));
    if (!request->iterator().empty()) return next_found(call, *request);
    if (request->request() != 0 && !seen_.is_new(request->request()))
      return call.complete(write_message(v1::NamingBindings()));
    look<v1::NamingSearch>(
        call, "attr_search", LastLink::kFollow, request->scope() != v1::NAMING_OBJECT,
        [this](Call& asked, const v1::NamingSearch& search, const Place& place, Revision revision) {
          auto filter = expression::compile_filter(
              search.filter(), {search.arguments().begin(), search.arguments().end()});
          if (!filter) return asked.fail(std::move(filter.error()));
          Finder finder(directory_, search, *filter, initial_of(search.who(), asked));
          if (search.scope() == v1::NAMING_OBJECT) {
            auto entry = entry_at(place);
            if (!entry) return asked.fail(std::move(entry.error()));
            finder.consider({place.atom}, **entry);
          } else {
            auto context = context_at(place);
            if (!context) return asked.fail(std::move(context.error()));
            finder.search_below(**context, {},
                                search.scope() == v1::NAMING_ONE_CTX ? Finder::Depth::kThis
                                                                     : Finder::Depth::kSubtree);
          }
          if (search.scope() == v1::NAMING_SUBTREE && !finder.junctions.empty())
            return search_further(asked, std::move(finder.found), finder.junctions, search,
                                  revision);
          give_found(asked, std::move(finder.found), search.how_many(), revision);
        });
  }
  /// Other Namings are asked, all at once; who does not answer has found nothing.
  void search_further(Call& given, std::vector<v1::NamingBinding> found,
                      const std::vector<std::pair<Components, std::string>>& junctions,
                      const v1::NamingSearch& search, Revision revision) {
    struct Gathering {
      std::mutex mutex;
      std::vector<v1::NamingBinding> found;
      std::size_t left = 0;
    };
    auto gathering = std::make_shared<Gathering>();
    gathering->found = std::move(found);
    Call& call = given.defer();
    v1::NamingSearch further = search;
    further.clear_name();
    further.clear_who();
    further.set_hops(search.hops() + 1);
    if (further.request() == 0) {
      further.set_request(context_.random->next() | 1);
      static_cast<void>(seen_.is_new(further.request()));
    }
    further.set_how_many(kPageMax);
    std::vector<std::pair<Components, std::string>> asked;
    for (const auto& each : junctions) {
      if (each.second.starts_with("hector:") && further.hops() < kHopsMax &&
          asked.size() < kSystemsMax)
        asked.push_back(each);
    }
    gathering->left = asked.size();
    if (asked.empty())
      return give_found(call, std::move(gathering->found), search.how_many(), revision);
    const auto finish = [this, &call, gathering, how_many = search.how_many(), revision] {
      const std::lock_guard lock(gathering->mutex);
      if (--gathering->left == 0) give_found(call, std::move(gathering->found), how_many, revision);
    };
    const auto deadline =
        std::min(call.header.deadline, context_.clock->now() + kSystemAnswersWithin);
    for (const auto& [name, url] : asked) {
      context_.run_blocking([this, name = name, url = url, further, gathering, finish, deadline] {
        auto target = peers_.at(url);
        if (!target) return finish();
        auto& onward =
            CallbackCall::make([gathering, finish, name, target = *target](Call& answered) {
              auto theirs = answered.error ? Result<v1::NamingBindings>(fail(*answered.error))
                                           : read_message<v1::NamingBindings>(answered.reply);
              if (theirs) {
                const std::lock_guard lock(gathering->mutex);
                for (auto& each : *theirs->mutable_bindings()) {
                  Components whole = name;
                  if (auto rest = parse_name(each.name()))
                    whole.insert(whole.end(), rest->begin(), rest->end());
                  each.set_name(print_name(whole));
                  if (gathering->found.size() < Finder::kFoundMax)
                    gathering->found.push_back(std::move(each));
                }
              }
              finish();
            });
        onward.header.operation = kByName;
        onward.header.operation_name = "attr_search";
        onward.header.deadline = deadline;
        onward.request = write_message(further);
        (*target)->start(onward);
      });
    }
  }
  void give_found(Call& call, std::vector<v1::NamingBinding> found, std::uint32_t how_many,
                  Revision revision) {
    v1::NamingBindings reply;
    reply.set_revision(revision);
    const std::size_t first = std::min<std::size_t>(found.size(), page_of(how_many));
    for (std::size_t i = 0; i < first; ++i) *reply.add_bindings() = found[i];
    if (first < found.size()) {
      const std::lock_guard lock(searches_mutex_);
      const TimePoint now = context_.clock->now();
      std::erase_if(searches_, [&](const auto& each) { return each.second.until <= now; });
      if (searches_.size() < kSearchesMax) {
        const std::string iterator = fmt::format("s{:016x}", context_.random->next());
        searches_[iterator] = {std::move(found), first, now + kSearchLives};
        reply.set_iterator(iterator);
      }
    }
    call.complete(write_message(reply));
  }
  void next_found(Call& call, const v1::NamingSearch& request) {
    v1::NamingBindings reply;
    {
      const std::lock_guard lock(searches_mutex_);
      const auto at = searches_.find(request.iterator());
      if (at == searches_.end()) return call.fail(bad_handle());
      auto& search = at->second;
      const std::size_t last =
          std::min(search.found.size(), search.given + page_of(request.how_many()));
      for (; search.given < last; ++search.given)
        *reply.add_bindings() = search.found[search.given];
      search.until = context_.clock->now() + kSearchLives;
      if (search.given == search.found.size())
        searches_.erase(at);
      else
        reply.set_iterator(request.iterator());
    }
    call.complete(write_message(reply));
  }

  // --- watches
  // --------------------------------------------------------------------------------------------

  void watch(Call& given) {
    look<v1::NamingWatch>(
        given, "watch", LastLink::kFollow, false,
        [this](Call& asked, const v1::NamingWatch& request, const Place& place, Revision revision) {
          auto context = context_at(place);
          if (!context) return asked.fail(std::move(context.error()));
          const std::string prefix = fmt::format("{}n/{}/", kPrefix, (*context)->id);
          watches_.add(
              asked, KeyRange::prefix(prefix + request.prefix()),
              request.from() > 0 ? request.from() : revision + 1,
              [size = prefix.size()](Revision at, const StoreEvent& event) {
                v1::NamingEvent told;
                told.set_revision(at);
                told.set_is_gone(event.kind == StoreEvent::Kind::kErase);
                auto& binding = *told.mutable_binding();
                if (!told.is_gone())
                  static_cast<void>(binding.ParseFromArray(
                      event.entry.value.data(), static_cast<int>(event.entry.value.size())));
                binding.set_name(print_name({event.entry.key.substr(size)}));
                if (!told.is_gone()) binding.set_type(type_of(binding));
                return write_message(told);
              });
        });
  }

  const ServiceContext context_;
  const v1::NamingSettings settings_;
  const InitialNames plain_;
  Directory directory_;
  const Changes changes_;
  state::Replica replica_;
  state::Leases leases_;
  state::Peers peers_;
  std::mutex systems_mutex_;
  std::map<std::string, std::shared_ptr<NamingSystem>> systems_;
  std::mutex searches_mutex_;
  std::map<std::string, Search> searches_;
  state::Seen<std::uint64_t> seen_;  ///< searches: each goes through a naming system once, however
                                     ///< they lead into each other
  state::Watches watches_;
  TableServant servant_;
};

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "naming cannot start", {{"why", why}});
    return nullptr;
  };
  if (context.store == nullptr) return refused("there is no store");
  v1::NamingSettings settings;
  if (const auto read = google::protobuf::util::JsonStringToMessage(context.settings, &settings);
      !read.ok())
    return refused("its settings are federate, host: " + std::string(read.message()));
  if (settings.host().empty()) {
    char name[256] = {};
    settings.set_host(gethostname(name, sizeof name - 1) == 0 ? name : "localhost");
  }
  auto naming = std::make_unique<Naming>(context, std::move(settings));
  if (auto started = naming->start(); !started) return refused(started.error().text());
  return naming.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "naming", nullptr, nullptr, make};
