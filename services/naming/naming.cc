// What: the embedded provider of Naming (X/Open XFN): composite names, contexts, links, junctions,
// attributes, leases, watches, on the store.
// Why: roles are resolved by name, and names lead on into the naming systems that are there
// already. Who: loaded by capsules whose configuration says `naming: embedded`.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include "attributes.h"
#include "changes.h"
#include "federation.h"
#include "hector/naming.hector.h"
#include "hector/plugin.h"
#include "listing.h"
#include "resolver.h"
#include "searches.h"
#include "state/answer.h"
#include "state/watches.h"

namespace {

using namespace hector;
using namespace hector::naming;
using state::refuse;
using LastLink = Directory::LastLink;
using Operations = NamingOperations;

constexpr std::size_t kTogetherMax = 1'000;  ///< names of one resolve_many

/// Whether an operation whose name ends at a junction stays there, or goes on behind it.
enum class AtJunction : std::uint8_t { kStay, kGoOn };

/// How an operation that only looks finds its place.
struct Look {
  OperationId operation;
  LastLink last = LastLink::kFollow;
  AtJunction at_junction = AtJunction::kStay;
};

class Naming final : public ServiceOf<NamingServant> {
 public:
  Naming(const ServiceContext& context, v1::NamingSettings settings)
      : context_(context),
        settings_(std::move(settings)),
        changes_(directory_, *context.random),
        resolver_(directory_, context.capsule, settings_.host()),
        replica_({context.store, context.clock, context.executor, context.log}, kPrefix,
                 directory_),
        leases_(*context.store, "nm-leases/", context.capsule),
        federation_(context_, settings_),
        searches_(context_, directory_, resolver_, federation_.peers()),
        watches_(*context.store) {}
  Status start() { return replica_.start(); }
  std::vector<std::string> dependants() override { return leases_.dependants(); }

  // --- operations that look

  void lookup(const v1::NamingName& asked, Reply<v1::NamingBinding> reply) override {
    look(reply, asked, {Operations::kLookup}, give_binding);
  }
  void lookup_link(const v1::NamingName& asked, Reply<v1::NamingBinding> reply) override {
    look(reply, asked, {Operations::kLookupLink, LastLink::kKeep}, give_binding);
  }
  void list_bindings(const v1::NamingPage& asked, Reply<v1::NamingBindings> reply) override {
    list(reply, asked, Operations::kListBindings, Listed::kBindings);
  }
  void list_names(const v1::NamingPage& asked, Reply<v1::NamingBindings> reply) override {
    list(reply, asked, Operations::kListNames, Listed::kNames);
  }
  void parse(const v1::NamingName& asked, Reply<v1::NamingComponents> reply) override {
    reply(parse_name(asked.name()).map(components_reply));
  }
  void initial_context(const v1::NamingName& asked, Reply<v1::NamingBindings> reply) override {
    reply(initial_bindings(resolver_.initial_of(asked.who(), reply.call())));
  }
  void get_syntax_attrs(const v1::NamingName& asked, Reply<v1::NamingSyntax> reply) override {
    look(reply, asked, {Operations::kGetSyntaxAttrs, LastLink::kFollow, AtJunction::kGoOn},
         [](Reply<v1::NamingSyntax> given, const v1::NamingName&, const Place& place, Revision) {
           if (auto context = context_at(place); !context)
             return given.fail(std::move(context.error()));
           given(own_syntax());
         });
  }
  void equivalent_name(const v1::NamingEquivalent& asked,
                       Reply<v1::NamingComponents> reply) override {
    reply(equivalent(asked, resolver_.initial_of(asked.who(), reply.call())));
  }
  void resolve_many(const v1::NamingNames& asked, Reply<v1::NamingResolved> reply) override {
    if (asked.names_size() > static_cast<int>(kTogetherMax))
      return reply(refuse("INSUFFICIENT_RESOURCES",
                          fmt::format("{} names may be resolved together", kTogetherMax),
                          Code::kResourceExhausted));
    v1::NamingResolved resolved;
    resolved.set_revision(replica_.revision());
    const auto lock = replica_.read();
    for (const auto& name : asked.names())
      resolve_one(name, asked.who(), reply.call(), *resolved.add_answers());
    reply(std::move(resolved));
  }
  void attr_get(const v1::NamingAttributeIds& asked, Reply<v1::NamingAttributes> reply) override {
    attributes(reply, asked, Operations::kAttrGet);
  }
  void attr_get_ids(const v1::NamingAttributeIds& asked,
                    Reply<v1::NamingAttributes> reply) override {
    attributes(reply, asked, Operations::kAttrGetIds);
  }
  void attr_multi_get(const v1::NamingAttributeIds& asked,
                      Reply<v1::NamingAttributes> reply) override {
    attributes(reply, asked, Operations::kAttrMultiGet);
  }
  void attr_search(const v1::NamingSearch& asked, Reply<v1::NamingBindings> reply) override {
    if (!asked.iterator().empty()) return reply(searches_.next(asked));
    if (!searches_.is_new(asked)) return reply(v1::NamingBindings());
    look(reply, asked,
         {Operations::kAttrSearch, LastLink::kFollow,
          asked.scope() == v1::NAMING_OBJECT ? AtJunction::kStay : AtJunction::kGoOn},
         [this](Reply<v1::NamingBindings> given, const v1::NamingSearch& search, const Place& place,
                Revision revision) { searches_.search(given, search, place, revision); });
  }
  void watch(const v1::NamingWatch& asked, OutFlow<v1::NamingEvent> out) override {
    look(out, asked, {Operations::kWatch},
         [this](OutFlow<v1::NamingEvent> given, const v1::NamingWatch& request, const Place& place,
                Revision revision) {
           const auto context = context_at(place);
           if (!context) return given.fail(context.error());
           const std::string prefix = entries_prefix(**context);
           watches_.add(given.call(), KeyRange::prefix(prefix + request.prefix()),
                        request.from() > 0 ? request.from() : revision + 1,
                        [size = prefix.size()](Revision at, const StoreEvent& event) {
                          return write_message(event_of(at, event, size));
                        });
         });
  }

