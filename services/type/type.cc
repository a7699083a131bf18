// What: the embedded provider of the Type service: types by name and content, their versions, what
// conforms to what, and code, on the store.
// Why: one type has descriptions in many languages, from commentary to code, and every capsule has
// the same one.
// Who: loaded by capsules whose configuration says `type: embedded`.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/json_util.h>

#include "comparisons.h"
#include "hector/plugin.h"
#include "hector/type.hector.h"
#include "modules.h"
#include "state/answer.h"
#include "state/signature.h"
#include "state/watches.h"

namespace {

using namespace hector;
using namespace hector::type_service;
using state::refuse;

constexpr std::size_t kListMax = 10'000;  ///< names of one answer
constexpr const char* kPrefix = "ty/";    ///< of every key in the store

std::vector<std::string> keys_of(const v1::TypeSettings& settings) {
  std::vector<std::string> keys;
  for (const auto& key : settings.keys()) keys.push_back(state::from_base64(key));
  return keys;
}

/// The name's state with one change, if it has not changed meanwhile.
template <class Change>
Result<StoreTransaction> plan_name(const Catalogue& catalogue, const std::string& name,
                                   Change change) {
  const Name* const known = catalogue.name(name);
  if (known == nullptr) return fail(no_type(name));
  v1::TypeNameState state = known->state;
  change(state);
  auto transaction = state::putting("m/" + name, state);
  transaction.compares.push_back(StoreCompare::unchanged("m/" + name, known->modified));
  return transaction;
}

Result<StoreTransaction> plan_erase(const Catalogue& catalogue, const std::string& name) {
  const Name* const known = catalogue.name(name);
  if (known == nullptr) return fail(no_type(name));
  if (const auto users = catalogue.usages(name); !users.empty())
    return refuse("REFERENCED", fmt::format("'{}' is used by {}", name, fmt::join(users, ", ")),
                  Code::kFailedPrecondition);
  const std::uint64_t next = known->versions.empty() ? 1 : known->versions.rbegin()->first + 1;
  auto transaction = state::erasing("m/" + name);
  transaction.compares.push_back(StoreCompare::unchanged("m/" + name, known->modified));
  transaction.compares.push_back(StoreCompare::absent(version_key(name, next)));
  transaction.then.push_back(
      StoreOperation::erase(KeyRange::prefix(fmt::format("v/{}{}", name, '\0'))));
  return transaction;
}

/// What is stored goes as it is, with what is known of its name behind it: Protobuf reads two
/// messages in a row as one.
Payload stored_version(const Version& version) {
  const auto& state = version.of->state;
  v1::TypeVersion tail;
  tail.set_mode(state.mode());
  tail.set_masked(state.masked());
  tail.set_deprecated(state.deprecated());
  tail.set_revision(version.defined);
  std::string whole(version.stored.view());
  tail.AppendToString(&whole);
  return Payload(Bytes::take(std::move(whole)));
}

class Types final : public ServiceOf<TypeServant> {
 public:
  Types(const ServiceContext& context, const v1::TypeSettings& settings)
      : context_(context),
        replica_({context.store, context.clock, context.executor, context.log}, kPrefix,
                 catalogue_),
        blobs_(*context.store, "ty-blob/"),
        models_(catalogue_, replica_, blobs_),
        definitions_(catalogue_, replica_, blobs_, models_, context.run_blocking),
        comparisons_(models_, definitions_),
        modules_(catalogue_, replica_, blobs_, keys_of(settings)),
        watches_(*context.store) {}
  Status start() { return replica_.start(); }

  // --- what there is

  void get(const v1::TypeQuestion& asked, Reply<v1::TypeVersion> reply) override {
    if (asked.languages_size() != 0 || context_.store->is_shared())
      return blocking(reply, [this, asked] { return models_.described(asked); });
    const auto lock = replica_.read();
    const Version* const found =
        catalogue_.find(asked.name(), asked.version(), asked.at_revision());
    if (found == nullptr) return reply.fail(no_type(asked.name()));
    reply.serialised(stored_version(*found));
  }
  void usages(const v1::TypeName& asked, Reply<v1::TypeNames> reply) override {
    const auto lock = replica_.read();
    v1::TypeNames names;
    for (auto& each : catalogue_.usages(asked.name())) names.add_names(std::move(each));
    reply(std::move(names));
  }
  void list(const v1::TypeName& asked, Reply<v1::TypeNames> reply) override {
    const auto lock = replica_.read();
    v1::TypeNames names;
    for (auto& each : catalogue_.names(asked.name(), kListMax)) names.add_names(std::move(each));
    reply(std::move(names));
  }
  /// Their ids, the first one first.
  void versions(const v1::TypeName& asked, Reply<v1::TypeNames> reply) override {
    const auto lock = replica_.read();
    const Name* const known = catalogue_.name(asked.name());
    if (known == nullptr) return reply.fail(no_type(asked.name()));
    v1::TypeNames ids;
    for (const auto& [number, version] : known->versions) ids.add_names(version.model.id());
    reply(std::move(ids));
  }
  void watch(const v1::TypeName& asked, OutFlow<v1::TypeEvent> out) override {
    const std::string prefix = std::string(kPrefix) + "v/";
    watches_.add(out.call(), KeyRange::prefix(prefix + asked.name()), replica_.revision() + 1,
                 [size = prefix.size()](Revision at, const StoreEvent& event) {
                   return told_of(at, event, size);
                 });
  }

