// What: the cpp language's side of the LanguageKit.
// Why: every language handles calls, flows, errors and outgoing calls alike.
// Who: tests/kits/language_kit.cc.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "hector/cpp.h"
#include "kit.pb.h"

namespace {

using kit::Data;
namespace cpp = hector::cpp;

/// Octets; beyond what a process can address.
constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 50U;

Data data_of(const std::string& text) {
  Data made;
  made.set_data(text);
  return made;
}

/// Longer than any test; an end, should a test not end it.
constexpr std::chrono::seconds kForever{60};

class Kit {
 public:
  Kit(cpp::Capsule capsule, const std::string& arguments) : capsule_(capsule) {
    if (arguments.find("refuse") != std::string::npos)
      throw std::invalid_argument("told to refuse");
  }
  hector::Result<Data> echo(const Data& request, cpp::Call&) { return request; }
  hector::Result<Data> fails(const Data& request, cpp::Call&) {
    return hector::fail(cpp::declared_error(hector::Code::kAborted, "it had to be", request));
  }
  hector::Result<Data> crashes(const Data& request, cpp::Call&) {
    if (request.data() == "without a text") throw 42;
    if (request.data() == "by exit()") std::exit(3);
    if (request.data() == "by _exit()") _exit(3);
    if (request.data() == "without memory") return data_of(std::string(kMoreThanThereIs, 'x'));
    if (request.data() == "by a signal") static_cast<void>(raise(SIGSEGV));
    if (request.data() == "by a sleep") std::this_thread::sleep_for(kForever);
    const auto until = std::chrono::steady_clock::now() + kForever;
    while (request.data() == "by a loop" && std::chrono::steady_clock::now() < until) {
    }
    throw std::runtime_error("thrown: " + request.data());
  }
  hector::Result<Data> slow(const Data&, cpp::Call&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return data_of("slow");
  }
  hector::Result<Data> waits(const Data&, cpp::Call& call) {
    for (int i = 0; i < 20'000 && !call.is_cancelled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    notes_ += call.is_cancelled() ? "cancelled" : "slept";
    return data_of("late");
  }
  hector::Status note(const Data& request, cpp::Call&) {
    notes_ += request.data();
    return {};
  }
  hector::Result<Data> notes(const Data&, cpp::Call&) { return data_of(notes_); }
  hector::Status count(const Data& request, cpp::Writer<Data>& out, cpp::Call&) {
    for (int i = 0; i < std::stoi(request.data()); ++i) {
      if (out.write(data_of(std::to_string(i)))) continue;
      notes_ += "unread";
      break;
    }
    return {};
  }
  hector::Result<Data> sum(cpp::Reader<Data>& in, cpp::Call&) {
    long total = 0;
    for (;;) {
      auto message = in.read();
      if (!message) return hector::fail(message.error());
      if (!*message) return data_of(std::to_string(total));
      total += std::stol((*message)->data());
    }
  }
  hector::Status chat(cpp::Reader<Data>& in, cpp::Writer<Data>& out, cpp::Call&) {
    for (;;) {
      auto message = in.read();
      if (!message) return hector::fail(message.error());
      if (!*message) return {};
      out.write(**message);
    }
  }
  hector::Result<Data> asks(const Data& request, cpp::Call&) {
    auto answer = capsule_.call<Data>(request.data(), "fails", data_of("inner"));
    return data_of(answer ? "no error"
                          : std::string(hector::code_name(answer.error().code)) + " " +
                                answer.error().type);
  }
  hector::Result<Data> who(const Data&, cpp::Call& call) {
    return data_of(capsule_.object_name() + " called by " + call.principal() + " with " +
                   call.metadata("colour").value_or("nothing") +
                   (call.time_left() < INT64_MAX ? " in time" : ""));
  }

 private:
  cpp::Capsule capsule_;
  std::string notes_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Kit>(
      "kit.Language.cpp", "kit.Language/1",
      {cpp::operation<&Kit::echo>("echo"), cpp::operation<&Kit::fails>("fails"),
       cpp::operation<&Kit::crashes>("crashes"), cpp::operation<&Kit::slow>("slow"),
       cpp::operation<&Kit::waits>("waits"), cpp::operation<&Kit::note>("note"),
       cpp::operation<&Kit::notes>("notes"), cpp::operation<&Kit::count>("count"),
       cpp::operation<&Kit::sum>("sum"), cpp::operation<&Kit::chat>("chat"),
       cpp::operation<&Kit::asks>("asks"), cpp::operation<&Kit::who>("who")});
}