  // --- operations that change

  void bind(const v1::NamingBind& asked, Reply<v1::NamingRevision> reply) override {
    change(reply, asked, {Operations::kBind, LastLink::kKeep}, &Changes::bind);
  }
  void unbind(const v1::NamingName& asked, Reply<v1::NamingRevision> reply) override {
    change(reply, asked, {Operations::kUnbind, LastLink::kKeep}, &Changes::unbind);
  }
  void create_subcontext(const v1::NamingBind& asked, Reply<v1::NamingRevision> reply) override {
    change(reply, asked, {Operations::kCreateSubcontext, LastLink::kKeep},
           &Changes::create_subcontext);
  }
  void attr_modify(const v1::NamingModify& asked, Reply<v1::NamingRevision> reply) override {
    change(reply, asked, {Operations::kAttrModify}, &Changes::modify);
  }
  void attr_multi_modify(const v1::NamingModify& asked, Reply<v1::NamingRevision> reply) override {
    change(reply, asked, {Operations::kAttrMultiModify}, &Changes::modify);
  }
  /// Twice through the store: it is marked first, and a writer that had meant to bind into it has
  /// to look again.
  void destroy_subcontext(const v1::NamingName& asked, Reply<v1::NamingRevision> given) override {
    auto place = place_of(asked.name(), asked.who(), given.call(), LastLink::kKeep);
    if (!place) return given.fail(std::move(place.error()));
    if (place->kind == Place::Kind::kNext)
      return federation_.go_on(given.call(), Operations::kDestroySubcontext, asked, *place);
    const auto who = resolver_.who(asked.who(), given.call());
    replica_.change(
        [this, asked, who] {
          return changes_.begin_destroy(asked, resolver_.asked_names(who, LastLink::kKeep));
        },
        [this, asked, who, reply = given.later()](Result<Revision> marked) {
          if (!marked) return reply.fail(std::move(marked.error()));
          end_destroy(asked, who, reply);
        });
  }
  /// A name of one component stays in the old one's context; a longer one begins where the old one
  /// did.
  void rename(const v1::NamingRename& asked, Reply<v1::NamingRevision> reply) override {
    v1::NamingRename request = asked;
    auto from = place_to_rename(request, reply.call());
    if (!from) return reply.fail(std::move(from.error()));
    if (from->kind == Place::Kind::kNext)
      return federation_.go_on(reply.call(), Operations::kRename, request, *from);
    change(reply, asked, {Operations::kRename, LastLink::kKeep}, &Changes::rename);
  }
  void open_lease(const v1::NamingLease& asked, Reply<v1::NamingLease> reply) override {
    state::open_lease(leases_, asked, reply);
  }
  void renew_lease(const v1::NamingLease& asked, Reply<v1::NamingLease> reply) override {
    state::renew_lease(leases_, asked, reply);
  }
  void close_lease(const v1::NamingLease& asked, Reply<v1::NamingLease> reply) override {
    state::close_lease(leases_, asked, reply);
  }

