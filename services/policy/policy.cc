// What: the embedded provider of Policy: X resources in contexts, and rights, on the store.
// Why: what the kernel and Objects choose by is said once for a host, a network or the enterprise,
// and each value can be explained.
// Who: loaded by capsules whose configuration says `policy: embedded`.
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include "changes.h"
#include "hector/plugin.h"
#include "hector/policy.hector.h"
#include "questions.h"
#include "rights_changes.h"
#include "state/answer.h"
#include "state/answer_watches.h"
#include "state/signature.h"

namespace {

using namespace hector;
using namespace hector::policy;

constexpr std::size_t kWatchesMax = 1'000;  ///< of all callers

/// What a watcher was told; nothing yet at first.
struct ToldValue {
  std::optional<std::string> serialised;
};

class Policy final : public ServiceOf<PolicyServant> {
 public:
  Policy(const ServiceContext& context, const v1::PolicySettings& settings)
      : clock_(*context.clock),
        place_{context.capsule, settings.host(),
               settings.network().empty() ? "local" : settings.network()},
        contexts_([this] { return now_s(); }),
        questions_(contexts_, place_),
        watches_(kWatchesMax,
                 [this](const v1::PolicyQuestion& asked, Revision revision, ToldValue& told,
                        state::Feed& feed) { return tell(asked, revision, told, feed); }),
        replica_({context.store, context.clock, context.executor, context.log}, "po/", contexts_),
        rights_replica_({context.store, context.clock, context.executor, context.log}, "pa/",
                        rights_) {
    for (const auto& key : settings.keys()) keys_.push_back(state::from_base64(key));
    contexts_.on_change = [this](Revision revision) { watches_.tell_all(revision); };
  }
  Status start() {
    HECTOR_TRY(replica_.start());
    return rights_replica_.start();
  }

  // --- values

  void get(const v1::PolicyQuestion& asked, Reply<v1::PolicyValue> reply) override {
    const Revision revision = replica_.revision();
    const auto lock = replica_.read();
    reply(questions_.get(asked, revision));
  }
  void get_typed(const v1::PolicyTypedQuestion& asked, Reply<v1::PolicyTyped> reply) override {
    const Revision revision = replica_.revision();
    const auto lock = replica_.read();
    reply(questions_.get_typed(asked, revision));
  }
  void enumerate(const v1::PolicyPrefix& asked, Reply<v1::PolicyEntries> reply) override {
    with_revision(reply, [&] { return questions_.enumerate(asked); });
  }
  void merge_view(const v1::PolicyQuestion& asked, Reply<v1::PolicyEntries> reply) override {
    with_revision(reply,
                  [&]() -> Result<v1::PolicyEntries> { return questions_.merge_view(asked); });
  }
  void explain(const v1::PolicyQuestion& asked, Reply<v1::PolicyExplanation> reply) override {
    with_revision(reply, [&] { return questions_.explain(asked); });
  }
  void try_out(const v1::PolicyTrial& trial, Reply<v1::PolicyExplanation> reply) override {
    reply(policy::try_out(trial, [this] { return now_s(); }));
  }
  void search_list(const v1::PolicySearchList& asked, Reply<v1::PolicyHandle> reply) override {
    reply(search_lists_.add(asked));
  }
  void get_from(const v1::PolicyLeaf& asked, Reply<v1::PolicyValue> reply) override {
    const auto question = search_lists_.question(asked);
    if (!question) return reply.fail(question.error());
    get(*question, reply);
  }
  /// The value now, then each time it becomes another one; where there is none, an empty message.
  void watch(const v1::PolicyQuestion& asked, OutFlow<v1::PolicyValue> out) override {
    {
      const auto lock = replica_.read();
      if (auto question = questions_.question_of(asked); !question)
        return out.fail(std::move(question.error()));
    }
    watches_.add(out.call(), asked, replica_.revision());
  }

  // --- entries, bundles, chains

