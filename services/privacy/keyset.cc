#include "keyset.h"

#include <fmt/format.h>

#include <algorithm>

namespace hector::privacy {

namespace {

tl::unexpected<Error> refuse_version(const char* name, const std::string& text) {
  return refuse(name, text, Code::kFailedPrecondition);
}

}  // namespace

Keyset::Keyset(std::string name, const KeyTemplate& form, RotateAfter rotate_after)
    : name_(std::move(name)), form_(form), rotate_after_(rotate_after) {}

Keyset::Keyset(const KeptKeyset& kept)
    : name_(kept.name),
      form_(*kept.form),
      rotate_after_(kept.rotate_after),
      primary_(kept.primary),
      min_decrypt_(kept.min_decrypt),
      min_encrypt_(kept.min_encrypt) {
  for (const auto& each : kept.versions) {
    static_cast<KeptVersion&>(versions_[each.number]) = each;
    numbers_.emplace(each.id, each.number);
  }
}

KeptKeyset Keyset::kept() const {
  KeptKeyset kept{name_, &form_, rotate_after_, primary_, min_decrypt_, min_encrypt_, {}};
  for (const auto& [number, version] : versions_) kept.versions.push_back(version);
  return kept;
}

KeyVersion& Keyset::add(KeyId id, Secret key, Moment now) {
  KeyVersion& version = add(id, now);
  give_key(version, std::move(key));
  return version;
}

void Keyset::give_key(KeyVersion& version, Secret key) const {
  if (form_.signs)
    version.signer = make_signer(form_.id, std::move(key));
  else
    version.cipher = make_cipher(form_.id, std::move(key));
}

KeyVersion& Keyset::add(KeyId id, Moment now) {
  const std::uint32_t number = versions_.empty() ? 1 : versions_.rbegin()->first + 1;
  KeyVersion& version = versions_[number];
  version.number = number;
  version.id = id;
  version.made_at = now;
  numbers_.emplace(id, number);
  primary_ = number;
  return version;
}

Result<KeyVersion*> Keyset::find(std::int64_t number) {
  const std::int64_t last = versions_.rbegin()->first;
  if (number < 1 || number > last)
    return refuse_argument(
        fmt::format("keyset '{}' has no version {}; it has 1 to {}", name_, number, last));
  return &versions_[static_cast<std::uint32_t>(number)];
}

Result<KeyVersion*> Keyset::find_usable(std::int64_t number) {
  KeyVersion* const version = HECTOR_TRY(find(number));
  if (version->state == VersionState::kDestroyed)
    return refuse_version(kKeyDestroyed,
                          fmt::format("version {} of keyset '{}' is destroyed", number, name_));
  return version;
}

Status Keyset::may_use(const KeyVersion& version, std::uint32_t least) const {
  const auto refused = [&](const char* name, const std::string& why) {
    return refuse_version(name,
                          fmt::format("version {} of keyset '{}' {}", version.number, name_, why));
  };
  switch (version.state) {
    case VersionState::kDestroyed:
      return refused(kKeyDestroyed, "is destroyed");
    case VersionState::kDisabled:
      return refused(kVersionDisallowed, "is disabled; enable it first");
    case VersionState::kWaiting:
      return refused(kVersionDisallowed, "waits for its destruction; enable takes that back");
    case VersionState::kEnabled:
      break;
  }
  if (version.number < least)
    return refused(kVersionDisallowed, fmt::format("is below the least allowed, {}", least));
  return {};
}

Status Keyset::set_primary(std::int64_t number) {
  KeyVersion* const version = HECTOR_TRY(find(number));
  HECTOR_TRY(may_use(*version, std::max(min_decrypt_, min_encrypt_)));
  primary_ = version->number;
  return {};
}

Result<std::int64_t> Keyset::least_from(std::int64_t number) {
  const KeyVersion* const version = HECTOR_TRY(find(number));
  if (version->number <= primary_) return version->number;
  return refuse_argument(
      fmt::format("{} is above the primary, {}; set the primary first", number, primary_));
}

Status Keyset::set_min_decrypt(std::int64_t number) {
  min_decrypt_ = HECTOR_TRY(least_from(number));
  return {};
}

Status Keyset::set_min_encrypt(std::int64_t number) {
  min_encrypt_ = HECTOR_TRY(least_from(number));
  return {};
}

Status Keyset::disable(std::int64_t number) {
  KeyVersion* const version = HECTOR_TRY(find_usable(number));
  if (version->state == VersionState::kEnabled) version->state = VersionState::kDisabled;
  return {};
}

Status Keyset::enable(std::int64_t number) {
  KeyVersion* const version = HECTOR_TRY(find_usable(number));
  version->state = VersionState::kEnabled;
  return {};
}

Status Keyset::destroy(const Destruction& asked, Moment now) {
  KeyVersion* const version = HECTOR_TRY(find(asked.number));
  if (asked.delay_s < kDestructionDelayMin.count() || asked.delay_s > kTimeMaxSeconds)
    return refuse_argument(fmt::format(
        "a key is destroyed after {} to {} seconds, not {}: so long it can be taken back",
        kDestructionDelayMin.count(), kTimeMaxSeconds, asked.delay_s));
  HECTOR_TRY(find_usable(asked.number));
  if (version->number == primary_ && !asked.is_forced)
    return refuse_version(
        kStillReferenced,
        fmt::format("version {} is the primary of keyset '{}'; rotate first, or force it",
                    version->number, name_));
  version->state = VersionState::kWaiting;
  version->destroyed_at = now + std::chrono::seconds(asked.delay_s);
  return {};
}

bool Keyset::is_rotation_due(Moment now) const {
  const KeyVersion& primary = versions_.at(primary_);
  const bool is_random_gcm = form_.id == TemplateId::kAes256Gcm;
  if (is_random_gcm && primary.messages >= kMessagesMax) return true;
  if (rotate_after_.messages != 0 && primary.messages >= rotate_after_.messages) return true;
  // A calendar that was set back makes no key old.
  const auto age =
      static_cast<std::uint64_t>(std::max((now - primary.made_at).count(), Moment::rep{0}));
  return rotate_after_.seconds != 0 && age >= rotate_after_.seconds;
}

Result<KeyVersion*> Keyset::with_key(KeyVersion& version) const {
  if (version.has_key()) return &version;
  return refuse(kKeyUnknown,
                fmt::format("the key of version {} of keyset '{}' cannot be unwrapped by this "
                            "capsule's key file",
                            version.number, name_),
                Code::kFailedPrecondition);
}

Result<KeyVersion*> Keyset::to_protect() {
  KeyVersion& primary = versions_.at(primary_);
  HECTOR_TRY(may_use(primary, min_encrypt_));
  return with_key(primary);
}

Result<KeyVersion*> Keyset::to_reveal(KeyId id) {
  if (const auto found = numbers_.find(id); found != numbers_.end())
    return to_reveal_version(found->second);
  return refuse(kKeyUnknown, fmt::format("keyset '{}' has no key of this id", name_),
                Code::kNotFound);
}

Result<KeyVersion*> Keyset::to_reveal_version(std::uint32_t number) {
  KeyVersion& version = versions_.at(number);
  HECTOR_TRY(may_use(version, min_decrypt_));
  return with_key(version);
}

void Keyset::destroy_due(Moment now) {
  for (auto& [number, version] : versions_) {
    if (version.state != VersionState::kWaiting || now < version.destroyed_at) continue;
    version.state = VersionState::kDestroyed;
    version.cipher.reset();
    version.signer.reset();
  }
}

}  // namespace hector::privacy