 private:
  Result<Place> place_of(const std::string& name, const v1::NamingWho& who, const Call& call,
                         LastLink last) const {
    const auto lock = replica_.read();
    return resolver_.place_of(name, who, call, last);
  }

  /// The pattern of operations that only look: `work(given, request, place, revision)` under the
  /// lock, or into the next system. `Given` is a Reply or an OutFlow.
  template <class Given, class In, class Work>
  void look(Given given, const In& request, Look how, Work work) {
    if (!context_.store->is_shared()) return look_now(given, request, how, work);
    replica_.when_current([this, later = given.later(), request, how, work](Status current) {
      if (!current) return later.fail(std::move(current.error()));
      look_now(later, request, how, work);
    });
  }
  template <class Given, class In, class Work>
  void look_now(Given given, const In& request, Look how, Work work) {
    Place place;
    {
      const Revision revision = replica_.revision();
      const auto lock = replica_.read();
      if constexpr (requires { request.at_least(); }) {
        if (request.at_least() > revision)
          return given.fail(Error::failed_precondition(fmt::format(
              "Naming is at revision {}, not yet at {}", revision, request.at_least())));
      }
      auto found = resolver_.place_of(request.name(), request.who(), given.call(), how.last);
      if (!found) return given.fail(std::move(found.error()));
      place = how.at_junction == AtJunction::kGoOn ? through_junction(std::move(*found))
                                                   : std::move(*found);
      if (place.kind != Place::Kind::kNext) return work(given, request, place, revision);
    }
    federation_.go_on(given.call(), how.operation, request, place);
  }
  /// The same for operations that change; a plan looks the names up again.
  template <class In>
  void change(Reply<v1::NamingRevision> reply, const In& request, Look how,
              Result<StoreTransaction> (Changes::*plan)(const In&, const AskedNames&) const) {
    auto place = place_of(request.name(), request.who(), reply.call(), how.last);
    if (!place && !makes_contexts(request, place.error()))
      return reply.fail(std::move(place.error()));
    if (place && place->kind == Place::Kind::kNext)
      return federation_.go_on(reply.call(), how.operation, request, *place);
    const auto who = resolver_.who(request.who(), reply.call());
    state::change(replica_, request, reply,
                  [this, plan, who, last = how.last](const In& asked, v1::NamingRevision&) {
                    return (changes_.*plan)(asked, resolver_.asked_names(who, last));
                  });
  }
  template <class In>
  static bool makes_contexts(const In& request, const Error& error) {
    if constexpr (std::is_same_v<In, v1::NamingBind>)
      return Changes::makes_contexts(request, error);
    return false;
  }
  void end_destroy(const v1::NamingName& asked, const v1::NamingWho& who,
                   Reply<v1::NamingRevision> reply) {
    replica_.change(
        [this, asked, who] {
          return changes_.end_destroy(asked, resolver_.asked_names(who, LastLink::kKeep));
        },
        [reply](Result<Revision> done) {
          if (!done) return reply.fail(std::move(done.error()));
          v1::NamingRevision revision;
          revision.set_revision(*done);
          reply(std::move(revision));
        });
  }
  /// Where both names lead into one other system, `to` becomes the name there.
  Result<Place> place_to_rename(v1::NamingRename& request, const Call& call) const {
    const auto to = HECTOR_TRY(parse_name(request.to()));
    const auto lock = replica_.read();
    auto from =
        HECTOR_TRY(resolver_.place_of(request.name(), request.who(), call, LastLink::kKeep));
    if (to.size() <= 1) return from;
    const auto target =
        HECTOR_TRY(resolver_.place_of(request.to(), request.who(), call, LastLink::kKeep));
    const bool leads_on = target.kind == Place::Kind::kNext;
    if (leads_on != (from.kind == Place::Kind::kNext) || (leads_on && target.next != from.next))
      return fail(Error::unimplemented("OPERATION_NOT_SUPPORTED: the two names are in different "
                                       "naming systems; bind the new one and unbind the old one")
                      .with_type("OPERATION_NOT_SUPPORTED"));
    if (leads_on) request.set_to(print_name(target.rest));
    return from;
  }

