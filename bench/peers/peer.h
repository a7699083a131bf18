// What: how a peer program times one call, and says it.
// Why: every peer measures alike: warm, one call at a time, the median in microseconds on one line.
// Who: the peers of bench; each is started as `NAME serve` and `NAME call ADDRESS COUNT`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace peer {

inline constexpr int kWarm = 300;
inline constexpr int kOctets = 64;

/// Prints the p50 of `count` calls in microseconds.
template <class Call>
void print_p50(int count, const Call& call) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int i = 0; i < count + kWarm; ++i) {
    const auto begin = Clock::now();
    call();
    if (i >= kWarm)
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  std::printf("%.3f\n", times[times.size() / 2]);
}

inline void say(const char* address) {
  std::printf("%s\n", address);
  std::fflush(stdout);
}

}  // namespace peer
