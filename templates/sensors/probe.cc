// What: a probe: measures as often as it is told to, and sends each reading to all displays.
// Why: the watch's role `probe`. It has no hardware here: its temperature is a sine of the
// reading's number. Who: `hector call probe.measure '{"readings": 100, "every_ms": 10}'`.
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>
#include <thread>

#include "hector/cpp.h"
#include "sensors/messages.pb.h"

namespace {

using namespace sensors;
namespace cpp = hector::cpp;

constexpr int kRecordMax = 10'000;  ///< samples; the oldest go

/// Entered by several threads: displays ask for the record while it measures.
class Probe {
 public:
  Probe(cpp::Capsule, const std::string&) {}
  void bound(cpp::Session session) {
    const std::lock_guard lock(mutex_);
    session_.emplace(std::move(session));
  }
  void unbound(cpp::Session) {
    const std::lock_guard lock(mutex_);
    session_.reset();
  }

  hector::Result<Sent> measure(const Plan& plan, cpp::Call& call) {
    auto due = std::chrono::steady_clock::now();
    Sent sent;
    for (std::uint32_t i = 0; i < plan.readings() && !call.is_cancelled();
         ++i, due += std::chrono::milliseconds(plan.every_ms())) {
      std::this_thread::sleep_until(due);
      std::optional<cpp::Session> session;
      const Reading reading = next(session);
      if (!session)
        return hector::fail(hector::Code::kFailedPrecondition,
                            "the probe is in no Binding; instantiate sensors.Watch/1 first");
      const auto told = session->multicast<Nothing>("reading", reading);
      if (!told.status) return hector::fail(told.status.error());
      sent.set_readings(sent.readings() + 1);
    }
    return sent;
  }

  hector::Result<Readings> record(const Since& since, cpp::Call&) {
    const std::lock_guard lock(mutex_);
    Readings readings;
    for (const auto& reading : record_.readings()) {
      if (reading.number() > since.number()) *readings.add_readings() = reading;
    }
    return readings;
  }

 private:
  Reading next(std::optional<cpp::Session>& session) {
    const std::lock_guard lock(mutex_);
    session = session_;
    Reading reading;
    reading.set_number(++number_);
    reading.set_time_ms(std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count());
    reading.set_celsius(20 + 5 * std::sin(static_cast<double>(number_) / 10));
    if (record_.readings_size() >= kRecordMax)
      record_.mutable_readings()->DeleteSubrange(0, kRecordMax / 2);
    *record_.add_readings() = reading;
    return reading;
  }

  std::mutex mutex_;
  std::optional<cpp::Session> session_;
  std::uint64_t number_ = 0;
  Readings record_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Probe>(
      "sensors.Probe.cpp", "sensors.Probe/1",
      {cpp::operation<&Probe::measure>("measure"), cpp::operation<&Probe::record>("record")},
      {.description = "Measures", .parallel = true});
}
