// What: a room that can be reserved, once for each time.
// Why: the meeting's role `room`, found through the Trader by its capacity and cost.
// Who: `hector create object diary.Room.cpp --name … --arguments '{"capacity": 8, "cost": 12.5}'`.
#include <vector>

#include "arguments.h"
#include "diary/messages.pb.h"
#include "hector/cpp.h"

namespace {

using namespace diary;
namespace cpp = hector::cpp;

class Room {
 public:
  Room(cpp::Capsule capsule, const std::string& json) : name_(capsule.object_name()) {
    const Arguments arguments(json);
    capacity_ = static_cast<std::uint32_t>(arguments.number("capacity", 0));
    cost_ = arguments.number("cost", 0);
    if (capacity_ == 0)
      throw std::invalid_argument("a room needs the argument capacity, a number above 0");
  }

  hector::Result<RoomBooking> reserve(const RoomRequest& request, cpp::Call&) {
    const auto refuse = [&](const std::string& why) {
      Busy busy;
      busy.set_who(name_);
      busy.set_reason(why);
      return hector::fail(
          cpp::declared_error(hector::Code::kFailedPrecondition, name_ + ": " + why, busy));
    };
    if (request.attendees() > capacity_)
      return refuse("it holds " + std::to_string(capacity_) + ", not " +
                    std::to_string(request.attendees()));
    for (const auto& taken : taken_) {
      if (request.slot().start_s() < taken.end_s() && taken.start_s() < request.slot().end_s())
        return refuse("it is taken then");
    }
    taken_.push_back(request.slot());
    RoomBooking booking;
    booking.set_room(name_);
    booking.set_cost(cost_);
    booking.set_capacity(capacity_);
    return booking;
  }

 private:
  std::string name_;
  std::uint32_t capacity_ = 0;
  double cost_ = 0;
  std::vector<Slot> taken_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Room>(
      "diary.Room.cpp", "diary.Room/1", {cpp::operation<&Room::reserve>("reserve")},
      {.description = "A room; arguments: capacity, cost", .pooled = true});
}
