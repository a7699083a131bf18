// What: the embedded provider of Policy: X resources in contexts, on the store.
// Why: what the kernel and Objects choose by is said once for a host, a network or the enterprise,
// and each value can be explained. Who: loaded by capsules whose configuration says `policy:
// embedded`.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <charconv>
#include <mutex>

#include "contexts.h"
#include "hector/message_calls.h"
#include "hector/plugin.h"
#include "hector/table_servant.h"
#include "rights.h"
#include "state/answer.h"
#include "state/feed.h"
#include "state/signature.h"

namespace {

using namespace hector;
using namespace hector::policy;
using state::refuse;

constexpr std::size_t kValueOctetsMax = 64 * 1024;
constexpr std::size_t kBundleOctetsMax = 800 * 1024;
constexpr std::size_t kBundlePartOctets = 200 * 1024;
constexpr std::size_t kWatchesMax = 1'000;

/// "1500", "1.5 s", "20ms", "2 min", "1h".
std::optional<std::int64_t> milliseconds_of(std::string_view text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  std::string_view unit(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1}, {"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"h", 3.6e6}};
  for (const auto& [name, factor] : kUnits) {
    if (name == unit) return static_cast<std::int64_t>(number * factor);
  }
  return std::nullopt;
}

/// "true", "on", "yes", "1" and their contraries, as X's own converter takes them.
std::optional<bool> boolean_of(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const char* each : {"true", "on", "yes", "1"}) {
    if (text == each) return true;
  }
  for (const char* each : {"false", "off", "no", "0"}) {
    if (text == each) return false;
  }
  return std::nullopt;
}

class Policy final : public Service {
 public:
  Policy(const ServiceContext& context, v1::PolicySettings settings)
      : clock_(*context.clock),
        settings_(std::move(settings)),
        place_{context.capsule, settings_.host(),
               settings_.network().empty() ? "local" : settings_.network()},
        contexts_([this] { return now_s(); }),
        replica_({context.store, context.clock, context.executor, context.log}, "po/", contexts_),
        rights_replica_({context.store, context.clock, context.executor, context.log}, "pa/",
                        rights_),
        servant_({[this](Call& call) { get(call); },
                  [this](Call& call) { get_typed(call); },
                  [this](Call& call) { enumerate(call); },
                  [this](Call& call) { put(call); },
                  [this](Call& call) { remove(call); },
                  [this](Call& call) { replace_bundle(call); },
                  [this](Call& call) { set_chain(call); },
                  [this](Call& call) { get_chain(call); },
                  [this](Call& call) { merge_view(call); },
                  [this](Call& call) { explain(call); },
                  [this](Call& call) { watch(call); },
                  [this](Call& call) { try_out(call); },
                  [this](Call& call) { authorise(call); },
                  [this](Call& call) { put_rules(call); },
                  [this](Call& call) { remove_rules(call); },
                  [this](Call& call) { list_rules(call); },
                  [this](Call& call) { put_entity(call); },
                  [this](Call& call) { remove_entity(call); },
                  [this](Call& call) { put_schema(call); },
                  [this](Call& call) { search_list(call); },
                  [this](Call& call) { get_from(call); }}) {
    for (const auto& key : settings_.keys()) keys_.push_back(state::from_base64(key));
    contexts_.on_change = [this](Revision revision) { tell_watches(revision); };
  }
  Status start() {
    if (auto started = replica_.start(); !started) return started;
    return rights_replica_.start();
  }
  std::string interface_id() const override { return "hector.Policy/1"; }
  Servant& servant() override { return servant_; }

 private:
  struct Watching {
    v1::PolicyQuestion asked;
    std::shared_ptr<state::Feed> feed;
    Call* call;
    std::string last = "\xff";
    bool is_over = false;
  };

