#include "trust_state.h"

#include <algorithm>

#include "hector/check.h"
#include "hector/token.h"

namespace hector::authentication {

namespace {

constexpr std::string_view kCertificate = "certificate ";  // begins such a revocation's name

bool is_put(const StoreEvent& event) { return event.kind == StoreEvent::Kind::kPut; }

template <class Message>
bool read(const StoreEvent& event, Message& message) {
  const auto& value = event.entry.value;
  return is_put(event) && message.ParseFromArray(value.data(), static_cast<int>(value.size()));
}

template <class Message>
void keep(std::map<std::string, Message>& in, const std::string& name, const StoreEvent& event) {
  Message message;
  if (read(event, message))
    in[name] = std::move(message);
  else
    in.erase(name);
}

}  // namespace

void TrustState::clear() {
  bundles_.clear();
  keys_.clear();
  revoked_.clear();
  by_revision_.clear();
  entries_.clear();
  realms_.clear();
  used_.clear();
  by_end_.clear();
  floor_s_ = floor_modified_ = 0;
  is_trust_new_ = true;
}

void TrustState::apply(const StoreEvent& event) {
  const auto& key = event.entry.key;
  const auto slash = std::min(key.find('/'), key.size());
  const auto kind = key.substr(0, slash);
  const auto name = key.substr(std::min(slash + 1, key.size()));
  if (kind == "used") return apply_used(key, event);
  if (kind == "floor") return apply_floor(event);
  if (kind == "revoked") return apply_revoked(event);
  if (kind == "entry") return keep(entries_, name, event);
  if (kind == "realm") return keep(realms_, name, event);
  is_trust_new_ = true;
  if (kind == "bundle") keep(bundles_, name, event);
  if (kind == "key") keep(keys_, name, event);
}

/// One that was made is never erased, only lifted.
void TrustState::apply_revoked(const StoreEvent& event) {
  v1::Revocation read_one;
  if (!read(event, read_one)) return;
  const auto name = read_one.name();
  auto& revoked = revoked_[name];
  by_revision_.erase({revoked.modified, name});
  read_one.set_revision(event.entry.modified);
  revoked = {std::move(read_one), event.entry.modified};
  by_revision_.insert({revoked.modified, name});
  is_trust_new_ = is_trust_new_ || name.starts_with(kCertificate);
}

void TrustState::apply_used(const std::string& key, const StoreEvent& event) {
  if (const auto found = used_.find(key); found != used_.end()) {
    by_end_.erase({found->second, key});
    used_.erase(found);
  }
  v1::Used until;
  if (!read(event, until)) return;
  used_[key] = until.until_s();
  by_end_.insert({until.until_s(), key});
  HECTOR_CHECK(used_.size() == by_end_.size(), "an id of a token is known once only");
}

void TrustState::apply_floor(const StoreEvent& event) {
  v1::Used floor;
  if (!read(event, floor)) return;
  floor_s_ = floor.until_s();
  floor_modified_ = event.entry.modified;
}

void TrustState::applied(Revision) {
  if (is_trust_new_) rebuild();
  is_trust_new_ = false;
}

/// What does not parse was refused before it was stored; of another version's, nothing is trusted.
void TrustState::rebuild() {
  auto made = std::make_shared<identity::TrustBundles>();
  for (const auto& domain : domains()) {
    const auto whole = bundle(domain);
    for (const auto* text : {&whole.x509(), &whole.jwks()})
      if (!text->empty()) static_cast<void>(made->add(domain, *text));
  }
  std::map<std::string, std::vector<std::string>> certificates;
  for (const auto& [name, revoked] : revoked_) {
    if (!revoked.what.is_lifted() && name.starts_with(kCertificate))
      certificates[revoked.what.domain()].push_back(name.substr(kCertificate.size()));
  }
  for (const auto& [domain, all] : certificates) made->revoke(domain, all);
  trusted_ = std::move(made);
}

v1::Bundle TrustState::bundle(const std::string& domain) const {
  v1::Bundle whole;
  if (const auto found = bundles_.find(domain); found != bundles_.end()) whole = found->second;
  whole.set_domain(domain);
  std::vector<std::string> own;
  for (const auto& [id, key] : keys_)
    if (key.domain() == domain) own.push_back(key.web_key());
  if (!own.empty()) whole.set_jwks(identity::key_set_with(whole.jwks(), own));
  return whole;
}

std::set<std::string> TrustState::domains() const {
  std::set<std::string> all;
  for (const auto& [domain, bundle] : bundles_) all.insert(domain);
  for (const auto& [id, key] : keys_) all.insert(key.domain());
  return all;
}

const v1::Revocation* TrustState::revocation(const std::string& name) const {
  const auto found = revoked_.find(name);
  return found == revoked_.end() ? nullptr : &found->second.what;
}

bool TrustState::is_revoked(const std::string& name) const {
  const auto* const found = revocation(name);
  return found != nullptr && !found->is_lifted();
}

std::vector<v1::Revocation> TrustState::revocations_after(Revision revision) const {
  std::vector<v1::Revocation> all;
  for (auto each = by_revision_.lower_bound({revision + 1, ""}); each != by_revision_.end(); ++each)
    all.push_back(revoked_.at(each->second).what);
  return all;
}

const v1::Entry* TrustState::entry(const std::string& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> TrustState::ended(std::int64_t now_s, std::size_t most) const {
  std::vector<std::string> all;
  for (const auto& [until, key] : by_end_) {
    if (until >= now_s || all.size() >= most) break;
    all.push_back(key);
  }
  return all;
}

std::int64_t TrustState::used_until(const std::string& key) const {
  const auto found = used_.find(key);
  return found == used_.end() ? 0 : found->second;
}

}  // namespace hector::authentication
