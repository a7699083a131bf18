// What: the machine's clock and its source of randomness.
// Why: everything else takes a Clock and a Random, so that a test can simulate both.
// Who: make_system_clock() and make_system_random(), called by composition roots.
#include "hector/clock.h"

#include <sys/random.h>

#include "hector/system.h"

namespace hector {

namespace {

class SystemClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point wall() const noexcept override {
    return std::chrono::system_clock::now();
  }
};

class SystemRandom final : public Random {
 public:
  std::uint64_t next() noexcept override {
    std::uint64_t value = 0;
    while (getrandom(&value, sizeof value, 0) != sizeof value) {
    }
    return value;
  }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() { return std::make_unique<SystemClock>(); }
std::unique_ptr<Random> make_system_random() { return std::make_unique<SystemRandom>(); }

}  // namespace hector
