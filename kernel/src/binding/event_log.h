// What: EventLog, what has happened to one Binding, numbered, the latest thousand.
// Why: people and programs read what has changed since they last looked.
// Who: BindingController.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "hector/binding/v1/binding.pb.h"

namespace hector {

/// One thread at a time.
class EventLog {
 public:
  static constexpr std::size_t kEventsMax = 1'000;  ///< the oldest go

  /// The oldest goes where there are too many.
  void add(const std::string& kind, const std::string& text,
           std::chrono::system_clock::time_point when);
  /// Those with a higher number; of those that went, nothing is said.
  [[nodiscard]] binding::v1::Events after(std::uint64_t number) const;
  /// How many there ever were; the number of the latest.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::deque<binding::v1::Event> events_;
  std::uint64_t count_ = 0;
};

}  // namespace hector
