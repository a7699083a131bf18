#include "world_object.h"

#include <fmt/format.h>

#include <algorithm>

namespace hector::zeromq {

void Audience::add(Call& given, Value asked, TimePoint now) {
  auto reader = std::make_shared<objects::FlowReader>(given.stream);
  reader->call = &given.defer();
  if (changed_) changed_(asked, true);
  {
    const std::lock_guard lock(mutex_);
    listeners_.push_back({reader, std::move(asked), now});
  }
  reader->call->on_cancel([this, reader] { end(reader, reader->call->why_cancelled()); });
}

void Audience::end(const std::shared_ptr<objects::FlowReader>& reader, const std::optional<Error>& why) {
  Value asked;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(listeners_.begin(), listeners_.end(), [&](const auto& each) { return each.reader == reader; });
    if (found == listeners_.end()) return;
    asked = std::move(found->asked);
    listeners_.erase(found);
  }
  if (changed_) changed_(asked, false);
  if (why) reader->call->fail(*why);
  else reader->call->complete();
}

void Audience::tell(const std::function<std::optional<Bytes>(const Listener&)>& what, TimePoint now) {
  std::vector<std::pair<std::shared_ptr<objects::FlowReader>, Bytes>> told;
  {
    const std::lock_guard lock(mutex_);
    for (auto& each : listeners_) {
      auto message = what(each);
      if (!message) continue;
      each.told = now;
      told.emplace_back(each.reader, std::move(*message));
    }
  }
  for (const auto& [reader, message] : told) {
    if (reader->push(message)) continue;
    end(reader, Error{Code::kResourceExhausted, fmt::format("{} messages wait for you to read them, the limit; ask again", objects::FlowReader::kWaitingMax), {}, {}, {}});
  }
}

void Audience::close(const Error& why) {
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(mutex_);
    listeners.swap(listeners_);
  }
  for (const auto& each : listeners) each.reader->call->fail(why);
}

bool Audience::is_empty() const {
  const std::lock_guard lock(mutex_);
  return listeners_.empty();
}

void WorldObject::invoke(Call& call) noexcept {
  auto fields = codec_->fields_of_request(*call.operation, call.request.bytes());
  if (!fields) return call.fail(std::move(fields.error()));
  handlers_.at(call.operation->name)(call, *fields);
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

}  // namespace hector::zeromq
