// What: one person's diary in C++: an iCalendar file, and the holds of this session.
// Why: the meeting's role `attendee`; calendar_py.py is the same in Python.
// Who: `hector create object diary.Calendar.cpp --name ana --arguments '{"file": "ana.ics"}'`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "arguments.h"
#include "busy_times.h"
#include "diary/messages.pb.h"
#include "hector/cpp.h"

namespace {

using namespace diary;
namespace cpp = hector::cpp;

class Calendar {
 public:
  Calendar(cpp::Capsule capsule, const std::string& json) : who_(capsule.object_name()) {
    const std::string file = Arguments(json).text("file", "");
    if (file.empty())
      throw std::invalid_argument("a calendar needs the argument file, an .ics file");
    file_ = std::make_unique<CalendarFile>(file);
  }

  hector::Result<Slots> free_slots(const Range& window, cpp::Call&) {
    Slots slots;
    slots.set_who(who_);
    std::int64_t at = window.start_s();
    const auto gap = [&](std::int64_t until) {
      if (until <= at) return;
      auto* free = slots.add_free();
      free->set_start_s(at);
      free->set_end_s(until);
    };
    const auto all = HECTOR_TRY(busy_between(window.start_s(), window.end_s()));
    for (const auto& busy : all) {
      gap(std::min(busy.start_s, window.end_s()));
      at = std::max(at, busy.end_s);
    }
    gap(window.end_s());
    return slots;
  }

  hector::Result<Hold> hold(const Slot& slot, cpp::Call&) {
    const auto busy = HECTOR_TRY(busy_between(slot.start_s(), slot.end_s()));
    if (!busy.empty()) {
      Busy why;
      why.set_who(who_);
      why.set_reason(busy.front().summary);
      return hector::fail(cpp::declared_error(
          hector::Code::kFailedPrecondition, who_ + " is busy then: " + busy.front().summary, why));
    }
    held_[slot.meeting()] = {slot.start_s(), slot.end_s(), slot.title()};
    tell(slot.meeting(), "held");
    Hold hold;
    hold.set_meeting(slot.meeting());
    hold.mutable_time()->set_start_s(slot.start_s());
    hold.mutable_time()->set_end_s(slot.end_s());
    hold.set_who(who_);
    return hold;
  }

  hector::Status confirm(const Hold& hold, cpp::Call&) {
    tell(hold.meeting(), "confirmed");
    return {};
  }

  hector::Status release(const Hold& hold, cpp::Call&) {
    tell(hold.meeting(), "released");
    held_.erase(hold.meeting());
    return {};
  }

  /// What has happened so far to meetings in the window.
  hector::Status changes(const Range& window, cpp::Writer<Change>& out, cpp::Call&) {
    for (const auto& change : changes_) {
      if (change.time().end_s() <= window.start_s() || change.time().start_s() >= window.end_s())
        continue;
      if (!out.write(change)) break;
    }
    return {};
  }

 private:
  hector::Result<std::vector<BusyTime>> busy_between(std::int64_t start, std::int64_t end) const {
    std::vector<BusyTime> busy;
    try {
      busy = file_->busy(start, end);
    } catch (const TooCostly& why) {
      return hector::fail(hector::Code::kResourceExhausted, why.what());
    }
    for (const auto& [meeting, held] : held_) {
      if (held.start_s < end && start < held.end_s) busy.push_back(held);
    }
    std::sort(busy.begin(), busy.end(),
              [](const BusyTime& a, const BusyTime& b) { return a.start_s < b.start_s; });
    return busy;
  }
  void tell(const std::string& meeting, const std::string& what) {
    const auto found = held_.find(meeting);
    if (found == held_.end()) return;
    Change change;
    change.set_meeting(meeting);
    change.set_what(what);
    change.mutable_time()->set_start_s(found->second.start_s);
    change.mutable_time()->set_end_s(found->second.end_s);
    changes_.push_back(std::move(change));
  }

  std::string who_;
  std::unique_ptr<CalendarFile> file_;
  std::map<std::string, BusyTime> held_;
  std::vector<Change> changes_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Calendar>(
      "diary.Calendar.cpp", "diary.Calendar/1",
      {cpp::operation<&Calendar::free_slots>("free_slots"), cpp::operation<&Calendar::hold>("hold"),
       cpp::operation<&Calendar::confirm>("confirm"), cpp::operation<&Calendar::release>("release"),
       cpp::operation<&Calendar::changes>("changes")},
      {.description = "A diary; argument: file, in iCalendar"});
}
