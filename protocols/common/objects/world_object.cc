#include "objects/world_object.h"

#include "hector/check.h"

namespace hector::objects {

void WorldObject::invoke(Call& call) noexcept {
  auto fields = codec_.fields_of_request(*call.operation, call.request.bytes());
  if (!fields) return call.fail(std::move(fields.error()));
  const auto found = handlers_.find(call.operation->name);
  HECTOR_CHECK(found != handlers_.end(), "an operation of this Object's Interface has no handler");
  found->second(call, *fields);
}

std::string text_in(const Value& map, std::string_view key) {
  const auto* const found = map.find(key);
  return found != nullptr && found->is(Value::Kind::kText) ? found->text : "";
}
std::vector<std::string> texts_in(const Value& map, std::string_view key) {
  std::vector<std::string> texts;
  if (const auto* const found = map.find(key)) {
    for (const auto& each : found->elements()) {
      if (each.is(Value::Kind::kText)) texts.push_back(each.text);
    }
  }
  return texts;
}

}  // namespace hector::objects
