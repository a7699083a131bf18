// What: Definitions, new versions of types and more descriptions of them.
// Why: a version may only follow if users of the earlier ones can go on, by the name's mode.
// Who: the Type servant's define and add_description.
#include "definitions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "hector/check.h"
#include "state/answer.h"
#include "state/signature.h"

namespace hector::type_service {

using state::refuse;

namespace {

constexpr std::size_t kNamesMax = 100'000;    ///< all are in memory
constexpr std::size_t kVersionsMax = 1'000;   ///< of one type: a transitive mode compares with each
constexpr std::size_t kDescriptionsMax = 50;  ///< of one version, in as many languages
constexpr std::size_t kNameOctetsMax = 500;   ///< of a type
constexpr int kTries = 8;                     ///< each failed because another defined the same name
constexpr const char* kConflict = "CONFLICT";  ///< the error's type

Status check_request(const v1::TypeDefine& request) {
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
  if (!request.mode().empty()) HECTOR_TRY(mode_of(request.mode()));
  return {};
}

/// What it is told by where no description is formal.
std::string id_without_model(const v1::TypeDefine& request) {
  std::vector<std::string> parts;
  for (const auto& each : request.descriptions())
    parts.push_back(
        fmt::format("{}\n{}\n{}", each.language(), each.media(), state::digest_of(each.content())));
  std::sort(parts.begin(), parts.end());
  std::string whole = request.kind() + "\n" + request.name();
  for (const auto& each : parts) whole += "\n" + each;
  return state::digest_of(whole);
}

std::uint64_t last_version(const Name* known) {
  return known == nullptr || known->versions.empty() ? 0 : known->versions.rbegin()->first;
}

tl::unexpected<Error> full(const std::string& what) {
  return refuse("RESOURCE_EXHAUSTED", what, Code::kResourceExhausted);
}

/// Descriptions are known by language and path. INCONSISTENT where another one is there.
Status add_text(const v1::TypeText& text, v1::TypeVersion& more) {
  const auto same =
      std::find_if(more.descriptions().begin(), more.descriptions().end(), [&](const auto& each) {
        return each.language() == text.language() && each.path() == text.path();
      });
  if (same == more.descriptions().end()) {
    *more.add_descriptions() = text;
    return {};
  }
  if (same->digest() == text.digest()) return {};
  return refuse("INCONSISTENT",
                fmt::format("there is another description in {}; what is defined does not change",
                            text.language()),
                Code::kFailedPrecondition);
}

}  // namespace

bool is_type_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameOctetsMax &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

Error incompatible(const std::string& what, const v1::TypeVerdict& verdict) {
  std::vector<std::string> reasons;
  for (const auto& each : verdict.violations())
    reasons.push_back(fmt::format(
        "{}: {}{} (version {})", each.rule(), each.text(),
        each.trace_size() == 0 ? "" : fmt::format(", trace {}", fmt::join(each.trace(), " ; ")),
        each.version()));
  return Error::failed_precondition("INCOMPATIBLE: " + what)
      .with_type("INCOMPATIBLE")
      .with_detail(verdict.SerializeAsString())
      .with_reasons(std::move(reasons));
}

Status Definitions::number(const v1::TypeDefine& request, Prepared& prepared) const {
  const auto lock = replica_.read();
  const Name* const known = catalogue_.name(request.name());
  if (last_version(known) != 0 && known->state.kind() != request.kind())
    return refuse("NAME_CLASH",
                  fmt::format("'{}' is of kind {}", request.name(), known->state.kind()),
                  Code::kAlreadyExists);
  if (known == nullptr && catalogue_.size() >= kNamesMax)
    return full(fmt::format("the Type service holds {} names, its limit", kNamesMax));
  auto& version = prepared.version;
  version.set_version(last_version(known) + 1);
  if (version.version() > kVersionsMax)
    return full(fmt::format("a type may have {} versions", kVersionsMax));
  const Version* const same = catalogue_.find(version.id());
  if (same == nullptr || same->model.name() != request.name()) return {};
  version = same->model;
  prepared.is_known = true;
  return {};
}

Status Definitions::check_supers(const v1::TypeDefine& request, const TypeModelPtr& model) const {
  for (const auto& super : request.supers()) {
    const auto above = models_.version(super);
    if (!above)
      return refuse("UNKNOWN_SUPER", fmt::format("there is no type '{}'", super), Code::kNotFound);
    if (!model || above->canonical().empty() || above->kind() != request.kind()) continue;
    const auto model_above = HECTOR_TRY(models_.of(*above));
    const auto conformance =
        HECTOR_TRY(check_replacement(*model, *model_above, ConformanceLevel::kBehaviour));
    v1::TypeVerdict verdict;
    add_findings(conformance, above->version(), verdict);
    if (verdict.violations_size() > 0)
      return fail(incompatible(
          fmt::format("'{}' does not conform to its super '{}'", request.name(), super), verdict));
  }
  return {};
}

Result<Definitions::Prepared> Definitions::prepare(const v1::TypeDefine& request) const {
  HECTOR_TRY(check_request(request));
  Prepared prepared;
  prepared.model = HECTOR_TRY(formal_model(request.name(), request.kind(), request.descriptions()));
  auto& version = prepared.version;
  version.set_id(prepared.model ? prepared.model->identity() : id_without_model(request));
  version.set_name(request.name());
  version.set_kind(request.kind());
  *version.mutable_supers() = request.supers();
  if (prepared.model) {
    for (const auto& each : prepared.model->uses()) version.add_uses(each);
  }
  HECTOR_TRY(number(request, prepared));
  if (!prepared.is_known) HECTOR_TRY(check_supers(request, prepared.model));
  return prepared;
}

Result<v1::TypeVerdict> Definitions::verdict(const std::string& name, const TypeModel& candidate,
                                             const std::string& mode_text) {
  v1::TypeVerdict verdict;
  const auto mode = HECTOR_TRY(mode_of(mode_text));
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
    const auto model = HECTOR_TRY(models_.of(each));
    if (auto done = check_version(candidate, *model, each.version(), mode, verdict); !done)
      return refuse("UNDECIDED", done.error().message, Code::kResourceExhausted);
  }
  verdict.set_ok(verdict.violations_size() == 0);
  return verdict;
}

