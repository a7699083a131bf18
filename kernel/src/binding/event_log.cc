#include "binding/event_log.h"

#include "hector/check.h"

namespace hector {

void EventLog::add(const std::string& kind, const std::string& text,
                   std::chrono::system_clock::time_point when) {
  HECTOR_CHECK(!kind.empty(), "an event has no kind");
  auto& event = events_.emplace_back();
  event.set_number(++count_);
  event.set_time_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count());
  event.set_kind(kind);
  event.set_text(text);
  if (events_.size() > kEventsMax) events_.pop_front();
  HECTOR_CHECK(events_.back().number() - events_.front().number() + 1 == events_.size(),
               "a number is missing among the events");
}

binding::v1::Events EventLog::after(std::uint64_t number) const {
  binding::v1::Events events;
  for (const auto& event : events_) {
    if (event.number() > number) *events.add_events() = event;
  }
  return events;
}

}  // namespace hector
