#include "keyring.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector::privacy {

namespace {

constexpr std::size_t kTextOctetsMax = std::size_t{1} << 30;

std::string prefix_of(KeyId id) {
  std::string prefix("\x01", 1);
  for (int shift = 24; shift >= 0; shift -= 8) prefix += static_cast<char>(id >> shift & 0xffU);
  return prefix;
}

/// None: it has no prefix.
std::optional<KeyId> id_of(std::string_view ciphertext) {
  if (ciphertext.size() < kPrefixOctets || ciphertext[0] != 1) return std::nullopt;
  KeyId id = 0;
  for (std::size_t i = 1; i < kPrefixOctets; ++i)
    id = id << 8U | static_cast<unsigned char>(ciphertext[i]);
  return id;
}

Status check_name(std::string_view what, const std::string& name) {
  if (!name.empty() && name.size() <= kNameOctetsMax) return {};
  return refuse_argument(fmt::format("a {} has 1 to {} octets", what, kNameOctetsMax));
}

Status check_size(std::string_view text) {
  if (text.size() <= kTextOctetsMax) return {};
  return refuse_argument(fmt::format("a text has at most {} octets", kTextOctetsMax));
}

/// Binds a wrapped key to its subject: it cannot be put under another name.
std::string aad_of_subject(const std::string& subject) {
  return "hector.privacy.subject " + subject;
}

}  // namespace

Keyring::Keyring() = default;
Keyring::~Keyring() = default;

KeyId Keyring::free_id() const {
  for (;;) {
    const KeyId id = randombytes_random();
    if (id != 0 && !ids_.contains(id)) return id;
  }
}

KeyId Keyring::new_id() {
  const KeyId id = free_id();
  ids_.insert(id);
  return id;
}

Result<Keyset*> Keyring::keyset(const std::string& name) {
  const auto found = keysets_.find(name);
  if (found == keysets_.end())
    return refuse(kKeyUnknown, fmt::format("there is no keyset '{}'", name), Code::kNotFound);
  return &found->second;
}

Result<Keyset*> Keyring::keyset_for(const std::string& name, Work work) {
  Keyset* const found = HECTOR_TRY(keyset(name));
  if (found->form().signs == (work == Work::kSigns)) return found;
  return refuse_argument(
      fmt::format("keyset '{}' is of {}, which {}", name, found->form().name,
                  found->form().signs ? "signs and verifies" : "encrypts and decrypts"));
}

Result<VersionName> Keyring::add_version(Keyset& keyset, KnownKey known) {
  const auto& form = keyset.form();
  if (known.key && known.key->size() != form.key_octets)
    return refuse_argument(fmt::format("a key of {} has {} octets, not {}", form.name,
                                       form.key_octets, known.key->size()));
  if (ids_.size() >= kKeysMax)
    return refuse(kTooLarge, fmt::format("there are {} keys already", kKeysMax),
                  Code::kResourceExhausted);
  if (known.id && !ids_.insert(*known.id).second)
    return refuse(kExists, fmt::format("key id {} is another key's", *known.id),
                  Code::kAlreadyExists);
  const KeyId id = known.id ? *known.id : new_id();
  Secret key = known.key ? std::move(*known.key) : Secret::random(form.key_octets);
  const auto& version = keyset.add(id, std::move(key), now_);
  return VersionName{version.number, version.id};
}

Result<const KeyTemplate*> Keyring::check_form(const NewKeyset& asked) {
  HECTOR_TRY(check_name("keyset's name", asked.name));
  const KeyTemplate* const form = find_template(asked.form);
  if (form != nullptr) return form;
  std::string names;
  for (const auto& each : kTemplates) names += (names.empty() ? "" : ", ") + std::string(each.name);
  return refuse_argument(fmt::format("there is no template '{}'; there are {}", asked.form, names));
}

Status Keyring::check_free(const std::string& name) const {
  if (!keysets_.contains(name)) return {};
  return refuse(kExists, fmt::format("there is a keyset '{}' already", name), Code::kAlreadyExists);
}

Result<const KeyTemplate*> Keyring::check_new(const NewKeyset& asked) const {
  const KeyTemplate* const form = HECTOR_TRY(check_form(asked));
  HECTOR_TRY(check_free(asked.name));
  return form;
}

Result<VersionName> Keyring::create(const NewKeyset& asked, KnownKey known) {
  const KeyTemplate* const form = HECTOR_TRY(check_form(asked));
  if (known.key && known.key->size() != form->key_octets)
    return refuse_argument(fmt::format("a key of {} has {} octets, not {}", form->name,
                                       form->key_octets, known.key->size()));
  HECTOR_TRY(check_free(asked.name));
  Keyset made(asked.name, *form, asked.rotate_after);
  const auto version = HECTOR_TRY(add_version(made, std::move(known)));
  keysets_.emplace(asked.name, std::move(made));
  return version;
}

Result<VersionName> Keyring::rotate(const std::string& name, KnownKey known) {
  Keyset* const found = HECTOR_TRY(keyset(name));
  return add_version(*found, std::move(known));
}

