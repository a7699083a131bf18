// What: a counter whose count goes to its successor.
// Why: whether a call was lost or done twice while the role was bound to another party shows in the
// count. Who: the tests of changes.
#include <chrono>
#include <thread>

#include "hector/cpp.h"
#include "load/messages.pb.h"

namespace {

namespace cpp = hector::cpp;

class Counter {
 public:
  Counter(cpp::Capsule capsule, const std::string&) : name_(capsule.object_name()) {}

  hector::Result<load::Stepped> step(const load::Step&, cpp::Call&) {
    ++count_;
    return stepped();
  }
  hector::Result<load::Stepped> look(const load::Nothing&, cpp::Call&) { return stepped(); }
  hector::Status tell(const load::Reading& reading, cpp::Call&) {
    seen_.add_numbers(reading.number());
    return {};
  }
  hector::Result<load::Seen> seen(const load::Nothing&, cpp::Call&) { return seen_; }

  std::string save() const { return std::to_string(count_); }
  hector::Status restore(const std::string& state) {
    count_ = std::stoull(state);
    return {};
  }

 private:
  load::Stepped stepped() const {
    load::Stepped stepped;
    stepped.set_count(count_);
    stepped.set_by(name_);
    return stepped;
  }
  const std::string name_;
  std::uint64_t count_ = 0;
  load::Seen seen_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Counter>(
      "load.Counter", "load.Counter/1",
      {cpp::operation<&Counter::step>("step"), cpp::operation<&Counter::look>("look"),
       cpp::operation<&Counter::tell>("tell"), cpp::operation<&Counter::seen>("seen")},
      {.description = "Counts, and hands its count over"});
}
