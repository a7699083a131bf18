// What: the organiser: asks every calendar, finds the first common slot, holds it everywhere,
// reserves, confirms, writes, posts. Why: the meeting's role `organiser`: the one that starts
// everything. Who: `hector call organiser.schedule`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "diary/messages.pb.h"
#include "hector/cpp.h"

namespace {

using namespace diary;
namespace cpp = hector::cpp;
using Times = std::vector<Range>;

std::string utc(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

/// Both lists ascending and disjoint.
Times common(const Times& a, const Times& b) {
  Times both;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    Range range;
    range.set_start_s(std::max(a[i].start_s(), b[j].start_s()));
    range.set_end_s(std::min(a[i].end_s(), b[j].end_s()));
    if (range.start_s() < range.end_s()) both.push_back(range);
    if (a[i].end_s() < b[j].end_s())
      ++i;
    else
      ++j;
  }
  return both;
}

class Organiser {
 public:
  Organiser(cpp::Capsule capsule, const std::string&) : capsule_(capsule) {}

  void bound(cpp::Session session) { session_.emplace(std::move(session)); }
  void unbound(cpp::Session session) {
    if (session_ && session_->binding() == session.binding()) session_.reset();
  }

  hector::Result<Meeting> schedule(const Request& request, cpp::Call&) {
    if (!session_)
      return hector::fail(hector::Code::kFailedPrecondition,
                          "the organiser is in no Binding; instantiate diary.Meeting/1 first");
    if (request.duration_min() == 0 || request.window_end_s() <= request.window_start_s()) {
      return hector::fail(
          hector::Code::kInvalidArgument,
          "a request needs duration_min above 0 and a window that ends after it starts");
    }
    cpp::Session session = *session_;
    const auto attendees = session.members("attendee");
    auto slot = first_common_slot(session, request, attendees);
    if (!slot) return hector::fail(slot.error());
    if (auto held = hold(session, *slot, attendees); !held) return hector::fail(held.error());
    auto room = reserve(session, *slot, attendees.size());
    if (!room) {
      release(session, *slot);
      return hector::fail(room.error());
    }
    return confirm(session, *slot, attendees, *room);
  }

 private:
  hector::Result<Slot> first_common_slot(cpp::Session& session, const Request& request,
                                         const std::vector<cpp::Member>& attendees) {
    Range window;
    window.set_start_s(request.window_start_s());
    window.set_end_s(request.window_end_s());
    Times free{window};
    std::optional<hector::Error> failed;
    NoSlot none;
    for (std::uint32_t member = 0; member < attendees.size(); ++member) {
      auto answer = session.call<Slots>("ask", member, window);
      if (!answer) {
        if (!failed) failed = answer.error();
        continue;  // the order says: each is asked
      }
      free = common(free, {answer->free().begin(), answer->free().end()});
      if (free.empty() && none.busiest_size() == 0) none.add_busiest(attendees[member].object);
    }
    if (failed) return hector::fail(*failed);
    const std::int64_t length = static_cast<std::int64_t>(request.duration_min()) * 60;
    for (const auto& range : free) {
      if (range.end_s() - range.start_s() < length) continue;
      Slot slot;
      slot.set_start_s(range.start_s());
      slot.set_end_s(range.start_s() + length);
      slot.set_meeting(fmt::format("{:x}-{:x}", session.binding(), ++meetings_));
      slot.set_title(request.title().empty() ? "Meeting" : request.title());
      return slot;
    }
    none.set_reason(fmt::format("no {} minutes between {} and {} suit all {} attendees",
                                request.duration_min(), utc(window.start_s()), utc(window.end_s()),
                                attendees.size()));
    return hector::fail(cpp::declared_error(hector::Code::kNotFound, none.reason(), none));
  }

  hector::Status hold(cpp::Session& session, const Slot& slot,
                      const std::vector<cpp::Member>& attendees) {
    const auto holds = session.multicast<Hold>("propose", slot);
    if (holds.status) return {};
    hector::Error why = holds.status.error();
    for (std::size_t i = 0; i < holds.members.size(); ++i) {
      if (!holds.members[i] || *holds.members[i]) continue;
      why = holds.members[i]->error();
      why.message = fmt::format("{} refused {}: {}; the other holds are released",
                                i < attendees.size() ? attendees[i].object : "an attendee",
                                utc(slot.start_s()), why.message);
      break;
    }
    release(session, slot);
    return hector::fail(std::move(why));
  }

  static Hold hold_of(const Slot& slot) {
    Hold hold;
    hold.set_meeting(slot.meeting());
    hold.mutable_time()->set_start_s(slot.start_s());
    hold.mutable_time()->set_end_s(slot.end_s());
    return hold;
  }
  static void release(cpp::Session& session, const Slot& slot) {
    static_cast<void>(session.multicast<Nothing>("release", hold_of(slot)));
  }

  hector::Result<std::optional<RoomBooking>> reserve(cpp::Session& session, const Slot& slot,
                                                     std::size_t attendees) {
    if (session.members("room").empty()) return std::optional<RoomBooking>();
    RoomRequest request;
    *request.mutable_slot() = slot;
    request.set_attendees(static_cast<std::uint32_t>(attendees));
    auto booking = session.call<RoomBooking>("reserve", 0, request);
    if (!booking) return hector::fail(booking.error());
    return std::optional<RoomBooking>(std::move(*booking));
  }

  hector::Result<Meeting> confirm(cpp::Session& session, const Slot& slot,
                                  const std::vector<cpp::Member>& attendees,
                                  const std::optional<RoomBooking>& room) {
    const Hold hold = hold_of(slot);
    const auto told = session.multicast<Nothing>("confirm", hold);
    if (!told.status) capsule_.log("a confirmation did not arrive", told.status.error().text());
    Invitation invitation;
    invitation.set_meeting(slot.meeting());
    invitation.set_title(slot.title());
    *invitation.mutable_time() = hold.time();
    invitation.set_organiser(capsule_.object_name());
    for (const auto& attendee : attendees) invitation.add_attendees(attendee.object);
    if (room) invitation.set_location(room->room());
    auto written = session.call<Written>("write", 0, invitation);
    if (!written) return hector::fail(written.error());
    Item item;
    item.set_headline(fmt::format("{}: {}", slot.title(), utc(slot.start_s())));
    item.set_text(fmt::format("{} to {}{}", utc(slot.start_s()), utc(slot.end_s()),
                              room ? " in " + room->room() : ""));
    item.set_time_s(slot.start_s());
    if (auto posted = session.announce("post", 0, item); !posted)
      capsule_.log("the news was not posted", posted.error().text());
    Meeting meeting;
    meeting.set_meeting(slot.meeting());
    *meeting.mutable_time() = hold.time();
    for (const auto& attendee : attendees) meeting.add_attendees(attendee.object);
    if (room) *meeting.mutable_room() = *room;
    meeting.set_invitation_path(written->path());
    return meeting;
  }

  cpp::Capsule capsule_;
  std::optional<cpp::Session> session_;
  std::uint64_t meetings_ = 0;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Organiser>("diary.Organiser.cpp", "diary.Organiser/1",
                                         {cpp::operation<&Organiser::schedule>("schedule")},
                                         {.description = "Arranges meetings"});
}