  static void give_binding(Reply<v1::NamingBinding> reply, const v1::NamingName& asked,
                           const Place& place, Revision revision) {
    if (place.kind == Place::Kind::kAtom && place.entry == nullptr)
      return reply.fail(missing_at(place).value());
    if (place.kind != Place::Kind::kContext)
      return reply.serialised(
          Payload(Bytes::take(stored_binding(*place.entry, asked.name(), revision))));
    auto binding = binding_at(place);
    binding.set_name(asked.name());
    binding.set_revision(revision);
    reply(std::move(binding));
  }
  void list(Reply<v1::NamingBindings> reply, const v1::NamingPage& asked, OperationId operation,
            Listed listed) {
    look(reply, asked, {operation, LastLink::kFollow, AtJunction::kGoOn},
         [this, listed](Reply<v1::NamingBindings> given, const v1::NamingPage& request,
                        const Place& place, Revision revision) {
           const auto context = context_at(place);
           if (!context) return given.fail(context.error());
           auto read = page_read(**context, request, revision);
           if (!read) return given.fail(std::move(read.error()));
           context_.store->read(std::move(*read),
                                [later = given.later(), iterates = !request.iterator().empty(),
                                 prefix = prefix_size(**context), listed](Result<StorePage> page) {
                                  if (page) return later(page_reply(*page, prefix, listed));
                                  // The store forgets old revisions.
                                  later.fail(iterates && page.error().code != Code::kUnavailable
                                                 ? bad_handle()
                                                 : std::move(page.error()));
                                });
         });
  }
  void attributes(Reply<v1::NamingAttributes> reply, const v1::NamingAttributeIds& asked,
                  OperationId operation) {
    look(reply, asked, {operation},
         [operation](Reply<v1::NamingAttributes> given, const v1::NamingAttributeIds& request,
                     const Place& place, Revision) {
           const auto entry = entry_at(place);
           if (!entry) return given.fail(entry.error());
           given(attributes_of(*(*entry)->binding, request, operation.name));
         });
  }
  /// Under the replica's lock.
  Result<v1::NamingBinding> binding_of(const std::string& name, const v1::NamingWho& who,
                                       const Call& call) const {
    const auto place = HECTOR_TRY(resolver_.place_of(name, who, call, LastLink::kFollow));
    if (place.kind == Place::Kind::kNext) return fail(continue_at(place, ""));
    if (place.kind == Place::Kind::kAtom && place.entry == nullptr) return missing_at(place);
    return binding_at(place);
  }
  void resolve_one(const std::string& name, const v1::NamingWho& who, const Call& call,
                   v1::NamingResolved::One& answer) const {
    auto binding = binding_of(name, who, call);
    if (binding) {
      *answer.mutable_binding() = std::move(*binding);
      answer.mutable_binding()->set_name(name);
    } else if (auto status = status_of(binding.error())) {
      *answer.mutable_status() = std::move(*status);
    } else {
      answer.mutable_status()->set_code(binding.error().type);
      answer.mutable_status()->set_remaining_name(name);
    }
  }

  const ServiceContext context_;
  const v1::NamingSettings settings_;
  Directory directory_;
  const Changes changes_;
  const Resolver resolver_;
  state::Replica replica_;
  state::Leases leases_;
  Federation federation_;
  Searches searches_;
  state::Watches watches_;
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

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "naming",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};