std::string Definitions::mode(const std::string& name, const std::string& kind) const {
  const auto lock = replica_.read();
  const Name* const known = catalogue_.name(name);
  return known == nullptr || known->state.mode().empty() ? default_mode(kind) : known->state.mode();
}

Status Definitions::check_users(const v1::TypeDefine& request, const Prepared& prepared) {
  if (!prepared.model) return {};
  const std::string name_mode = mode(request.name(), request.kind());
  const auto found = HECTOR_TRY(verdict(request.name(), *prepared.model, name_mode));
  if (found.ok()) return {};
  return fail(incompatible(
      fmt::format("'{}' breaks users of earlier versions (mode {})", request.name(), name_mode),
      found));
}

Result<Definitions::Prepared> Definitions::checked(const v1::TypeDefine& request) {
  auto prepared = HECTOR_TRY(prepare(request));
  if (prepared.is_known) return prepared;
  HECTOR_TRY(check_users(request, prepared));
  HECTOR_TRY(keep_contents(request, prepared.model, prepared.version));
  return prepared;
}

Result<StoreTransaction> Definitions::plan_version(const v1::TypeVersion& version,
                                                   const std::string& mode) const {
  HECTOR_CHECK(version.version() != 0, "a version without a number is to be kept");
  const std::uint64_t last = last_version(catalogue_.name(version.name()));
  if (last + 1 != version.version())
    return refuse(kConflict, "another version was defined a moment ago", Code::kAborted);
  StoreTransaction transaction;
  if (last == 0) {
    v1::TypeNameState state;
    state.set_kind(version.kind());
    state.set_mode(mode);
    transaction = state::putting("m/" + version.name(), state);
  }
  const std::string key = version_key(version.name(), version.version());
  transaction.compares.push_back(StoreCompare::absent(key));
  transaction.then.push_back(StoreOperation::put(key, Bytes::take(version.SerializeAsString())));
  return transaction;
}