Result<KeyVersion*> Keyring::next_version(Keyset& keyset) {
  HECTOR_TRY(keyset.to_protect());
  if (keyset.is_rotation_due(now_)) {
    const auto made = HECTOR_TRY(add_version(keyset, {}));
    static_cast<void>(made);
  }
  return keyset.to_protect();
}

SubjectKey* Keyring::find_subject_key(const std::string& keyset, std::uint32_t version,
                                      const std::string& subject) {
  const auto found = live_subject_keys_.find({subject, keyset, version});
  return found == live_subject_keys_.end() ? nullptr : &subject_keys_.at(found->second);
}

Result<SubjectKey> Keyring::make_subject_key(const std::string& name, const std::string& subject) {
  if (ids_.size() >= kKeysMax)
    return refuse(kTooLarge, fmt::format("there are {} keys already", kKeysMax),
                  Code::kResourceExhausted);
  Keyset* const keyset = HECTOR_TRY(keyset_for(name, Work::kEncrypts));
  const KeyVersion* const version = HECTOR_TRY(keyset->to_protect());
  SubjectKey made{subject, name, version->number, free_id(), {}};
  const auto secret = Secret::random(keyset->form().key_octets);
  made.wrapped = version->cipher->protect(secret.view(), aad_of_subject(subject));
  return made;
}

Status Keyring::add_subject_key(const Place& place) {
  auto made = HECTOR_TRY(make_subject_key(place.keyset, place.subject));
  put(std::move(made));
  return {};
}

void Keyring::put(SubjectKey key) {
  ids_.insert(key.id);
  if (subject_keys_.contains(key.id))
    std::erase_if(live_subject_keys_, [&](const auto& each) { return each.second == key.id; });
  if (!key.is_shredded) live_subject_keys_[{key.subject, key.keyset, key.version}] = key.id;
  subject_keys_.insert_or_assign(key.id, std::move(key));
}

void Keyring::put(Keyset keyset) {
  const auto before = keysets_.find(keyset.name());
  for (auto& [number, version] : keyset.versions()) {
    ids_.insert(version.id);
    if (before == keysets_.end()) continue;
    const auto same = before->second.versions().find(number);
    if (same == before->second.versions().end() || same->second.id != version.id) continue;
    version.messages = same->second.messages.load();
    if (version.state == VersionState::kDestroyed || version.has_key()) continue;
    version.cipher = std::move(same->second.cipher);
    version.signer = std::move(same->second.signer);
  }
  if (before != keysets_.end()) keysets_.erase(before);
  keysets_.emplace(keyset.name(), std::move(keyset));
}

void Keyring::clear() {
  keysets_.clear();
  subject_keys_.clear();
  live_subject_keys_.clear();
  ids_.clear();
}

Result<Need> Keyring::need_of(const Place& place, Moment now) {
  if (!place.subject.empty()) HECTOR_TRY(check_name("subject", place.subject));
  Keyset* const keyset = HECTOR_TRY(keyset_for(place.keyset, Work::kEncrypts));
  const KeyVersion* const version = HECTOR_TRY(keyset->to_protect());
  if (keyset->is_rotation_due(now)) return Need::kVersion;
  const bool has_key = place.subject.empty() ||
                       find_subject_key(place.keyset, version->number, place.subject) != nullptr;
  return has_key ? Need::kNothing : Need::kSubjectKey;
}

Result<Need> Keyring::need_of_signature(const std::string& name, Moment now) {
  Keyset* const keyset = HECTOR_TRY(keyset_for(name, Work::kSigns));
  HECTOR_TRY(keyset->to_protect());
  return keyset->is_rotation_due(now) ? Need::kVersion : Need::kNothing;
}

Result<std::unique_ptr<Cipher>> Keyring::cipher_of(const KeyVersion& version,
                                                   const KeyTemplate& form, const SubjectKey& key) {
  auto secret = version.cipher->reveal(key.wrapped, aad_of_subject(key.subject));
  if (!secret)
    return refuse(kKeyUnknown, "the key of this subject is not the one that was stored",
                  Code::kDataLoss);
  const WipedText wiped(*secret);
  return make_cipher(form.id, Secret::copy(*secret));
}

Result<Protected> Keyring::encrypt(const Place& place, std::string_view text) {
  HECTOR_TRY(check_size(text));
  if (!place.subject.empty()) HECTOR_TRY(check_name("subject", place.subject));
  Keyset* const keyset = HECTOR_TRY(keyset_for(place.keyset, Work::kEncrypts));
  const KeyVersion* const version = HECTOR_TRY(next_version(*keyset));
  if (!place.subject.empty() &&
      find_subject_key(place.keyset, version->number, place.subject) == nullptr)
    HECTOR_TRY(add_subject_key(place));
  return protect(place, text);
}

