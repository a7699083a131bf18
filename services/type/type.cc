// What: the embedded provider of the Type service: types by name and content, their versions, who
// conforms to whom, and code, on the store. Why: one type has descriptions in many languages, from
// commentary to code, and everybody has the same one. Who: loaded by capsules whose configuration
// says `type: embedded`.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <mutex>

#include "blobs.h"
#include "catalogue.h"
#include "formal.h"
#include "hector/authoring.h"
#include "hector/plugin.h"
#include "hector/table_servant.h"
#include "state/answer.h"
#include "state/signature.h"
#include "state/watches.h"

namespace {

using namespace hector;
using namespace hector::type_service;
using state::refuse;

constexpr std::size_t kNamesMax = 100'000;
constexpr std::size_t kVersionsMax = 1'000;
constexpr std::size_t kDescriptionsMax = 50;
constexpr std::size_t kListMax = 10'000;
constexpr std::size_t kModelsMax = 5'000;  ///< then it is emptied
constexpr int kTries = 8;
constexpr const char* kPrefix = "ty/";

bool is_type_name(std::string_view name) {
  return !name.empty() && name.size() <= 500 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

class Types final : public Service {
 public:
  Types(const ServiceContext& context, const v1::TypeSettings& settings)
      : context_(context),
        replica_({context.store, context.clock, context.executor, context.log}, kPrefix,
                 catalogue_),
        blobs_(*context.store, "ty-blob/"),
        watches_(*context.store),
        servant_(
            {[this](Call& call) { blocking(call, [this](Call& each) { define(each); }); },
             [this](Call& call) { blocking(call, [this](Call& each) { add_description(each); }); },
             [this](Call& call) { get(call); },
             [this](Call& call) { blocking(call, [this](Call& each) { check(each); }); },
             [this](Call& call) { set_mode(call); },
             [this](Call& call) { blocking(call, [this](Call& each) { conforms(each); }); },
             [this](Call& call) { blocking(call, [this](Call& each) { match(each); }); },
             [this](Call& call) { set_flag(call, &v1::TypeNameState::set_masked); },
             [this](Call& call) { set_flag(call, &v1::TypeNameState::set_deprecated); },
             [this](Call& call) { erase(call); }, [this](Call& call) { usages(call); },
             [this](Call& call) { list(call); }, [this](Call& call) { versions(call); },
             [this](Call& call) { blocking(call, [this](Call& each) { closure(each); }); },
             [this](Call& call) { blocking(call, [this](Call& each) { publish_module(each); }); },
             [this](Call& call) { blocking(call, [this](Call& each) { fetch_module(each); }); },
             [this](Call& call) { watch(call); }}) {
    for (const auto& key : settings.keys()) keys_.push_back(state::from_base64(key));
  }
  Status start() { return replica_.start(); }
  std::string interface_id() const override { return "hector.Type/1"; }
  Servant& servant() override { return servant_; }

 private:
  /// Contents are read and types compiled where that may take its time.
  template <class Work>
  void blocking(Call& given, Work work) {
    Call& call = given.defer();
    if (!context_.store->is_shared()) return context_.run_blocking([&call, work] { work(call); });
    replica_.when_current([this, &call, work](Status current) {
      if (!current) return call.fail(std::move(current.error()));
      context_.run_blocking([&call, work] { work(call); });
    });
  }

  // --- what there is
  // --------------------------------------------------------------------------------------------

  static Error not_found(const std::string& name) {
    return Error{Code::kNotFound,
                 fmt::format("NOT_FOUND: there is no type '{}'", name),
                 "NOT_FOUND",
                 {},
                 {}};
  }

  /// With what is known of its name. NOT_FOUND.
  Result<v1::TypeVersion> version_of(const std::string& name, std::uint64_t version = 0,
                                     Revision at_revision = 0) const {
    const auto lock = replica_.read();
    const Version* const found = catalogue_.find(name, version, at_revision);
    if (found == nullptr)
      return fail(not_found(version == 0 ? name : fmt::format("{}' version '{}", name, version)));
    v1::TypeVersion told = found->model;
    const auto& state = catalogue_.name(told.name())->state;
    told.set_mode(state.mode());
    told.set_masked(state.masked());
    told.set_deprecated(state.deprecated());
    return told;
  }

  /// The compiled type, remembered by its id.
  Result<TypeModelPtr> model_of(const v1::TypeVersion& version) {
    {
      const std::lock_guard lock(models_mutex_);
      if (const auto found = models_.find(version.id()); found != models_.end())
        return found->second;
    }
    if (version.canonical().empty())
      return refuse(
          "NO_DESCRIPTION",
          fmt::format("'{}' ({}) has no formal description", version.name(), version.kind()),
          Code::kFailedPrecondition);
    auto canonical = HECTOR_TRY(blobs_.get(version.canonical()));
    auto model = make_type_model(version.kind(), version.name(), *canonical);
    if (!model) return model;
    const std::lock_guard lock(models_mutex_);
    if (models_.size() >= kModelsMax) models_.clear();
    return models_[version.id()] = *model;
  }
  Result<TypeModelPtr> model_named(const std::string& name) {
    auto version = HECTOR_TRY(version_of(name));
    return model_of(version);
  }

  void get(Call& call) {
    auto asked = read_message<v1::TypeQuestion>(call.request);
    if (!asked) return call.fail(std::move(asked.error()));
    if (asked->languages_size() == 0 && !context_.store->is_shared()) {
      const auto lock = replica_.read();
      const Version* const found =
          catalogue_.find(asked->name(), asked->version(), asked->at_revision());
      if (found == nullptr) return call.fail(not_found(asked->name()));
      // What is stored goes as it is, with what is known of its name behind it: Protobuf reads two
      // messages in a row as one.
      const auto& state = found->of->state;
      v1::TypeVersion tail;
      tail.set_mode(state.mode());
      tail.set_masked(state.masked());
      tail.set_deprecated(state.deprecated());
      tail.set_revision(found->defined);
      std::string whole(found->stored.view());
      tail.AppendToString(&whole);
      return call.complete(Payload(Bytes::take(std::move(whole))));
    }
    blocking(call, [this, asked = *asked](Call& each) {
      auto found = described(asked);
      if (!found) return each.fail(std::move(found.error()));
      each.complete(write_message(*found));
    });
  }
  /// As Accept-Language is read: the first language asked for that there is a description in ("de"
  /// has "de-AT" as well). All of that language.
  Result<v1::TypeVersion> described(const v1::TypeQuestion& asked) {
    auto version = version_of(asked.name(), asked.version(), asked.at_revision());
    if (!version || asked.languages_size() == 0) return version;
    for (const auto& language : asked.languages()) {
      bool is_any = false;
      for (auto& each : *version->mutable_descriptions()) {
        if (language != "*" && each.language() != language &&
            !each.language().starts_with(language + "-"))
          continue;
        auto content = HECTOR_TRY(blobs_.get(each.digest()));
        each.set_content(*content);
        is_any = true;
      }
      if (is_any) return version;
    }
    std::string there;
    for (const auto& each : version->descriptions())
      there += (there.empty() ? "" : ", ") + each.language();
    return refuse("NO_DESCRIPTION", fmt::format("'{}' is described in {}", asked.name(), there),
                  Code::kNotFound);
  }

  void usages(Call& call) {
    answer<v1::TypeName>(call, [&](const v1::TypeName& asked) -> Result<v1::TypeNames> {
      const auto lock = replica_.read();
      v1::TypeNames reply;
      for (auto& each : catalogue_.usages(asked.name())) reply.add_names(std::move(each));
      return reply;
    });
  }
  void list(Call& call) {
    answer<v1::TypeName>(call, [&](const v1::TypeName& asked) -> Result<v1::TypeNames> {
      const auto lock = replica_.read();
      v1::TypeNames reply;
      for (auto& each : catalogue_.names(asked.name(), kListMax)) reply.add_names(std::move(each));
      return reply;
    });
  }
  /// Their ids, the first one first.
  void versions(Call& call) {
    answer<v1::TypeName>(call, [&](const v1::TypeName& asked) -> Result<v1::TypeNames> {
      const auto lock = replica_.read();
      const Name* const known = catalogue_.name(asked.name());
      if (known == nullptr) return fail(not_found(asked.name()));
      v1::TypeNames reply;
      for (const auto& [number, version] : known->versions) reply.add_names(version.model.id());
      return reply;
    });
  }

  // --- definitions
  // --------------------------------------------------------------------------------------------

  Status check_request(const v1::TypeDefine& request) const {
    if (!is_type_name(request.name()))
      return refuse("PARSE", fmt::format("'{}' is no name of a type", request.name()));
    if (!is_kind(request.kind()))
      return refuse("PARSE", fmt::format("kind '{}' is none of message, interaction, interface, "
                                         "role, binding, object, service, relationship, policy",
                                         request.kind()));
    if (request.descriptions_size() == 0)
      return refuse("NO_DESCRIPTION", "a type is defined by its descriptions, at least one");
    if (request.descriptions_size() > static_cast<int>(kDescriptionsMax))
      return refuse("PARSE", fmt::format("a type may have {} descriptions", kDescriptionsMax));
    for (const auto& each : request.descriptions()) {
      if (each.language().empty() || each.media().empty())
        return refuse("PARSE", "a description says its language and its media type");
    }
    if (!request.mode().empty()) {
      if (auto mode = mode_of(request.mode()); !mode) return fail(mode.error());
    }
    return {};
  }

  /// What is there for the name, and whether the candidate may follow.
  struct Prepared {
    TypeModelPtr model;
    v1::TypeVersion version;
    bool is_known = false;  ///< by its content: nothing is to be done
  };
  static std::string id_without_model(const v1::TypeDefine& request) {
    std::vector<std::string> parts;
    for (const auto& each : request.descriptions())
      parts.push_back(fmt::format("{}\n{}\n{}", each.language(), each.media(),
                                  state::digest_of(each.content())));
    std::sort(parts.begin(), parts.end());
    std::string whole = request.kind() + "\n" + request.name();
    for (const auto& each : parts) whole += "\n" + each;
    return state::digest_of(whole);
  }
  Result<Prepared> prepare(const v1::TypeDefine& request) {
    HECTOR_TRY(check_request(request));
    Prepared prepared;
    auto model = HECTOR_TRY(formal_model(request.name(), request.kind(), request.descriptions()));
    prepared.model = model;
    auto& version = prepared.version;
    version.set_id(prepared.model ? prepared.model->identity() : id_without_model(request));
    version.set_name(request.name());
    version.set_kind(request.kind());
    *version.mutable_supers() = request.supers();
    if (prepared.model) {
      for (const auto& each : prepared.model->uses()) version.add_uses(each);
    }
    {
      const auto lock = replica_.read();
      const Name* const known = catalogue_.name(request.name());
      if (known != nullptr && !known->versions.empty() && known->state.kind() != request.kind())
        return refuse("NAME_CLASH",
                      fmt::format("'{}' is of kind {}", request.name(), known->state.kind()),
                      Code::kAlreadyExists);
      if (known == nullptr && catalogue_.size() >= kNamesMax)
        return refuse("RESOURCE_EXHAUSTED",
                      fmt::format("the Type service holds {} names, its limit", kNamesMax),
                      Code::kResourceExhausted);
      version.set_version(
          known == nullptr || known->versions.empty() ? 1 : known->versions.rbegin()->first + 1);
      if (version.version() > kVersionsMax)
        return refuse("RESOURCE_EXHAUSTED",
                      fmt::format("a type may have {} versions", kVersionsMax),
                      Code::kResourceExhausted);
      if (const Version* const same = catalogue_.find(version.id());
          same != nullptr && same->model.name() == request.name()) {
        prepared.version = same->model;
        prepared.is_known = true;
        return prepared;
      }
    }
    for (const auto& super : request.supers()) {
      auto above = version_of(super);
      if (!above)
        return refuse("UNKNOWN_SUPER", fmt::format("there is no type '{}'", super),
                      Code::kNotFound);
      if (!prepared.model || above->canonical().empty() || above->kind() != request.kind())
        continue;
      auto model_above = HECTOR_TRY(model_of(*above));
      auto conformance =
          check_replacement(*prepared.model, *model_above, ConformanceLevel::kBehaviour);
      if (!conformance) return fail(conformance.error());
      v1::TypeVerdict verdict;
      add_findings(*conformance, above->version(), verdict);
      if (verdict.violations_size() > 0)
        return incompatible(
            fmt::format("'{}' does not conform to its super '{}'", request.name(), super), verdict);
    }
    return prepared;
  }
  static tl::unexpected<Error> incompatible(const std::string& what,
                                            const v1::TypeVerdict& verdict) {
    std::vector<std::string> reasons;
    for (const auto& each : verdict.violations())
      reasons.push_back(fmt::format(
          "{}: {}{} (version {})", each.rule(), each.text(),
          each.trace_size() == 0 ? "" : fmt::format(", trace {}", fmt::join(each.trace(), " ; ")),
          each.version()));
    return fail(Error{Code::kFailedPrecondition, "INCOMPATIBLE: " + what, "INCOMPATIBLE",
                      verdict.SerializeAsString(), std::move(reasons)});
  }

  /// Against the latest version, or all of them.
  Result<v1::TypeVerdict> verdict_of(const std::string& name, const TypeModel& candidate,
                                     const std::string& mode_text) {
    v1::TypeVerdict verdict;
    auto mode = HECTOR_TRY(mode_of(mode_text));
    std::vector<v1::TypeVersion> older;
    {
      const auto lock = replica_.read();
      const Name* const known = catalogue_.name(name);
      if (known != nullptr && (mode.backward || mode.forward)) {
        for (auto each = known->versions.rbegin(); each != known->versions.rend(); ++each) {
          older.push_back(each->second.model);
          if (!mode.is_transitive) break;
        }
      }
    }
    for (const auto& each : older) {
      if (each.canonical().empty() || each.id() == candidate.identity()) continue;
      auto model = HECTOR_TRY(model_of(each));
      if (auto done = check_version(candidate, *model, each.version(), mode, verdict); !done)
        return refuse("UNDECIDED", done.error().message, Code::kResourceExhausted);
    }
    verdict.set_ok(verdict.violations_size() == 0);
    return verdict;
  }
  std::string mode_named(const std::string& name, const std::string& kind) const {
    const auto lock = replica_.read();
    const Name* const known = catalogue_.name(name);
    return known == nullptr || known->state.mode().empty() ? default_mode(kind)
                                                           : known->state.mode();
  }

  void define(Call& call) {
    auto request = read_message<v1::TypeDefine>(call.request);
    if (!request) return call.fail(std::move(request.error()));
    define_again(call, std::move(*request), 0);
  }
  void define_again(Call& call, v1::TypeDefine request, int tries) {
    auto prepared = prepare(request);
    if (!prepared) return call.fail(std::move(prepared.error()));
    if (prepared->is_known) return call.complete(write_message(prepared->version));
    const std::string mode =
        request.mode().empty() ? mode_named(request.name(), request.kind()) : request.mode();
    if (prepared->model) {
      auto verdict =
          verdict_of(request.name(), *prepared->model, mode_named(request.name(), request.kind()));
      if (!verdict) return call.fail(std::move(verdict.error()));
      if (!verdict->ok())
        return call.fail(
            incompatible(fmt::format("'{}' breaks users of earlier versions (mode {})",
                                     request.name(), mode_named(request.name(), request.kind())),
                         *verdict)
                .value());
    }
    auto& version = prepared->version;
    if (auto kept = keep_contents(request, prepared->model, version); !kept)
      return call.fail(std::move(kept.error()));
    replica_.change(
        [this, version, mode]() -> Result<StoreTransaction> {
          const Name* const known = catalogue_.name(version.name());
          const std::uint64_t last =
              known == nullptr || known->versions.empty() ? 0 : known->versions.rbegin()->first;
          if (last + 1 != version.version())
            return refuse("CONFLICT", "another client has just defined another version",
                          Code::kAborted);
          StoreTransaction transaction;
          if (last == 0) {
            v1::TypeNameState state;
            state.set_kind(version.kind());
            state.set_mode(mode);
            transaction.then.push_back(
                StoreOperation::put("m/" + version.name(), Bytes::take(state.SerializeAsString())));
          }
          const std::string key = version_key(version.name(), version.version());
          transaction.compares.push_back(StoreCompare::absent(key));
          transaction.then.push_back(
              StoreOperation::put(key, Bytes::take(version.SerializeAsString())));
          return transaction;
        },
        [this, &call, request, version, tries](Result<Revision> done) mutable {
          if (!done && done.error().type == "CONFLICT" && tries < kTries) {
            return context_.run_blocking(
                [this, &call, request = std::move(request), tries]() mutable {
                  define_again(call, std::move(request), tries + 1);
                });
          }
          if (!done) return call.fail(std::move(done.error()));
          version.set_revision(*done);
          call.complete(write_message(version));
        });
  }
  /// Contents first: a version that can be seen is whole.
  Status keep_contents(const v1::TypeDefine& request, const TypeModelPtr& model,
                       v1::TypeVersion& version) {
    if (model) {
      auto digest = HECTOR_TRY(blobs_.put(model->canonical()));
      version.set_canonical(digest);
    }
    for (const auto& each : request.descriptions()) {
      auto digest = HECTOR_TRY(blobs_.put(each.content()));
      auto& text = *version.add_descriptions();
      text = each;
      text.clear_content();
      text.set_digest(digest);
    }
    return {};
  }

  /// More descriptions of the latest version; formal ones have to say the same.
  void add_description(Call& call) {
    auto request = read_message<v1::TypeDefine>(call.request);
    if (!request) return call.fail(std::move(request.error()));
    auto version = version_of(request->name());
    if (!version) return call.fail(std::move(version.error()));
    request->set_kind(version->kind());
    if (auto fits = check_request(*request); !fits) return call.fail(std::move(fits.error()));
    auto model = formal_model(version->name(), version->kind(), request->descriptions());
    if (!model) return call.fail(std::move(model.error()));
    if (*model && !version->canonical().empty() && (*model)->identity() != version->canonical()) {
      return call.fail(
          refuse("INCONSISTENT",
                 fmt::format("'{}' is not the same in {} and in the descriptions that are there",
                             version->name(), request->descriptions(0).language()),
                 Code::kFailedPrecondition)
              .value());
    }
    v1::TypeVersion added;
    if (auto kept = keep_contents(*request, nullptr, added); !kept)
      return call.fail(std::move(kept.error()));
    replica_.change(
        [this, name = version->name(), number = version->version(),
         added]() -> Result<StoreTransaction> {
          const Version* const known = catalogue_.find(name, number);
          if (known == nullptr) return fail(not_found(name));
          v1::TypeVersion more = known->model;
          more.clear_revision();
          for (const auto& text : added.descriptions()) {
            const auto same = std::find_if(
                more.descriptions().begin(), more.descriptions().end(), [&](const auto& each) {
                  return each.language() == text.language() && each.path() == text.path();
                });
            if (same == more.descriptions().end())
              *more.add_descriptions() = text;
            else if (same->digest() != text.digest())
              return refuse(
                  "INCONSISTENT",
                  fmt::format("there is another description in {}; what is defined does not change",
                              text.language()),
                  Code::kFailedPrecondition);
          }
          StoreTransaction transaction;
          if (more.descriptions_size() == known->model.descriptions_size()) return transaction;
          if (more.descriptions_size() > static_cast<int>(kDescriptionsMax))
            return refuse("RESOURCE_EXHAUSTED",
                          fmt::format("a type may have {} descriptions", kDescriptionsMax),
                          Code::kResourceExhausted);
          transaction.then.push_back(StoreOperation::put(version_key(name, number),
                                                         Bytes::take(more.SerializeAsString())));
          return transaction;
        },
        [this, &call, name = version->name(), number = version->version()](Result<Revision> done) {
          if (!done) return call.fail(std::move(done.error()));
          auto now = version_of(name, number);
          if (!now) return call.fail(std::move(now.error()));
          call.complete(write_message(*now));
        });
  }

  // --- what fits what
  // --------------------------------------------------------------------------------------------

  void check(Call& call) {
    auto request = read_message<v1::TypeCandidate>(call.request);
    if (!request) return call.fail(std::move(request.error()));
    auto verdict = checked(*request);
    if (!verdict) return call.fail(std::move(verdict.error()));
    call.complete(write_message(*verdict));
  }
  Result<v1::TypeVerdict> checked(const v1::TypeCandidate& request) {
    const auto known = version_of(request.name());
    const std::string kind = !request.kind().empty() || !known ? request.kind() : known->kind();
    const std::string mode =
        request.mode().empty() ? mode_named(request.name(), kind) : request.mode();
    if (mode == "FILE" || mode == "PACKAGE" || mode == "WIRE" || mode == "WIRE_JSON")
      return checked_texts(request, mode);
    auto model = HECTOR_TRY(formal_model(request.name(), kind, request.descriptions()));
    if (!model)
      return refuse("NO_DESCRIPTION", "only formal descriptions can be compared",
                    Code::kFailedPrecondition);
    return verdict_of(request.name(), *model, mode);
  }
  Result<v1::TypeVerdict> checked_texts(const v1::TypeCandidate& request,
                                        const std::string& category) {
    v1::TypeQuestion asked;
    asked.set_name(request.name());
    asked.add_languages("proto");
    auto older = HECTOR_TRY(described(asked));
    auto breaking = types::breaking_changes(protos_of(older.descriptions()),
                                            protos_of(request.descriptions()), category);
    if (!breaking) return refuse("PARSE", breaking.error().message);
    v1::TypeVerdict verdict;
    for (const auto& each : *breaking) {
      auto& violation = *verdict.add_violations();
      violation.set_rule(each.rule);
      violation.set_path(each.path);
      violation.set_older(each.older);
      violation.set_newer(each.newer);
      violation.set_version(older.version());
    }
    verdict.set_ok(verdict.violations_size() == 0);
    return verdict;
  }

  /// A Role's own, or the type's.
  struct Target {
    TypeModelPtr type, required;
    std::string role;
  };
  Result<Target> target_of(const std::string& text) {
    auto model = model_named(text);
    if (model) return Target{*model, nullptr, {}};
    const auto slash = text.find('/');
    const auto dot = slash == std::string::npos ? slash : text.find('.', slash);
    if (model.error().type != "NOT_FOUND" || dot == std::string::npos) return fail(model.error());
    auto binding = HECTOR_TRY(model_named(text.substr(0, dot)));
    auto id = HECTOR_TRY(interface_of_role(*binding, text.substr(dot + 1)));
    auto required = HECTOR_TRY(model_named(id));
    return Target{binding, required, text.substr(dot + 1)};
  }
  static Result<v1::TypeVerdict> conformance(const TypeModel& sub, const Target& target,
                                             ConformanceLevel level) {
    auto result = target.required
                      ? check_role(sub, *target.type, target.role, *target.required, level)
                      : check_replacement(sub, *target.type, level);
    if (!result) {
      if (result.error().code == Code::kInvalidArgument || result.error().code == Code::kNotFound)
        return fail(result.error());
      return refuse("UNDECIDED", result.error().message, Code::kResourceExhausted);
    }
    v1::TypeVerdict verdict;
    add_findings(*result, 0, verdict);
    verdict.set_ok(verdict.violations_size() == 0);
    verdict.set_order_compared(result->order_compared);
    return verdict;
  }
  void conforms(Call& call) {
    answer<v1::TypeConforms>(call, [&](const v1::TypeConforms& asked) -> Result<v1::TypeVerdict> {
      if (!asked.level().empty() && asked.level() != "signature" && asked.level() != "behaviour")
        return fail(Code::kInvalidArgument,
                    fmt::format("'{}' is none of signature, behaviour", asked.level()));
      auto sub = HECTOR_TRY(model_named(asked.sub()));
      auto target = HECTOR_TRY(target_of(asked.super()));
      return conformance(*sub, target,
                         asked.level() == "signature" ? ConformanceLevel::kSignature
                                                      : ConformanceLevel::kBehaviour);
    });
  }
  void match(Call& call) {
    answer<v1::TypeMatch>(call, [&](const v1::TypeMatch& asked) -> Result<v1::TypeMatched> {
      auto target = HECTOR_TRY(target_of(asked.role()));
      v1::TypeMatched reply;
      for (const auto& offer : asked.offers()) {
        auto model = HECTOR_TRY(model_named(offer));
        auto verdict = HECTOR_TRY(conformance(*model, target, ConformanceLevel::kBehaviour));
        if (verdict.ok())
          reply.add_offers(offer);
        else
          (*reply.mutable_refused())[offer] = std::move(verdict);
      }
      return reply;
    });
  }
  void closure(Call& call) {
    answer<v1::TypeName>(call, [&](const v1::TypeName& asked) -> Result<v1::TypeClosure> {
      auto model = HECTOR_TRY(model_named(asked.name()));
      v1::TypeClosure reply;
      reply.set_files(model->descriptors());
      return reply;
    });
  }

  // --- administration
  // --------------------------------------------------------------------------------------------

  template <class Change>
  Result<StoreTransaction> changed_name(const std::string& name, Change change) const {
    const Name* const known = catalogue_.name(name);
    if (known == nullptr) return fail(not_found(name));
    v1::TypeNameState state = known->state;
    change(state);
    StoreTransaction transaction;
    transaction.compares.push_back(StoreCompare::unchanged("m/" + name, known->modified));
    transaction.then.push_back(
        StoreOperation::put("m/" + name, Bytes::take(state.SerializeAsString())));
    return transaction;
  }
  void set_mode(Call& call) {
    state::change<v1::TypeMode, v1::TypeRevision>(
        replica_, call,
        [this](const v1::TypeMode& asked, v1::TypeRevision&) -> Result<StoreTransaction> {
          HECTOR_TRY(mode_of(asked.mode()));
          return changed_name(asked.name(),
                              [&](v1::TypeNameState& state) { state.set_mode(asked.mode()); });
        });
  }
  void set_flag(Call& call, void (v1::TypeNameState::*set)(bool)) {
    state::change<v1::TypeFlag, v1::TypeRevision>(
        replica_, call, [this, set](const v1::TypeFlag& asked, v1::TypeRevision&) {
          return changed_name(asked.name(),
                              [&](v1::TypeNameState& state) { (state.*set)(asked.on()); });
        });
  }
  void erase(Call& call) {
    state::change<v1::TypeName, v1::TypeRevision>(
        replica_, call,
        [this](const v1::TypeName& asked, v1::TypeRevision&) -> Result<StoreTransaction> {
          const Name* const known = catalogue_.name(asked.name());
          if (known == nullptr) return fail(not_found(asked.name()));
          const auto users = catalogue_.usages(asked.name());
          if (!users.empty())
            return refuse("REFERENCED",
                          fmt::format("'{}' is used by {}", asked.name(), fmt::join(users, ", ")),
                          Code::kFailedPrecondition);
          StoreTransaction transaction;
          transaction.compares.push_back(
              StoreCompare::unchanged("m/" + asked.name(), known->modified));
          transaction.compares.push_back(StoreCompare::absent(version_key(
              asked.name(), known->versions.empty() ? 1 : known->versions.rbegin()->first + 1)));
          transaction.then.push_back(StoreOperation::erase("m/" + asked.name()));
          transaction.then.push_back(
              StoreOperation::erase(KeyRange::prefix(fmt::format("v/{}{}", asked.name(), '\0'))));
          return transaction;
        });
  }

  // --- code
  // --------------------------------------------------------------------------------------------

  [[nodiscard]] bool is_trusted(const v1::TypeModule& module, const std::string& content) const {
    return keys_.empty() || std::any_of(keys_.begin(), keys_.end(), [&](const auto& key) {
             return state::is_signed_by(key, content, module.signature());
           });
  }
  void publish_module(Call& call) {
    auto module = read_message<v1::TypeModule>(call.request);
    if (!module) return call.fail(std::move(module.error()));
    if (module->language().empty() || !is_type_name(module->name()))
      return call.fail(
          {Code::kInvalidArgument, "PARSE: a module has a language and a name", "PARSE", {}, {}});
    if (!module->digest().empty() && module->digest() != state::digest_of(module->content())) {
      return call.fail({Code::kInvalidArgument,
                        fmt::format("BAD_SIGNATURE: the content of '{}' has not the digest given",
                                    module->name()),
                        "BAD_SIGNATURE",
                        {},
                        {}});
    }
    if (!is_trusted(*module, module->content()))
      return call.fail({Code::kPermissionDenied,
                        fmt::format("BAD_SIGNATURE: none of the trusted keys signed module '{}'",
                                    module->name()),
                        "BAD_SIGNATURE",
                        {},
                        {}});
    auto digest = blobs_.put(module->content());
    if (!digest) return call.fail(std::move(digest.error()));
    module->set_digest(*digest);
    module->clear_content();
    module->clear_revision();
    replica_.change(
        [record = *module]() -> Result<StoreTransaction> {
          StoreTransaction transaction;
          transaction.then.push_back(
              StoreOperation::put(module_key(record.language(), record.name(), record.abi()),
                                  Bytes::take(record.SerializeAsString())));
          return transaction;
        },
        [&call](Result<Revision> done) {
          if (!done) return call.fail(std::move(done.error()));
          v1::TypeRevision reply;
          reply.set_revision(*done);
          call.complete(write_message(reply));
        });
  }
  void fetch_module(Call& call) {
    answer<v1::TypeModuleQuestion>(
        call, [&](const v1::TypeModuleQuestion& asked) -> Result<v1::TypeModule> {
          v1::TypeModule module;
          {
            const auto lock = replica_.read();
            const auto* found =
                catalogue_.module(module_key(asked.language(), asked.name(), asked.abi()));
            if (found == nullptr)
              found = catalogue_.module(module_key(asked.language(), asked.name(), ""));
            if (found == nullptr)
              return refuse(
                  "NOT_FOUND",
                  fmt::format("there is no module '{}' in {}", asked.name(), asked.language()),
                  Code::kNotFound);
            module = *found;
          }
          auto content = HECTOR_TRY(blobs_.get(module.digest()));
          if (!is_trusted(module, *content))
            return refuse("BAD_SIGNATURE",
                          fmt::format("none of the trusted keys signed module '{}'", asked.name()),
                          Code::kDataLoss);
          module.set_content(*content);
          return module;
        });
  }

  void watch(Call& call) {
    auto asked = read_message<v1::TypeName>(call.request);
    if (!asked) return call.fail(std::move(asked.error()));
    const std::string prefix = std::string(kPrefix) + "v/";
    watches_.add(
        call, KeyRange::prefix(prefix + asked->name()), replica_.revision() + 1,
        [size = prefix.size()](Revision at, const StoreEvent& event) {
          v1::TypeEvent told;
          told.set_revision(at);
          told.set_is_gone(event.kind == StoreEvent::Kind::kErase);
          auto& version = *told.mutable_version();
          if (!told.is_gone())
            static_cast<void>(version.ParseFromArray(event.entry.value.data(),
                                                     static_cast<int>(event.entry.value.size())));
          version.set_name(event.entry.key.substr(size, event.entry.key.find('\0') - size));
          return write_message(told);
        });
  }

  const ServiceContext context_;
  std::vector<std::string> keys_;
  Catalogue catalogue_;
  state::Replica replica_;
  Blobs blobs_;
  std::mutex models_mutex_;
  std::map<std::string, TypeModelPtr> models_;
  state::Watches watches_;
  TableServant servant_;
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

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "type", nullptr, nullptr, make};
