#include "vault.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"

namespace hector::privacy {

namespace {

constexpr const char* kKeyFileKey = "kek";
constexpr std::string_view kKeysets = "ks/";
constexpr std::string_view kSubjects = "su/";
constexpr std::string_view kUses = "us/";
constexpr std::uint32_t kFormat = 1;

std::string keyset_key(const std::string& name) { return std::string(kKeysets) + name; }

/// What a wrapped key is bound to: it cannot be put in another's place.
std::string place_of(const std::string& keyset, std::string_view form, std::uint32_t number,
                     KeyId id) {
  return fmt::format("hector.privacy.key {} {} {} {}", form, number, id, keyset);
}

Result<KeptKeyset> read_kept(const v1::KeptKeyset& record) {
  KeptKeyset kept{record.name(),
                  find_template(record.template_()),
                  {record.rotate_after().messages(), record.rotate_after().seconds()},
                  record.primary(),
                  record.min_decrypt(),
                  record.min_encrypt(),
                  {}};
  if (record.format() != kFormat || kept.form == nullptr)
    return fail(Code::kDataLoss, "it was written by another version of this service");
  bool has_primary = false;
  for (const auto& each : record.versions()) {
    if (each.state() > static_cast<std::uint32_t>(VersionState::kDestroyed))
      return fail(Code::kDataLoss, "a version has a state that there is not");
    kept.versions.push_back({each.number(), each.key_id(), static_cast<VersionState>(each.state()),
                             Moment(each.made_at_s()), Moment(each.destroyed_at_s())});
    has_primary = has_primary || each.number() == kept.primary;
    // Numbers are 1, 2, 3 …: what asks for one goes by the last.
    if (each.number() != kept.versions.size())
      return fail(Code::kDataLoss, "its versions are not numbered one after the other");
  }
  if (has_primary) return kept;
  return fail(Code::kDataLoss, "it has no primary");
}

v1::KeptKeyset write_kept(const KeptKeyset& kept,
                          const std::map<std::uint32_t, std::string>& wrapped) {
  v1::KeptKeyset record;
  record.set_format(kFormat);
  record.set_name(kept.name);
  record.set_template_(std::string(kept.form->name));
  record.mutable_rotate_after()->set_messages(kept.rotate_after.messages);
  record.mutable_rotate_after()->set_seconds(kept.rotate_after.seconds);
  record.set_primary(kept.primary);
  record.set_min_decrypt(kept.min_decrypt);
  record.set_min_encrypt(kept.min_encrypt);
  for (const auto& version : kept.versions) {
    auto& made = *record.add_versions();
    made.set_number(version.number);
    made.set_key_id(version.id);
    made.set_state(static_cast<std::uint32_t>(version.state));
    made.set_made_at_s(version.made_at.count());
    made.set_destroyed_at_s(version.destroyed_at.count());
    const auto key = wrapped.find(version.number);
    if (version.state != VersionState::kDestroyed && key != wrapped.end())
      made.set_wrapped(key->second);
  }
  return record;
}

const char* state_name(VersionState state) {
  switch (state) {
    case VersionState::kEnabled:
      return "enabled";
    case VersionState::kDisabled:
      return "disabled";
    case VersionState::kWaiting:
      return "waiting";
    case VersionState::kDestroyed:
      break;
  }
  return "destroyed";
}

v1::Keyset told_of(const Keyset& keyset) {
  const KeptKeyset kept = keyset.kept();
  v1::Keyset told;
  told.set_name(kept.name);
  told.set_template_(std::string(kept.form->name));
  told.mutable_rotate_after()->set_messages(kept.rotate_after.messages);
  told.mutable_rotate_after()->set_seconds(kept.rotate_after.seconds);
  told.set_primary(kept.primary);
  told.set_min_decrypt(kept.min_decrypt);
  told.set_min_encrypt(kept.min_encrypt);
  for (const auto& version : kept.versions) {
    auto& each = *told.add_versions();
    each.set_version(version.number);
    each.set_key_id(version.id);
    each.set_state(state_name(version.state));
    each.set_made_at_s(version.made_at.count());
    if (version.state == VersionState::kWaiting)
      each.set_destroyed_at_s(version.destroyed_at.count());
  }
  return told;
}

template <class Message>
Bytes octets_of(const Message& message) {
  return Bytes::take(message.SerializeAsString());
}

/// Messages by keyset and version, of all principals.
std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> protects_of(const v1::Uses& uses) {
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> counts;
  for (const auto& use : uses.uses()) counts[{use.keyset(), use.version()}] += use.protects();
  return counts;
}

tl::unexpected<Error> too_large(const std::string& text) {
  return refuse(kTooLarge, text, Code::kResourceExhausted);
}

}  // namespace

// --- the state

void Vault::clear() {
  ring_.clear();
  kept_.clear();
  uses_.clear();
  key_file_id_.clear();
  is_loading_ = true;
}

void Vault::apply(const StoreEvent& event) {
  const std::string& key = event.entry.key;
  if (event.kind != StoreEvent::Kind::kPut) return;  // nothing here is ever erased
  if (key == kKeyFileKey) key_file_id_ = event.entry.value.str();
  if (key.starts_with(kKeysets)) put_keyset(event.entry);
  if (key.starts_with(kSubjects)) put_subject_key(event.entry);
  if (key.starts_with(kUses)) put_uses(key.substr(kUses.size()), event.entry);
}

void Vault::complain(const std::string& key, const std::string& why) const {
  options_.log->write(Level::kError, "what is stored cannot be used", {{"key", key}, {"why", why}});
}

void Vault::note_gone(KeyId id) {
  if (!options_.key_file->is_gone(id)) has_new_gone_ = true;
}

void Vault::put_keyset(const StoreEntry& entry) {
  v1::KeptKeyset record;
  if (!record.ParseFromString(entry.value.str()) || keyset_key(record.name()) != entry.key)
    return complain(entry.key, "it is no keyset");
  auto kept = read_kept(record);
  if (!kept) return complain(entry.key, kept.error().message);
  for (auto& version : kept->versions) {
    if (options_.key_file->is_gone(version.id)) version.state = VersionState::kDestroyed;
  }
  Keyset keyset(*kept);
  Kept now{{}, entry.modified};
  const auto before = kept_.find(kept->name);
  for (auto& [number, version] : keyset.versions()) {
    if (version.state == VersionState::kDestroyed) {
      note_gone(version.id);
      continue;
    }
    const std::string& wrapped = record.versions(static_cast<int>(number) - 1).wrapped();
    now.wrapped.emplace(number, wrapped);
    // The ring has it already: a new version of many costs one key.
    if (before != kept_.end() && before->second.wrapped[number] == wrapped) continue;
    auto key = options_.key_file->unwrap(
        wrapped, place_of(kept->name, kept->form->name, number, version.id));
    if (key && key->size() == kept->form->key_octets)
      keyset.give_key(version, std::move(*key));
    else
      complain(entry.key,
               fmt::format("the key of version {} was not wrapped by the key file's key", number));
  }
  ring_.put(std::move(keyset));
  kept_.insert_or_assign(kept->name, std::move(now));
}

void Vault::put_subject_key(const StoreEntry& entry) {
  v1::KeptSubjectKey record;
  if (!record.ParseFromString(entry.value.str()) || record.format() != kFormat)
    return complain(entry.key, "it is no key of a subject that this version knows");
  SubjectKey key{record.subject(), record.keyset(),  record.version(),
                 record.key_id(),  record.wrapped(), record.is_shredded()};
  if (options_.key_file->is_gone(key.id)) key.is_shredded = true;
  if (key.is_shredded) {
    key.wrapped.clear();
    note_gone(key.id);
  }
  ring_.put(std::move(key));
}

/// Messages that other capsules have protected count for a version's limit as well.
void Vault::put_uses(const std::string& capsule, const StoreEntry& entry) {
  v1::Uses read;
  if (!read.ParseFromString(entry.value.str())) return complain(entry.key, "it counts nothing");
  if (is_loading_ || capsule != options_.capsule) {
    const auto before = protects_of(uses_[capsule]);
    for (const auto& [version, count] : protects_of(read)) {
      const auto keyset = ring_.keyset(version.first);
      if (!keyset || !(*keyset)->versions().contains(version.second)) continue;
      const auto known = before.find(version);
      const std::uint64_t counted = known == before.end() ? 0 : known->second;
      if (count > counted) (*keyset)->versions().at(version.second).messages += count - counted;
    }
  }
  uses_[capsule] = std::move(read);
}

std::vector<KeyId> Vault::gone() const {
  std::vector<KeyId> ids;
  const auto note = [&](KeyId id) {
    if (!options_.key_file->is_gone(id)) ids.push_back(id);
  };
  for (const auto& [name, keyset] : ring_.keysets()) {
    for (const auto& [number, version] : keyset.versions()) {
      if (version.state == VersionState::kDestroyed) note(version.id);
    }
  }
  for (const auto& [id, key] : ring_.subject_keys()) {
    if (key.is_shredded) note(id);
  }
  return ids;
}

Result<v1::Keysets> Vault::describe(const std::string& name) const {
  v1::Keysets told;
  for (const auto& [each, keyset] : ring_.keysets()) {
    if (name.empty() || name == each) *told.add_keysets() = told_of(keyset);
  }
  if (told.keysets().empty() && !name.empty())
    return refuse(kKeyUnknown, fmt::format("there is no keyset '{}'", name), Code::kNotFound);
  return told;
}

// --- plans

/// Says whose key wraps what is stored, once.
Result<StoreTransaction> Vault::begin() const {
  StoreTransaction transaction;
  if (key_file_id_.empty()) {
    transaction.compares.push_back(StoreCompare::absent(kKeyFileKey));
    transaction.then.push_back(
        StoreOperation::put(kKeyFileKey, Bytes::copy(options_.key_file->id())));
  } else if (key_file_id_ != options_.key_file->id()) {
    return refuse(kOtherKeyFile,
                  fmt::format("this store's keys are wrapped by the key file {}, and this capsule "
                              "has {}: copy the key file of the capsule that made them",
                              key_file_id_, options_.key_file->id()),
                  Code::kFailedPrecondition);
  }
  return transaction;
}

Result<StoreTransaction> Vault::plan_put(
    const Keyset& keyset, StoreCompare compare,
    const std::map<std::uint32_t, std::string>& wrapped) const {
  auto transaction = HECTOR_TRY(begin());
  transaction.compares.push_back(std::move(compare));
  transaction.then.push_back(StoreOperation::put(keyset_key(keyset.name()),
                                                 octets_of(write_kept(keyset.kept(), wrapped))));
  return transaction;
}

Result<KeyId> Vault::next_id(const Keyset& keyset) const {
  if (ring_.size() >= kKeysMax)
    return too_large(fmt::format("there are {} keys already", kKeysMax));
  if (keyset.versions().size() >= kVersionsMax)
    return too_large(
        fmt::format("keyset '{}' has {} versions already", keyset.name(), kVersionsMax));
  for (;;) {
    const KeyId id = ring_.free_id();
    if (!options_.key_file->is_gone(id)) return id;
  }
}

Result<StoreTransaction> Vault::plan_version(Keyset keyset, Moment now, v1::Version& made,
                                             StoreCompare compare) {
  const KeyId id = HECTOR_TRY(next_id(keyset));
  const KeyVersion& version = keyset.add(id, now);
  const auto kept = kept_.find(keyset.name());  // plans are made by several threads at once
  auto wrapped = kept == kept_.end() ? decltype(Kept::wrapped)() : kept->second.wrapped;
  wrapped[version.number] =
      options_.key_file->wrap(Secret::random(keyset.form().key_octets),
                              place_of(keyset.name(), keyset.form().name, version.number, id));
  made.set_version(version.number);
  made.set_key_id(id);
  return plan_put(keyset, std::move(compare), wrapped);
}

Result<StoreTransaction> Vault::plan_create(const v1::NewKeyset& asked, Moment now,
                                            v1::Version& made) {
  const RotateAfter after{asked.rotate_after().messages(), asked.rotate_after().seconds()};
  const KeyTemplate* const form =
      HECTOR_TRY(ring_.check_new({asked.name(), asked.template_(), after}));
  return plan_version(Keyset(asked.name(), *form, after), now, made,
                      StoreCompare::absent(keyset_key(asked.name())));
}

Result<StoreTransaction> Vault::plan_rotate(const std::string& name, Moment now,
                                            v1::Version& made) {
  const Keyset* const keyset = HECTOR_TRY(ring_.keyset(name));
  return plan_version(Keyset(keyset->kept()), now, made,
                      StoreCompare::unchanged(keyset_key(name), kept_.at(name).modified));
}

Result<StoreTransaction> Vault::plan_due_rotation(const std::string& name, Moment now) {
  const Keyset* const keyset = HECTOR_TRY(ring_.keyset(name));
  if (!keyset->is_rotation_due(now)) return StoreTransaction{};
  v1::Version made;
  return plan_rotate(name, now, made);
}

Result<StoreTransaction> Vault::plan_change(const std::string& name, const Change& change) {
  const Keyset* const keyset = HECTOR_TRY(ring_.keyset(name));
  const Kept& kept = kept_.at(name);
  Keyset changed(keyset->kept());
  HECTOR_TRY(change(changed));
  return plan_put(changed, StoreCompare::unchanged(keyset_key(name), kept.modified), kept.wrapped);
}

Result<StoreTransaction> Vault::plan_subject_key(const Place& place, Moment now) {
  const Need need = HECTOR_TRY(ring_.need_of(place, now));
  if (need != Need::kSubjectKey) return StoreTransaction{};
  auto transaction = HECTOR_TRY(begin());
  SubjectKey key = HECTOR_TRY(ring_.make_subject_key(place.keyset, place.subject));
  while (options_.key_file->is_gone(key.id)) key.id = ring_.free_id();
  v1::KeptSubjectKey record;
  record.set_format(kFormat);
  record.set_key_id(key.id);
  record.set_subject(key.subject);
  record.set_keyset(key.keyset);
  record.set_version(key.version);
  record.set_wrapped(key.wrapped);
  const std::string store_key = std::string(kSubjects) + std::to_string(key.id);
  transaction.compares.push_back(StoreCompare::absent(store_key));
  transaction.then.push_back(StoreOperation::put(store_key, octets_of(record)));
  return transaction;
}

Result<StoreTransaction> Vault::plan_shred(const std::string& subject, std::uint32_t& keys) {
  if (subject.empty() || subject.size() > kNameOctetsMax)
    return refuse_argument(fmt::format("a subject has 1 to {} octets", kNameOctetsMax));
  StoreTransaction transaction;
  keys = 0;
  for (const auto& [id, key] : ring_.subject_keys()) {
    if (key.is_shredded || key.subject != subject || keys >= kShreddedAtOnce) continue;
    v1::KeptSubjectKey record;
    record.set_format(kFormat);
    record.set_key_id(id);
    record.set_keyset(key.keyset);
    record.set_version(key.version);
    record.set_is_shredded(true);
    transaction.then.push_back(
        StoreOperation::put(std::string(kSubjects) + std::to_string(id), octets_of(record)));
    ++keys;
  }
  return transaction;
}

Result<StoreTransaction> Vault::plan_destroy_due(Moment now) {
  for (const auto& [name, keyset] : ring_.keysets()) {
    const auto& versions = keyset.versions();
    const bool is_due = std::any_of(versions.begin(), versions.end(), [&](const auto& each) {
      return each.second.state == VersionState::kWaiting && now >= each.second.destroyed_at;
    });
    if (!is_due) continue;
    return plan_change(name, [now](Keyset& changed) {
      changed.destroy_due(now);
      return Status{};
    });
  }
  return StoreTransaction{};
}

StoreTransaction Vault::plan_uses(const v1::Uses& uses) const {
  StoreTransaction transaction;
  transaction.then.push_back(
      StoreOperation::put(std::string(kUses) + options_.capsule, octets_of(uses)));
  return transaction;
}

}  // namespace hector::privacy
