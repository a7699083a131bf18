#include "objects/audience.h"

#include <fmt/format.h>

#include <algorithm>

namespace hector::objects {

void Audience::add(Call& given, Value asked, TimePoint now) {
  const FlowReader reader(given);
  if (changed_) changed_(asked, true);
  {
    const std::lock_guard lock(mutex_);
    listeners_.push_back({reader, std::move(asked), now});
  }
  reader.on_cancel([this, reader] { end(reader, reader.why_cancelled()); });
}

void Audience::end(const FlowReader& reader, std::optional<Error> why) {
  Value asked;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                    [&](const auto& each) { return each.reader == reader; });
    if (found == listeners_.end()) return;
    asked = std::move(found->asked);
    listeners_.erase(found);
  }
  if (changed_) changed_(asked, false);
  reader.end(std::move(why));
}

void Audience::tell(const std::function<std::optional<Bytes>(const Listener&)>& what,
                    TimePoint now) {
  std::vector<std::pair<FlowReader, Bytes>> told;
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
    if (reader.push(message)) continue;
    end(reader, Error::resource_exhausted(
                    fmt::format("{} messages wait for you to read them, the limit; ask again",
                                FlowReader::kWaitingMax)));
  }
}

void Audience::close(const Error& why) {
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(mutex_);
    listeners.swap(listeners_);
  }
  for (const auto& each : listeners) each.reader.end(why);
}

bool Audience::is_empty() const {
  const std::lock_guard lock(mutex_);
  return listeners_.empty();
}

}  // namespace hector::objects
