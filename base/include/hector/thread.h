// What: Thread, a thread with a name that is joined when its owner ends.
// Why: a thread that nobody joins outlives what it uses, and one without a name cannot be told from
// the others in a debugger or in top. tools/tidy.py lets no other threads be made.
// Who: base's own pools and loops; the kernel's private Objects; plugins whose library blocks.
#pragma once

#include <functional>
#include <thread>

namespace hector {

/// One at a time, but for is_here().
class Thread {
 public:
  Thread() = default;
  /// Runs `work` on a new thread called `name`, of which 15 octets count.
  Thread(const char* name, std::function<void()> work);
  /// Takes over the other's thread; its own one is joined before.
  Thread(Thread&& other) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }
  /// Blocks until the work is done. On the thread itself it cannot wait: the thread then goes on
  /// alone and ends with its work. Does nothing if there is no thread any more.
  void join();
  /// Whether the caller runs on this thread.
  [[nodiscard]] bool is_here() const noexcept {
    return thread_.get_id() == std::this_thread::get_id();
  }

 private:
  std::thread thread_;
};

}  // namespace hector
