// What: Rights, the policies, entities and schema that authorise() asks, fed by the store.
// Why: a right counts from the moment it is acknowledged, everywhere.
// Who: Policy.
#include "rights.h"

#include <utility>

#include "hector/plain_text.h"

namespace hector::policy {

namespace {

template <class Message>
std::optional<Message> message_of(const StoreEvent& event) {
  Message message;
  if (event.kind == StoreEvent::Kind::kErase ||
      !message.ParseFromArray(event.entry.value.data(), static_cast<int>(event.entry.value.size())))
    return std::nullopt;
  return message;
}

}  // namespace

void Rights::clear() {
  authorisation_.clear();
  sets_.clear();
  entities_.clear();
  schema_.reset();
  has_changed_ = true;
}

void Rights::applied(Revision revision) {
  if (std::exchange(has_changed_, false)) changed_at_ = revision;
}

void Rights::apply(const StoreEvent& event) {
  const std::string& key = event.entry.key;
  has_changed_ = true;
  if (key.starts_with("p/")) {
    apply_rules(key.substr(2), event);
  } else if (key.starts_with("n/")) {
    apply_entity(key.substr(2), event);
  } else if (key == "s") {
    schema_ = message_of<v1::PolicySchema>(event);
  }
}

void Rights::apply_rules(const std::string& name, const StoreEvent& event) {
  const auto rules = message_of<v1::PolicyRules>(event);
  if (!rules) {
    sets_.erase(name);
    return authorisation_.remove_rules(name);
  }
  const auto& text = sets_[name] = plain_text(rules->text());
  // What cannot be read denies, and each decision says so.
  static_cast<void>(authorisation_.put_rules(name, text));
}

void Rights::apply_entity(const std::string& key, const StoreEvent& event) {
  const auto entity = message_of<v1::PolicyEntity>(event);
  if (!entity) {
    entities_.erase(key);
    return authorisation_.remove_entity(key);
  }
  entities_.insert(key);
  static_cast<void>(authorisation_.put_entity(key, *entity));
}

}  // namespace hector::policy
