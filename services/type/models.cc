// What: Models, versions of types as they are kept, with their compiled forms and descriptions.
// Why: every operation that compares types begins with a name and needs the compiled type; it is
// read and compiled once.
// Who: the operations of the Type service.
#include "models.h"

#include <fmt/format.h>

#include "hector/check.h"
#include "state/answer.h"

namespace hector::type_service {

using state::refuse;

Error no_type(const std::string& name) {
  return Error::not_found(fmt::format("NOT_FOUND: there is no type '{}'", name))
      .with_type("NOT_FOUND");
}

Result<v1::TypeVersion> Models::version(const std::string& name, std::uint64_t version,
                                        Revision at_revision) const {
  const auto lock = replica_.read();
  const Version* const found = catalogue_.find(name, version, at_revision);
  if (found == nullptr)
    return fail(no_type(version == 0 ? name : fmt::format("{}' version '{}", name, version)));
  HECTOR_CHECK(found->of != nullptr, "a version belongs to a name");
  v1::TypeVersion told = found->model;
  const auto& state = found->of->state;
  told.set_mode(state.mode());
  told.set_masked(state.masked());
  told.set_deprecated(state.deprecated());
  return told;
}

Result<v1::TypeVersion> Models::described(const v1::TypeQuestion& asked) const {
  auto found = HECTOR_TRY(version(asked.name(), asked.version(), asked.at_revision()));
  if (asked.languages_size() == 0) return found;
  for (const auto& language : asked.languages()) {
    bool is_any = false;
    for (auto& each : *found.mutable_descriptions()) {
      if (language != "*" && each.language() != language &&
          !each.language().starts_with(language + "-"))
        continue;
      const auto content = HECTOR_TRY(blobs_.get(each.digest()));
      each.set_content(*content);
      is_any = true;
    }
    if (is_any) return found;
  }
  std::string there;
  for (const auto& each : found.descriptions())
    there += (there.empty() ? "" : ", ") + each.language();
  return refuse("NO_DESCRIPTION", fmt::format("'{}' is described in {}", asked.name(), there),
                Code::kNotFound);
}

Result<TypeModelPtr> Models::of(const v1::TypeVersion& version) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = models_.find(version.id()); found != models_.end()) return found->second;
  }
  if (version.canonical().empty())
    return refuse(
        "NO_DESCRIPTION",
        fmt::format("'{}' ({}) has no formal description", version.name(), version.kind()),
        Code::kFailedPrecondition);
  const auto canonical = HECTOR_TRY(blobs_.get(version.canonical()));
  auto model = HECTOR_TRY(make_type_model(version.kind(), version.name(), *canonical));
  const std::lock_guard lock(mutex_);
  if (models_.size() >= kMax) models_.clear();
  return models_[version.id()] = model;
}

Result<TypeModelPtr> Models::named(const std::string& name) {
  const auto found = HECTOR_TRY(version(name));
  return of(found);
}

}  // namespace hector::type_service