  void put(const v1::PolicyEntry& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(replica_, asked, reply, [](const auto& entry, auto&) { return plan_put(entry); });
  }
  void remove(const v1::PolicySpec& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& spec, auto&) { return plan_remove(contexts_, spec); });
  }
  void replace_bundle(const v1::PolicyBundle& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& bundle, auto&) {
      return plan_bundle(contexts_, {keys_, now_s()}, bundle);
    });
  }
  void set_chain(const v1::PolicyChain& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& chain, auto&) {
      return plan_chain(contexts_, place_, chain);
    });
  }
  void get_chain(const v1::PolicyContext& asked, Reply<v1::PolicyChain> reply) override {
    const auto lock = replica_.read();
    reply(questions_.get_chain(asked));
  }

  // --- rights

  void authorise(const v1::PolicyAuthorisation& asked, Reply<v1::PolicyDecision> given) override {
    rights_replica_.when_current([this, reply = given.later(), asked](Status current) {
      if (!current) return reply.fail(std::move(current.error()));
      const Revision revision = rights_replica_.revision();
      const auto lock = rights_replica_.read();
      auto decision = rights_.decide(asked);
      if (decision) decision->set_revision(revision);
      reply(std::move(decision));
    });
  }
  void put_rules(const v1::PolicyRules& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(rights_replica_, asked, reply,
                  [this](const auto& rules, auto&) { return plan_put_rules(rights_, rules); });
  }
  void remove_rules(const v1::PolicyName& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(rights_replica_, asked, reply,
                  [this](const auto& name, auto&) { return plan_remove_rules(rights_, name); });
  }
  void list_rules(const v1::PolicyName& asked, Reply<v1::PolicyNames> reply) override {
    const auto lock = rights_replica_.read();
    reply(policy::list_rules(rights_, asked));
  }
  void put_entity(const v1::PolicyEntity& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(rights_replica_, asked, reply,
                  [this](const auto& entity, auto&) { return plan_put_entity(rights_, entity); });
  }
  void remove_entity(const v1::PolicyName& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(rights_replica_, asked, reply,
                  [this](const auto& name, auto&) { return plan_remove_entity(rights_, name); });
  }
  /// Asked again and again by those who keep decisions: what they keep counts until it is another.
  void rights_revision(const v1::PolicyRevision& /*known*/,
                       Reply<v1::PolicyRevision> given) override {
    rights_replica_.when_current([this, reply = given.later()](Status current) {
      if (!current) return reply.fail(std::move(current.error()));
      v1::PolicyRevision revision;
      const auto lock = rights_replica_.read();
      revision.set_revision(rights_.changed_at());
      reply(std::move(revision));
    });
  }
  void put_schema(const v1::PolicySchema& asked, Reply<v1::PolicyRevision> reply) override {
    state::change(rights_replica_, asked, reply,
                  [this](const auto& schema, auto&) { return plan_put_schema(rights_, schema); });
  }

 private:
  std::int64_t now_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch())
        .count();
  }
  template <class Out, class Read>
  void with_revision(Reply<Out> reply, Read read) {
    const Revision revision = replica_.revision();
    const auto lock = replica_.read();
    auto found = read();
    if (found) found->set_revision(revision);
    reply(std::move(found));
  }
  Status tell(const v1::PolicyQuestion& asked, Revision revision, ToldValue& told,
              state::Feed& feed) {
    auto value = [&] {
      const auto lock = replica_.read();
      return questions_.get(asked, revision);
    }();
    v1::PolicyValue now;
    if (value) now = *value;
    now.set_revision(0);
    std::string serialised = now.SerializeAsString();
    if (told.serialised == serialised) return {};
    told.serialised = std::move(serialised);
    now.set_revision(revision);
    // A watcher that is too slow for this value is told the next one.
    static_cast<void>(feed.push(write_message(now)));
    return {};
  }

  const Clock& clock_;
  const Place place_;
  std::vector<std::string> keys_;
  Contexts contexts_;
  const Questions questions_;
  SearchLists search_lists_;
  state::AnswerWatches<v1::PolicyQuestion, ToldValue> watches_;
  state::Replica replica_;  ///< it tells the watches until it ends
  Rights rights_;
  state::Replica rights_replica_;
};

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "policy cannot start", {{"why", why}});
    return nullptr;
  };
  if (context.store == nullptr) return refused("there is no store");
  v1::PolicySettings settings;
  if (const auto read = google::protobuf::util::JsonStringToMessage(context.settings, &settings);
      !read.ok())
    return refused("its settings are keys, host, network: " + std::string(read.message()));
  if (settings.host().empty()) {
    char name[256] = {};
    settings.set_host(gethostname(name, sizeof name - 1) == 0 ? name : "localhost");
  }
  auto policy = std::make_unique<Policy>(context, settings);
  if (auto started = policy->start(); !started) return refused(started.error().text());
  return policy.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "policy",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};