  std::int64_t now_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch())
        .count();
  }
  Place place_of(const v1::PolicyQuestion& question) const {
    Place place = place_;
    if (!question.capsule().empty()) place.capsule = question.capsule();
    if (!question.host().empty()) place.host = question.host();
    return place;
  }
  template <class Request>
  std::vector<std::string> chain_of(const Request& request, const Place& place) const {
    if (request.chain_size() != 0) return {request.chain().begin(), request.chain().end()};
    return contexts_.chain_of(
        request.object().empty() ? "capsule:" + place.capsule : "object:" + request.object(),
        place);
  }
  Result<Question> question_of(const v1::PolicyQuestion& asked) const {
    for (const auto& context : asked.chain()) {
      if (auto fits = check_context(context); !fits) return fail(fits.error());
    }
    return contexts_.question(asked.name(), asked.class_(), chain_of(asked, place_of(asked)));
  }
  /// All that decides an answer; names hold no octet 0.
  static std::string key_of(const v1::PolicyQuestion& asked) {
    std::string key;
    for (const auto* part :
         {&asked.name(), &asked.class_(), &asked.object(), &asked.capsule(), &asked.host()})
      key.append(*part).push_back('\0');
    for (const auto& context : asked.chain()) key.append(context).push_back('\0');
    return key;
  }
  /// Under the replica's lock.
  Result<v1::PolicyValue> value_of(const v1::PolicyQuestion& asked, Revision revision) const {
    if (asked.at_least() > revision)
      return fail(Code::kFailedPrecondition, fmt::format("policy is at revision {}, not yet at {}",
                                                         revision, asked.at_least()));
    auto found = contexts_.get(key_of(asked), [&] { return question_of(asked); });
    if (!found) return fail(found.error());
    const Entry* const entry = found->entry;
    if (entry == nullptr)
      return refuse("NO_MATCH",
                    fmt::format("no entry of {} matches '{}' ({})",
                                fmt::join(chain_of(asked, place_of(asked)), ", "), asked.name(),
                                asked.class_()),
                    Code::kNotFound);
    v1::PolicyValue value;
    value.set_value(entry->value);
    value.set_context(*found->context);
    value.set_spec(entry->spec);
    value.set_line(entry->line);
    value.set_is_final(entry->is_final);
    value.set_revision(revision);
    return value;
  }

  void get(Call& call) {
    answer<v1::PolicyQuestion>(call, [&](const v1::PolicyQuestion& asked) {
      const Revision revision = replica_.revision();
      const auto lock = replica_.read();
      return value_of(asked, revision);
    });
  }

  void get_typed(Call& call) {
    answer<v1::PolicyTypedQuestion>(
        call, [&](const v1::PolicyTypedQuestion& asked) -> Result<v1::PolicyTyped> {
          const Revision revision = replica_.revision();
          const auto lock = replica_.read();
          auto found = value_of(asked.question(), revision);
          if (!found && found.error().type != "NO_MATCH") return fail(found.error());
          v1::PolicyTyped typed;
          if (found) *typed.mutable_found() = *found;
          const std::string text = found ? found->value() : asked.otherwise();
          if (read_typed(asked.type(), text, typed)) return typed;
          if (asked.type().empty() || !is_type(asked.type()))
            return refuse(
                "TYPE_ERROR",
                fmt::format("'{}' is none of boolean, integer, real, duration, list, text",
                            asked.type()));
          const std::string where =
              found ? fmt::format("{}{}, entry '{}'", found->context(),
                                  found->line() == 0 ? "" : fmt::format(" line {}", found->line()),
                                  found->spec())
                    : "the value given for none";
          return refuse("TYPE_ERROR", fmt::format("{}: '{}' is no {}", where, text, asked.type()),
                        Code::kFailedPrecondition);
        });
  }
  static bool is_type(const std::string& type) {
    constexpr const char* kTypes[] = {"boolean", "integer", "real", "duration", "list", "text"};
    return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
  }
  static bool read_typed(const std::string& type, const std::string& text, v1::PolicyTyped& typed) {
    const char* const end = text.data() + text.size();
    if (type == "text") return typed.set_text(text), true;
    if (type == "boolean") {
      const auto value = boolean_of(text);
      if (value) typed.set_boolean(*value);
      return value.has_value();
    }
    if (type == "duration") {
      const auto value = milliseconds_of(text);
      if (value) typed.set_integer(*value);
      return value.has_value();
    }
    if (type == "integer") {
      std::int64_t value = 0;
      const auto read = std::from_chars(text.data(), end, value);
      typed.set_integer(value);
      return read.ec == std::errc() && read.ptr == end;
    }
    if (type == "real") {
      double value = 0;
      const auto read = std::from_chars(text.data(), end, value);
      typed.set_real(value);
      return read.ec == std::errc() && read.ptr == end;
    }
    if (type != "list") return false;
    for (std::size_t at = 0; (at = text.find_first_not_of(" ,\t\n", at)) != std::string::npos;) {
      const std::size_t stop = std::min(text.find_first_of(" ,\t\n", at), text.size());
      typed.add_list(text.substr(at, stop - at));
      at = stop;
    }
    return true;
  }

  void enumerate(Call& call) {
    answer<v1::PolicyPrefix>(call, [&](const v1::PolicyPrefix& asked) -> Result<v1::PolicyEntries> {
      const Revision revision = replica_.revision();
      const auto lock = replica_.read();
      auto prefix = HECTOR_TRY(
          asked.name().empty() && asked.class_().empty()
              ? Result<Question>(Question{{}, {}, chain_of(asked, place_)})
              : contexts_.question(asked.name(), asked.class_(), chain_of(asked, place_)));
      auto entries = contexts_.enumerate(prefix, asked.one_level());
      entries.set_revision(revision);
      return entries;
    });
  }
  void merge_view(Call& call) {
    answer<v1::PolicyQuestion>(call,
                               [&](const v1::PolicyQuestion& asked) -> Result<v1::PolicyEntries> {
                                 const Revision revision = replica_.revision();
                                 const auto lock = replica_.read();
                                 auto entries = contexts_.merged(chain_of(asked, place_of(asked)));
                                 entries.set_revision(revision);
                                 return entries;
                               });
  }
  void explain(Call& call) {
    answer<v1::PolicyQuestion>(
        call, [&](const v1::PolicyQuestion& asked) -> Result<v1::PolicyExplanation> {
          const Revision revision = replica_.revision();
          const auto lock = replica_.read();
          auto question = HECTOR_TRY(question_of(asked));
          auto explanation = contexts_.explain(question);
          explanation.set_revision(revision);
          return explanation;
        });
  }

  /// The question asked of a text alone; nothing is kept.
  void try_out(Call& call) {
    answer<v1::PolicyTrial>(
        call, [&](const v1::PolicyTrial& trial) -> Result<v1::PolicyExplanation> {
          Contexts alone([this] { return now_s(); });
          HECTOR_TRY(alone.try_text(trial.text(), trial.xrm() ? Dialect::kXrm : Dialect::kHector));
          auto question =
              alone.question(trial.question().name(), trial.question().class_(), {"text"});
          if (!question) return fail(question.error());
          return alone.explain(*question);
        });
  }

  void put(Call& call) {
    state::change<v1::PolicyEntry, v1::PolicyRevision>(
        replica_, call,
        [](const v1::PolicyEntry& entry, v1::PolicyRevision&) -> Result<StoreTransaction> {
          HECTOR_TRY(check_context(entry.context()));
          auto spec = HECTOR_TRY(Database::canonical(entry.spec()));
          if (entry.value().size() > kValueOctetsMax)
            return refuse("BAD_SPEC", "a value may have 64 KiB");
          v1::PolicyEntry kept = entry;
          kept.set_spec(spec);
          kept.set_line(0);
          StoreTransaction transaction;
          transaction.then.push_back(
              StoreOperation::put(fmt::format("e/{} {}", entry.context(), spec),
                                  Bytes::take(kept.SerializeAsString())));
          return transaction;
        });
  }
  void remove(Call& call) {
    state::change<v1::PolicySpec, v1::PolicyRevision>(
        replica_, call,
        [this](const v1::PolicySpec& asked, v1::PolicyRevision&) -> Result<StoreTransaction> {
          HECTOR_TRY(check_context(asked.context()));
          auto spec = HECTOR_TRY(Database::canonical(asked.spec()));
          if (!contexts_.has(asked.context(), spec))
            return refuse(
                "NO_MATCH",
                fmt::format("{} has no entry '{}' (those of its bundle go with the bundle)",
                            asked.context(), spec),
                Code::kNotFound);
          StoreTransaction transaction;
          transaction.then.push_back(
              StoreOperation::erase(fmt::format("e/{} {}", asked.context(), spec)));
          return transaction;
        });
  }
  void replace_bundle(Call& call) {
    state::change<v1::PolicyBundle, v1::PolicyRevision>(
        replica_, call,
        [this](const v1::PolicyBundle& bundle, v1::PolicyRevision&) -> Result<StoreTransaction> {
          HECTOR_TRY(check_context(bundle.context()));
          if (bundle.text().size() > kBundleOctetsMax)
            return refuse("BAD_BUNDLE", "a bundle may have 800 KiB");
          if (std::none_of(keys_.begin(), keys_.end(), [&](const auto& key) {
                return state::is_signed_by(key, bundle.text(), bundle.signature());
              })) {
            return refuse(
                "BAD_SIGNATURE",
                keys_.empty()
                    ? "this capsule trusts no key (its setting `keys`); what was there stays"
                    : "none of the trusted keys signed this text; what was there stays",
                Code::kPermissionDenied);
          }
          auto head = HECTOR_TRY(read_bundle_head(bundle.text()));
          if (head.expires_s != 0 && head.expires_s <= now_s())
            return refuse("EXPIRED", "the bundle is no longer valid", Code::kFailedPrecondition);
          const auto known = contexts_.bundle_version(bundle.context());
          if (head.version <= known)
            return refuse("ROLLBACK",
                          fmt::format("version {} is there, {} is not newer", known, head.version),
                          Code::kFailedPrecondition);
          HECTOR_TRY(read_resources(bundle.text(), {Dialect::kHector, bundle.context()},
                                    [](const Entry&) { return Status{}; }));
          return bundle_transaction(bundle);
        });
  }
  StoreTransaction bundle_transaction(const v1::PolicyBundle& bundle) const {
    StoreTransaction transaction;
    std::size_t part = 0;
    for (std::size_t at = 0; at < bundle.text().size(); at += kBundlePartOctets, ++part) {
      transaction.then.push_back(StoreOperation::put(
          fmt::format("b/{} {}", bundle.context(), part),
          Bytes::copy(std::string_view(bundle.text()).substr(at, kBundlePartOctets))));
    }
    for (; part < contexts_.bundle_parts(bundle.context()); ++part)
      transaction.then.push_back(
          StoreOperation::erase(fmt::format("b/{} {}", bundle.context(), part)));
    return transaction;
  }
  void set_chain(Call& call) {
    state::change<v1::PolicyChain, v1::PolicyRevision>(
        replica_, call,
        [this](const v1::PolicyChain& chain, v1::PolicyRevision&) -> Result<StoreTransaction> {
          HECTOR_TRY(check_context(chain.context()));
          for (const auto& each : chain.contexts()) {
            if (auto fits = check_context(each); !fits) return fail(fits.error());
          }
          if (contexts_.makes_cycle(chain.context(),
                                    {chain.contexts().begin(), chain.contexts().end()}, place_)) {
            return refuse("CYCLE", fmt::format("'{}' would come after itself", chain.context()),
                          Code::kFailedPrecondition);
          }
          StoreTransaction transaction;
          transaction.then.push_back(
              StoreOperation::put("c/" + chain.context(), Bytes::take(chain.SerializeAsString())));
          return transaction;
        });
  }
  void get_chain(Call& call) {
    answer<v1::PolicyContext>(call, [&](const v1::PolicyContext& asked) -> Result<v1::PolicyChain> {
      HECTOR_TRY(check_context(asked.context()));
      const auto lock = replica_.read();
      v1::PolicyChain chain;
      chain.set_context(asked.context());
      for (const auto& each : contexts_.chain_of(asked.context(), place_)) chain.add_contexts(each);
      return chain;
    });
  }

  /// The value now, then each time it becomes another one; where there is none, an empty message.
  void watch(Call& given) {
    auto asked = read_message<v1::PolicyQuestion>(given.request);
    if (!asked) return given.fail(std::move(asked.error()));
    {
      const auto lock = replica_.read();
      if (auto question = question_of(*asked); !question)
        return given.fail(std::move(question.error()));
    }
    auto watching = std::make_shared<Watching>(
        Watching{std::move(*asked), std::make_shared<state::Feed>(given.stream), nullptr});
    {
      const std::lock_guard lock(watches_mutex_);
      if (watches_.size() >= kWatchesMax)
        return given.fail({Code::kResourceExhausted,
                           fmt::format("policy has {} watches, its limit", kWatchesMax)});
      watches_.push_back(watching);
    }
    watching->call = &given.defer();
    watching->call->on_cancel([this, watching] { end(watching); });
    tell(*watching, replica_.revision());
  }
  void end(const std::shared_ptr<Watching>& watching) {
    {
      const std::lock_guard lock(watches_mutex_);
      if (std::exchange(watching->is_over, true)) return;
      std::erase(watches_, watching);
    }
    watching->feed->when_told([watching] { watching->call->complete(); });
  }
  void tell_watches(Revision revision) {
    std::vector<std::shared_ptr<Watching>> watches;
    {
      const std::lock_guard lock(watches_mutex_);
      watches = watches_;
    }
    for (const auto& each : watches) tell(*each, revision);
  }
  void tell(Watching& watching, Revision revision) {
    auto value = [&] {
      const auto lock = replica_.read();
      return value_of(watching.asked, revision);
    }();
    v1::PolicyValue told;
    if (value) told = *value;
    told.set_revision(0);
    std::string text = told.SerializeAsString();
    const std::lock_guard lock(watches_mutex_);
    if (watching.is_over || text == watching.last) return;
    watching.last = std::move(text);
    told.set_revision(revision);
    static_cast<void>(watching.feed->push(write_message(told)));  // who misses one is told the next
  }

  // --- rights
  // --------------------------------------------------------------------------------------------

  void authorise(Call& given) {
    auto asked = read_message<v1::PolicyAuthorisation>(given.request);
    if (!asked) return given.fail(std::move(asked.error()));
    auto request = request_of(*asked);
    if (!request) return given.fail(std::move(request.error()));
    Call& call = given.defer();
    rights_replica_.when_current([this, &call, request = std::move(*request)](Status current) {
      if (!current) return call.fail(std::move(current.error()));
      const Revision revision = rights_replica_.revision();
      const auto lock = rights_replica_.read();
      auto decision = rights_.decide(request);
      decision.set_revision(revision);
      call.complete(write_message(decision));
    });
  }
  static Result<Request> request_of(const v1::PolicyAuthorisation& asked) {
    Request request;
    const std::pair<const std::string*, EntityId*> parts[] = {
        {&asked.principal(), &request.principal},
        {&asked.action(), &request.action},
        {&asked.resource(), &request.resource}};
    for (const auto& [text, place] : parts) {
      auto id = HECTOR_TRY(
          read_entity_id(place == &request.action && text->find("::") == std::string::npos
                             ? "Action::\"" + *text + "\""
                             : *text));
      *place = std::move(id);
    }
    auto context = HECTOR_TRY(read_record(asked.context()));
    request.context = std::move(context);
    return request;
  }
  void put_rules(Call& call) {
    state::change<v1::PolicyRules, v1::PolicyRevision>(
        rights_replica_, call,
        [this](const v1::PolicyRules& asked, v1::PolicyRevision&) -> Result<StoreTransaction> {
          if (asked.name().empty() || asked.name().size() > 200)
            return refuse("BAD_POLICY", "policies have a name of up to 200 octets");
          auto set = HECTOR_TRY(RuleSet::read(asked.name(), asked.text()));
          if (rights_.schema()) {
            if (auto fits = set->check(*rights_.schema()); !fits) return fail(fits.error());
          }
          if (rights_.sets().size() >= Rights::kSetsMax)
            return refuse("RESOURCE_EXHAUSTED",
                          fmt::format("there are {} sets of policies, the limit", Rights::kSetsMax),
                          Code::kResourceExhausted);
          return putting("p/" + asked.name(), asked);
        });
  }
  template <class Message>
  static StoreTransaction putting(const std::string& key, const Message& message) {
    StoreTransaction transaction;
    transaction.then.push_back(StoreOperation::put(key, Bytes::take(message.SerializeAsString())));
    return transaction;
  }
  void remove_rules(Call& call) {
    state::change<v1::PolicyName, v1::PolicyRevision>(
        rights_replica_, call,
        [this](const v1::PolicyName& asked, v1::PolicyRevision&) -> Result<StoreTransaction> {
          if (!rights_.sets().contains(asked.name()))
            return refuse("NO_MATCH", fmt::format("there are no policies '{}'", asked.name()),
                          Code::kNotFound);
          StoreTransaction transaction;
          transaction.then.push_back(StoreOperation::erase("p/" + asked.name()));
          return transaction;
        });
  }
  void list_rules(Call& call) {
    answer<v1::PolicyName>(call, [&](const v1::PolicyName& asked) -> Result<v1::PolicyNames> {
      const auto lock = rights_replica_.read();
      v1::PolicyNames reply;
      for (const auto& [name, set] : rights_.sets()) {
        if (name.starts_with(asked.name())) reply.add_names(name);
      }
      return reply;
    });
  }
  void put_entity(Call& call) {
    state::change<v1::PolicyEntity, v1::PolicyRevision>(
        rights_replica_, call,
        [this](const v1::PolicyEntity& asked, v1::PolicyRevision&) -> Result<StoreTransaction> {
          auto id = HECTOR_TRY(read_entity_id(asked.id()));
          HECTOR_TRY(read_record(asked.attributes()));
          for (const auto& parent : asked.parents()) {
            if (auto above = read_entity_id(parent); !above) return fail(above.error());
          }
          if (rights_.schema() && !rights_.schema()->entities().contains(id.type))
            return refuse("SCHEMA", fmt::format("the schema has no entity type '{}'", id.type));
          if (rights_.entities().size() >= Rights::kEntitiesMax)
            return refuse("RESOURCE_EXHAUSTED",
                          fmt::format("there are {} entities, the limit", Rights::kEntitiesMax),
                          Code::kResourceExhausted);
          return putting("n/" + print(id), asked);
        });
  }
  void remove_entity(Call& call) {
    state::change<v1::PolicyName, v1::PolicyRevision>(
        rights_replica_, call,
        [this](const v1::PolicyName& asked, v1::PolicyRevision&) -> Result<StoreTransaction> {
          auto id = HECTOR_TRY(read_entity_id(asked.name()));
          if (!rights_.entities().contains(id))
            return refuse("NO_MATCH", fmt::format("there is no entity {}", print(id)),
                          Code::kNotFound);
          StoreTransaction transaction;
          transaction.then.push_back(StoreOperation::erase("n/" + print(id)));
          return transaction;
        });
  }
  /// Policies that are there have to fit it.
  void put_schema(Call& call) {
    state::change<v1::PolicySchema, v1::PolicyRevision>(
        rights_replica_, call,
        [this](const v1::PolicySchema& asked, v1::PolicyRevision&) -> Result<StoreTransaction> {
          for (const auto& [name, set] : rights_.sets()) {
            if (auto fits = set->check(asked); !fits) return fail(fits.error());
          }
          return putting("s", asked);
        });
  }

  /// XrmQGetSearchList: the chain and the first components once, the last ones many times.
  void search_list(Call& call) {
    answer<v1::PolicySearchList>(
        call, [&](const v1::PolicySearchList& asked) -> Result<v1::PolicyHandle> {
          constexpr std::size_t kSearchesMax = 10'000;
          const std::lock_guard lock(searches_mutex_);
          if (searches_.size() >= kSearchesMax)
            searches_.erase(searches_.begin());  // whoever still holds the oldest asks again
          v1::PolicyHandle reply;
          reply.set_handle(next_search_++);
          searches_[reply.handle()] = asked;
          return reply;
        });
  }
  void get_from(Call& call) {
    answer<v1::PolicyLeaf>(call, [&](const v1::PolicyLeaf& asked) -> Result<v1::PolicyValue> {
      v1::PolicyQuestion question;
      {
        const std::lock_guard lock(searches_mutex_);
        const auto found = searches_.find(asked.handle());
        if (found == searches_.end())
          return refuse("BAD_KEY", "the search list has been forgotten; make it again",
                        Code::kFailedPrecondition);
        const auto& prefix = found->second;
        question.set_name(prefix.name().empty() ? asked.name()
                                                : prefix.name() + "." + asked.name());
        question.set_class_(prefix.class_().empty() ? asked.class_()
                                                    : prefix.class_() + "." + asked.class_());
        question.set_object(prefix.object());
        *question.mutable_chain() = prefix.chain();
      }
      const Revision revision = replica_.revision();
      const auto lock = replica_.read();
      return value_of(question, revision);
    });
  }

  const Clock& clock_;
  const v1::PolicySettings settings_;
  const Place place_;
  std::vector<std::string> keys_;
  std::mutex watches_mutex_;
  std::vector<std::shared_ptr<Watching>> watches_;
  Contexts contexts_;
  state::Replica replica_;
  Rights rights_;
  state::Replica rights_replica_;
  std::mutex searches_mutex_;
  std::map<std::uint64_t, v1::PolicySearchList> searches_;
  std::uint64_t next_search_ = 1;
  TableServant servant_;
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
  auto policy = std::make_unique<Policy>(context, std::move(settings));
  if (auto started = policy->start(); !started) return refused(started.error().text());
  return policy.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "policy", nullptr, nullptr, make};