void Definitions::attempt(const v1::TypeDefine& request, Reply<v1::TypeVersion> reply, int tries) {
  auto prepared = checked(request);
  if (!prepared) return reply.fail(std::move(prepared.error()));
  if (prepared->is_known) return reply(std::move(prepared->version));
  const std::string first_mode =
      request.mode().empty() ? mode(request.name(), request.kind()) : request.mode();
  replica_.change(
      [this, version = prepared->version, first_mode] { return plan_version(version, first_mode); },
      [this, reply, request, version = prepared->version, tries](Result<Revision> done) mutable {
        if (!done && done.error().type == kConflict && tries < kTries)
          return run_blocking_(
              [this, reply, request, tries] { attempt(request, reply, tries + 1); });
        if (!done) return reply.fail(std::move(done.error()));
        version.set_revision(*done);
        reply(std::move(version));
      });
}

Status Definitions::keep_contents(const v1::TypeDefine& request, const TypeModelPtr& model,
                                  v1::TypeVersion& version) {
  if (model) {
    const auto digest = HECTOR_TRY(blobs_.put(model->canonical()));
    version.set_canonical(digest);
  }
  for (const auto& each : request.descriptions()) {
    const auto digest = HECTOR_TRY(blobs_.put(each.content()));
    auto& text = *version.add_descriptions();
    text = each;
    text.clear_content();
    text.set_digest(digest);
  }
  return {};
}

Result<v1::TypeVersion> Definitions::checked_description(v1::TypeDefine& request) {
  auto version = HECTOR_TRY(models_.version(request.name()));
  request.set_kind(version.kind());
  HECTOR_TRY(check_request(request));
  const auto model =
      HECTOR_TRY(formal_model(version.name(), version.kind(), request.descriptions()));
  if (!model || version.canonical().empty() || model->identity() == version.canonical())
    return version;
  return refuse("INCONSISTENT",
                fmt::format("'{}' is not the same in {} and in the descriptions that are there",
                            version.name(), request.descriptions(0).language()),
                Code::kFailedPrecondition);
}

Result<StoreTransaction> Definitions::plan_descriptions(const v1::TypeVersion& latest,
                                                        const v1::TypeVersion& added) const {
  const Version* const known = catalogue_.find(latest.name(), latest.version());
  if (known == nullptr) return fail(no_type(latest.name()));
  v1::TypeVersion more = known->model;
  more.clear_revision();
  for (const auto& text : added.descriptions()) HECTOR_TRY(add_text(text, more));
  if (more.descriptions_size() == known->model.descriptions_size()) return StoreTransaction();
  if (more.descriptions_size() > static_cast<int>(kDescriptionsMax))
    return full(fmt::format("a type may have {} descriptions", kDescriptionsMax));
  return state::putting(version_key(latest.name(), latest.version()), more);
}

void Definitions::add_description(v1::TypeDefine request, Reply<v1::TypeVersion> reply) {
  auto latest = checked_description(request);
  if (!latest) return reply.fail(std::move(latest.error()));
  v1::TypeVersion added;
  if (auto kept = keep_contents(request, nullptr, added); !kept)
    return reply.fail(std::move(kept.error()));
  replica_.change(
      [this, latest = *latest, added] { return plan_descriptions(latest, added); },
      [this, reply, name = latest->name(), number = latest->version()](Result<Revision> done) {
        if (!done) return reply.fail(std::move(done.error()));
        reply(models_.version(name, number));
      });
}

}  // namespace hector::type_service
