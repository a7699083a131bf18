#include "base/parker.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "hector/check.h"

namespace hector {

[[gnu::tls_model("initial-exec")]] constinit thread_local Parker parker_of_this_thread;
[[gnu::tls_model("initial-exec")]] constinit thread_local bool this_thread_may_block = true;

void Parker::park(std::uint32_t ticket, TimePoint until, const Clock* clock) noexcept {
  HECTOR_CHECK(until == kNever || clock != nullptr, "a deadline without a clock");
  HECTOR_CHECK(!sleeps_.load(std::memory_order_relaxed), "two threads park on one Parker");
  sleeps_.store(true, std::memory_order_seq_cst);
  if (word_.load(std::memory_order_seq_cst) == ticket) {
    timespec left{};
    if (until != kNever) {
      const auto wait = std::max<Duration>(until - clock->now(), Duration::zero()).count();
      left = {wait / 1'000'000'000, wait % 1'000'000'000};
    }
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, ticket, until == kNever ? nullptr : &left,
            nullptr, 0);
  }
  sleeps_.store(false, std::memory_order_relaxed);
}

void Parker::wake() noexcept {
  word_.fetch_add(1, std::memory_order_seq_cst);
  if (sleeps_.load(std::memory_order_seq_cst))
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace hector