  // --- definitions

  void define(const v1::TypeDefine& asked, Reply<v1::TypeVersion> reply) override {
    on_blocking(reply,
                [this, asked](Reply<v1::TypeVersion> each) { definitions_.define(asked, each); });
  }
  void add_description(const v1::TypeDefine& asked, Reply<v1::TypeVersion> reply) override {
    on_blocking(reply, [this, asked](Reply<v1::TypeVersion> each) {
      definitions_.add_description(asked, each);
    });
  }

  // --- what fits what

  void check(const v1::TypeCandidate& asked, Reply<v1::TypeVerdict> reply) override {
    blocking(reply, [this, asked] { return comparisons_.check(asked); });
  }
  void conforms(const v1::TypeConforms& asked, Reply<v1::TypeVerdict> reply) override {
    blocking(reply, [this, asked] { return comparisons_.conforms(asked); });
  }
  void match(const v1::TypeMatch& asked, Reply<v1::TypeMatched> reply) override {
    blocking(reply, [this, asked] { return comparisons_.match(asked); });
  }
  void closure(const v1::TypeName& asked, Reply<v1::TypeClosure> reply) override {
    blocking(reply, [this, asked] { return comparisons_.closure(asked); });
  }

  // --- administration

  void set_mode(const v1::TypeMode& asked, Reply<v1::TypeRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& mode, auto&) -> Result<StoreTransaction> {
                    HECTOR_TRY(mode_of(mode.mode()));
                    return plan_name(catalogue_, mode.name(),
                                     [&](auto& state) { state.set_mode(mode.mode()); });
                  });
  }
  void mask(const v1::TypeFlag& asked, Reply<v1::TypeRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& flag, auto&) {
      return plan_name(catalogue_, flag.name(), [&](auto& state) { state.set_masked(flag.on()); });
    });
  }
  void deprecate(const v1::TypeFlag& asked, Reply<v1::TypeRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& flag, auto&) {
      return plan_name(catalogue_, flag.name(),
                       [&](auto& state) { state.set_deprecated(flag.on()); });
    });
  }
  void delete_(const v1::TypeName& asked, Reply<v1::TypeRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& type, auto&) { return plan_erase(catalogue_, type.name()); });
  }

  // --- code

  void publish_module(const v1::TypeModule& asked, Reply<v1::TypeRevision> reply) override {
    on_blocking(reply, [this, asked](Reply<v1::TypeRevision> each) {
      const auto record = modules_.keep(asked);
      if (!record) return each.fail(record.error());
      replica_.change(
          [record = *record]() -> Result<StoreTransaction> { return plan_module(record); },
          [each](Result<Revision> done) {
            if (!done) return each.fail(std::move(done.error()));
            v1::TypeRevision revision;
            revision.set_revision(*done);
            each(std::move(revision));
          });
    });
  }
  void fetch_module(const v1::TypeModuleQuestion& asked, Reply<v1::TypeModule> reply) override {
    blocking(reply, [this, asked] { return modules_.fetch(asked); });
  }

 private:
  /// Contents are read and types compiled where that may take its time, and where the store is
  /// shared after everything that was acknowledged before.
  template <class Out, class Work>
  void on_blocking(Reply<Out> given, Work work) {
    const auto reply = given.later();
    auto task = [reply, work] { work(reply); };
    if (!context_.store->is_shared()) return context_.run_blocking(std::move(task));
    replica_.when_current([this, reply, task](Status current) {
      if (!current) return reply.fail(std::move(current.error()));
      context_.run_blocking(task);
    });
  }
  template <class Out, class Work>
  void blocking(Reply<Out> given, Work work) {
    on_blocking(given, [work](Reply<Out> reply) { reply(work()); });
  }
  static Payload told_of(Revision at, const StoreEvent& event, std::size_t prefix) {
    v1::TypeEvent told;
    told.set_revision(at);
    told.set_is_gone(event.kind == StoreEvent::Kind::kErase);
    auto& version = *told.mutable_version();
    if (!told.is_gone())
      static_cast<void>(version.ParseFromArray(event.entry.value.data(),
                                               static_cast<int>(event.entry.value.size())));
    version.set_name(event.entry.key.substr(prefix, event.entry.key.find('\0') - prefix));
    return write_message(told);
  }

  const ServiceContext context_;
  Catalogue catalogue_;
  state::Replica replica_;
  Blobs blobs_;
  Models models_;
  Definitions definitions_;
  Comparisons comparisons_;
  Modules modules_;
  state::Watches watches_;
};

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "type cannot start", {{"why", why}});
    return nullptr;
  };
  if (context.store == nullptr) return refused("there is no store");
  v1::TypeSettings settings;
  if (const auto read = google::protobuf::util::JsonStringToMessage(context.settings, &settings);
      !read.ok())
    return refused("its setting is keys: " + std::string(read.message()));
  auto types = std::make_unique<Types>(context, settings);
  if (auto started = types->start(); !started) return refused(started.error().text());
  return types.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "type",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};
