#include "rights.h"

#include "hector/plain_text.h"

namespace hector::policy {

void Rights::clear() {
  sets_.clear();
  all_.clear();
  entities_.clear();
  schema_.reset();
}

void Rights::apply(const StoreEvent& event) {
  const std::string& key = event.entry.key;
  const bool is_gone = event.kind == StoreEvent::Kind::kErase;
  const auto read = [&](auto& message) {
    return !is_gone && message.ParseFromArray(event.entry.value.data(),
                                              static_cast<int>(event.entry.value.size()));
  };
  if (key.starts_with("p/")) {
    sets_.erase(key.substr(2));
    v1::PolicyRules rules;
    if (read(rules)) {
      if (auto set = RuleSet::read(rules.name(), plain_text(rules.text())))
        sets_[rules.name()] = *set;
    }
    all_.clear();
    for (const auto& [name, set] : sets_) all_.push_back(set);
  } else if (key.starts_with("n/")) {
    v1::PolicyEntity model;
    auto id = read_entity_id(key.substr(2));
    if (!id) return;
    entities_.erase(*id);
    if (!read(model)) return;
    Entity entity;
    if (auto attributes = read_record(model.attributes()))
      entity.attributes = std::move(*attributes);
    for (const auto& each : model.parents()) {
      if (auto parent = read_entity_id(each)) entity.parents.insert(*parent);
    }
    entities_[*id] = std::move(entity);
  } else if (key == "s") {
    v1::PolicySchema schema;
    schema_.reset();
    if (read(schema)) schema_ = std::move(schema);
  }
}

}  // namespace hector::policy