Result<Protected> Keyring::protect(const Place& place, std::string_view text) {
  HECTOR_TRY(check_size(text));
  Keyset* const keyset = HECTOR_TRY(keyset_for(place.keyset, Work::kEncrypts));
  KeyVersion* const version = HECTOR_TRY(keyset->to_protect());
  Protected made{{}, version->number};
  if (place.subject.empty()) {
    made.octets = prefix_of(version->id);
    version->cipher->protect(text, place.aad, made.octets);
  } else {
    const SubjectKey* const key = find_subject_key(place.keyset, version->number, place.subject);
    HECTOR_CHECK(key != nullptr, "a subject's key is made before it is used");
    const auto cipher = HECTOR_TRY(cipher_of(*version, keyset->form(), *key));
    made.octets = prefix_of(key->id);
    cipher->protect(text, place.aad, made.octets);
  }
  ++version->messages;
  return made;
}

Result<Keyring::Opened> Keyring::open_subject(Keyset& keyset, SubjectKey& key, const Place& place,
                                              std::string_view body) {
  if (!place.subject.empty() && place.subject != key.subject) return refuse_auth();
  if (key.is_shredded)
    return refuse(kKeyDestroyed, "the key of this subject was shredded", Code::kFailedPrecondition);
  const KeyVersion* const version = HECTOR_TRY(keyset.to_reveal_version(key.version));
  const auto cipher = HECTOR_TRY(cipher_of(*version, keyset.form(), key));
  auto text = cipher->reveal(body, place.aad);
  if (!text) return refuse_auth();
  return Opened{std::move(*text), version->number, key.subject};
}

Result<Keyring::Opened> Keyring::open(const Place& place, std::string_view ciphertext) {
  Keyset* const keyset = HECTOR_TRY(keyset_for(place.keyset, Work::kEncrypts));
  const auto id = id_of(ciphertext);
  if (!id) return refuse_auth();
  const std::string_view body = ciphertext.substr(kPrefixOctets);
  const auto subject = subject_keys_.find(*id);
  if (subject != subject_keys_.end() && subject->second.keyset == keyset->name())
    return open_subject(*keyset, subject->second, place, body);
  const KeyVersion* const version = HECTOR_TRY(keyset->to_reveal(*id));
  if (!place.subject.empty()) return refuse_auth();  // it is of no subject
  auto text = version->cipher->reveal(body, place.aad);
  if (!text) return refuse_auth();
  return Opened{std::move(*text), version->number, {}};
}

Result<Protected> Keyring::decrypt(const Place& place, std::string_view ciphertext) {
  Opened opened = HECTOR_TRY(open(place, ciphertext));
  return Protected{std::move(opened.text), opened.version};
}

Result<Protected> Keyring::rewrap(const Place& place, std::string_view ciphertext) {
  Opened opened = HECTOR_TRY(open(place, ciphertext));
  const WipedText wiped(opened.text);
  return encrypt({place.keyset, place.aad, opened.subject}, opened.text);
}

Result<Secret> Keyring::new_data_key(std::int64_t bits) {
  if (bits == 128 || bits == 256 || bits == 512)
    return Secret::random(static_cast<std::size_t>(bits / 8));
  return refuse_argument(fmt::format("a data key has 128, 256 or 512 bits, not {}", bits));
}

Result<DataKey> Keyring::make_data_key(const std::string& keyset, std::int64_t bits) {
  auto key = HECTOR_TRY(new_data_key(bits));
  Protected wrapped = HECTOR_TRY(encrypt({keyset, {}}, key.view()));
  return DataKey{std::move(wrapped.octets), std::move(key)};
}

Result<std::string> Keyring::sign(const std::string& name, std::string_view data) {
  Keyset* const keyset = HECTOR_TRY(keyset_for(name, Work::kSigns));
  const KeyVersion* const version = HECTOR_TRY(next_version(*keyset));
  static_cast<void>(version);
  Protected made = HECTOR_TRY(sign_only(name, data));
  return std::move(made.octets);
}

Result<Protected> Keyring::sign_only(const std::string& name, std::string_view data) {
  Keyset* const keyset = HECTOR_TRY(keyset_for(name, Work::kSigns));
  KeyVersion* const version = HECTOR_TRY(keyset->to_protect());
  ++version->messages;
  return Protected{prefix_of(version->id) + version->signer->sign(data), version->number};
}

Result<std::uint32_t> Keyring::verify(const std::string& name, std::string_view data,
                                      std::string_view signature) {
  Keyset* const keyset = HECTOR_TRY(keyset_for(name, Work::kSigns));
  const auto id = id_of(signature);
  if (!id) return refuse_auth();
  const KeyVersion* const version = HECTOR_TRY(keyset->to_reveal(*id));
  if (!version->signer->verify(data, signature.substr(kPrefixOctets))) return refuse_auth();
  return version->number;
}

void Keyring::shred(const std::string& subject) {
  const auto first = live_subject_keys_.lower_bound({subject, {}, 0});
  auto last = first;
  for (; last != live_subject_keys_.end() && std::get<0>(last->first) == subject; ++last) {
    SubjectKey& key = subject_keys_.at(last->second);
    key.is_shredded = true;  // its id stays known, so that what was of it is known to be gone
    sodium_memzero(key.wrapped.data(), key.wrapped.size());
    key.wrapped.clear();
  }
  live_subject_keys_.erase(first, last);
}

void Keyring::set_now(Moment now) {
  now_ = now;
  for (auto& [name, keyset] : keysets_) keyset.destroy_due(now_);
}

}  // namespace hector::privacy
