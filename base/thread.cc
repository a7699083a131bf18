#include "hector/thread.h"

#include <pthread.h>

#include <string>
#include <utility>

#include "hector/check.h"

namespace hector {

namespace {
constexpr std::size_t kNameMax = 15;  ///< Linux'
}

Thread::Thread(const char* name, std::function<void()> work)
    : thread_([name = std::string(name).substr(0, kNameMax), work = std::move(work)] {
        HECTOR_CHECK(work != nullptr, "a thread has nothing to do");
        pthread_setname_np(pthread_self(), name.c_str());
        work();
      }) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::join() {
  if (!thread_.joinable()) return;
  if (is_here())
    thread_.detach();
  else
    thread_.join();
}

}  // namespace hector
