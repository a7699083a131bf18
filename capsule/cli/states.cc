#include "cli/states.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace hector {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// A process that asks one capsule and writes the answer into a pipe.
class Asking {
 public:
  Asking(const std::string& name, const std::function<std::string(const std::string&)>& ask) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      const std::string answer = ask(name);
      static_cast<void>(write(ends[1], answer.data(), answer.size()));
      _exit(0);
    }
    close(ends[1]);
    read_ = ends[0];
  }
  ~Asking() {
    if (read_ >= 0) close(read_);
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Asking(Asking&& other) noexcept
      : child_(std::exchange(other.child_, -1)), read_(std::exchange(other.read_, -1)) {}
  Asking& operator=(Asking&&) = delete;
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  [[nodiscard]] std::string answer(SteadyClock::time_point until) const {
    pollfd waited{read_, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::max(until - SteadyClock::now(), SteadyClock::duration::zero()));
    std::array<char, 64> text{};
    if (read_ < 0 || poll(&waited, 1, static_cast<int>(left.count())) <= 0) return "silent";
    const auto size = read(read_, text.data(), text.size());
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "silent";
  }

 private:
  pid_t child_ = -1;
  int read_ = -1;
};

}  // namespace

std::vector<std::string> states_of(const std::vector<std::string>& names,
                                   const std::function<std::string(const std::string&)>& ask,
                                   std::chrono::milliseconds patience) {
  std::vector<Asking> asked;
  asked.reserve(names.size());
  for (const auto& name : names) asked.emplace_back(name, ask);
  const auto until = SteadyClock::now() + patience;
  std::vector<std::string> states;
  for (const auto& each : asked) states.push_back(each.answer(until));
  return states;
}

}  // namespace hector
