// What: a driver that calls at a steady rate and writes down what it got, and when.
// Why: the figures of a change under load: the longest gap, failed calls, lost or doubled ones.
// Who: the tests of changes.
#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "hector/cpp.h"
#include "load/messages.pb.h"

namespace {

namespace cpp = hector::cpp;
using Clock = std::chrono::steady_clock;

class Driver {
 public:
  Driver(cpp::Capsule, const std::string& arguments)
      : looks_(arguments.find("\"look\"") != std::string::npos),
        steps_each_(arguments.find("\"each\"") != std::string::npos),
        tells_(arguments.find("\"tell\"") != std::string::npos) {}
  void bound(cpp::Session session) { session_.emplace(std::move(session)); }
  void unbound(cpp::Session) { session_.reset(); }

  hector::Result<load::Report> run(const load::Order& order, cpp::Call&) {
    if (!session_)
      return hector::fail(hector::Code::kFailedPrecondition, "the driver is in no Binding");
    cpp::Session session = *session_;
    load::Report report;
    const auto begin = Clock::now(), end = begin + std::chrono::milliseconds(order.milliseconds());
    const auto every =
        std::chrono::nanoseconds(1'000'000'000 / std::max(order.calls_per_second(), 1U));
    auto due = begin, last = begin;
    for (std::uint64_t number = 1; due < end; ++number, due += every) {
      while (Clock::now() < due) {
        if (due - Clock::now() > std::chrono::milliseconds(2))
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      const auto start = Clock::now();
      one(session, number, report);
      const auto now = Clock::now();
      report.set_longest_us(std::max<std::uint64_t>(
          report.longest_us(),
          std::chrono::duration_cast<std::chrono::microseconds>(now - start).count()));
      report.set_gap_us(std::max<std::uint64_t>(
          report.gap_us(),
          std::chrono::duration_cast<std::chrono::microseconds>(now - last).count()));
      last = now;
    }
    return report;
  }

 private:
  void one(cpp::Session& session, std::uint64_t number, load::Report& report) {
    if (steps_each_) {
      for (const auto& member : session.members("counter"))
        step(session, member.number, number, report);
    }
    if (tells_) {
      load::Reading reading;
      reading.set_number(number);
      report.set_calls(report.calls() + 1);
      const auto told = session.multicast<load::Nothing>("tell", reading);
      if (!told.status) note(report, told.status.error());
    }
    if (!steps_each_ && !tells_) step(session, 0, number, report);
  }
  void step(cpp::Session& session, std::uint32_t member, std::uint64_t number,
            load::Report& report) {
    load::Step step;
    step.set_number(number);
    report.set_calls(report.calls() + 1);
    const auto answer = looks_ ? session.call<load::Stepped>("look", member, load::Nothing())
                               : session.call<load::Stepped>("step", member, step);
    if (!answer) return note(report, answer.error());
    if (!looks_ && !steps_each_ && answer->count() != last_ + 1)
      report.set_wrong(report.wrong() + 1);
    last_ = answer->count();
    if (report.by().empty() || report.by(report.by_size() - 1) != answer->by())
      report.add_by(answer->by());
  }
  static void note(load::Report& report, const hector::Error& error) {
    report.set_failed(report.failed() + 1);
    if (report.errors_size() < 5) report.add_errors(error.text());
  }

  std::optional<cpp::Session> session_;
  const bool looks_, steps_each_, tells_;
  std::uint64_t last_ = 0;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Driver>("load.Driver", "load.Driver/1",
                                      {cpp::operation<&Driver::run>("run")},
                                      {.description = "Calls a counter at a steady rate"});
}
