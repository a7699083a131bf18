// What: a HERO's method called from one C++ capsule to another, envelopes of Hermes through our post office, calls through our Majordomo broker.
// Why: docs/performance.md says what the worlds reach, beside their own programs (tools of the tests measure those).
// Who: people; `bench_worlds [ROUNDS]`.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "capsule_process.h"
#include "objects/adoption.h"

namespace {

using namespace hector;
using namespace hector::objects;
using Time = std::chrono::steady_clock;

constexpr int kCalls = 3'000;
constexpr int kTogether = 32;

std::string spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return fmt::format("{:.0f} ({:.0f} to {:.0f})", values[values.size() / 2], values.front(), values.back());
}

/// add(a, b)
class Adder final : public Servant {
 public:
  explicit Adder(std::shared_ptr<const MessageCodec> codec) : codec_(std::move(codec)) {}
  void invoke(Call& call) noexcept override {
    const auto fields = codec_->fields_of_request(*call.operation, call.request.bytes());
    const double sum = static_cast<double>(fields->find("a")->integer + fields->find("b")->integer);
    auto reply = codec_->reply_of(*call.operation, Value::of(sum));
    call.complete(Payload(std::move(*reply)));
  }

 private:
  const std::shared_ptr<const MessageCodec> codec_;
};

Configuration configuration(const std::string& name, const std::string& protocol, const std::vector<std::string>& listen, const std::string& settings) {
  Configuration made;
  made.capsule = name;
  made.log_level = Level::kError;
  made.protocols.push_back({protocol, listen, settings});
  made.drain_grace = std::chrono::milliseconds(200);
  return made;
}
void share_adder(CapsuleProcess& process) {
  Description description{"Adder", {{objects::Member::Kind::kMethod, "add", {{"a", "int", ParameterKind::kPositionalOrKeyword, {}}, {"b", "int", ParameterKind::kPositionalOrKeyword, {}}}, "float", true, true}}};
  auto adopted = adopt(*process.kernel().protocol_context("{}").hosting, &process, {"adder", "bench.Adder", {}, "bench"}, description,
                       [](const auto&, auto codec, const InterfacePtr&) { return std::make_unique<Adder>(std::move(codec)); });
  if (!adopted) fmt::print(stderr, "{}\n", adopted.error().text());
}
std::shared_ptr<Target> found(CapsuleProcess& process, const std::string& object) {
  for (const auto until = Time::now() + std::chrono::seconds(10); Time::now() < until; std::this_thread::sleep_for(std::chrono::milliseconds(10))) {
    if (auto target = process.kernel().capsule().resolve(object)) return *target;
  }
  return nullptr;
}

/// Calls a second, `together` of them under way at a time.
double rate(Target& target, const Clock& clock, const Bytes& request, int together) {
  std::vector<std::thread> threads;
  std::atomic<int> left{kCalls}, failed{0};
  const auto begin = Time::now();
  for (int t = 0; t < together; ++t) {
    threads.emplace_back([&] {
      while (left.fetch_sub(1) > 0) {
        WaitedCall call;
        call.header.operation = 0;
        call.request = Payload(request);
        call.run(target, clock);
        failed += call.error.has_value();
      }
    });
  }
  for (auto& each : threads) each.join();
  if (failed > 0) fmt::print(stderr, "{} calls failed\n", failed.load());
  return kCalls / std::chrono::duration<double>(Time::now() - begin).count();
}

template <class Serve>
pid_t in_a_child(Serve serve) {
  const pid_t child = fork();
  if (child != 0) return child;
  serve();
  pause();
  _exit(0);
}
void end(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

void measure_calls(const char* what, CapsuleProcess& process, int rounds) {
  const auto target = found(process, "adder");
  if (!target) return fmt::print(stderr, "{}: nobody there\n", what);
  const auto codec = *MessageCodec::of(*target->interface());
  const Bytes request = *codec->request_of(target->interface()->operations()[0], {{Value::of(1), Value::of(2)}, Value::map()});
  const Clock& clock = process.kernel().capsule().clock();
  std::vector<double> one, many;
  for (int i = 0; i < rounds; ++i) {
    one.push_back(rate(*target, clock, request, 1));
    many.push_back(rate(*target, clock, request, kTogether));
  }
  fmt::print("| {}, one at a time | {} /s |\n| {}, {} at a time | {} /s |\n", what, spread(one), what, kTogether, spread(many));
}

void measure_heros(int rounds, int port) {
  const std::string zenoh = R"({{"zenoh": {{"mode": "peer", "{}": {{"endpoints": ["tcp/127.0.0.1:{}"]}}, "listen": {{"endpoints": ["tcp/127.0.0.1:{}"]}}, "scouting": {{"multicast": {{"enabled": false}}}}}}, "adopt_capsules": true}})";
  const pid_t child = in_a_child([&] {
    auto* const process = new CapsuleProcess(configuration("server", "heros", {"heros"}, fmt::format(fmt::runtime(R"({{"zenoh": {{"mode": "peer", "listen": {{"endpoints": ["tcp/127.0.0.1:{}"]}}, "scouting": {{"multicast": {{"enabled": false}}}}}}}})"), port)), plugin_paths());
    if (process->start()) share_adder(*process);
  });
  {
    CapsuleProcess process(configuration("client", "heros", {"heros"}, fmt::format(fmt::runtime(zenoh), "connect", port, 0)), plugin_paths());
    if (auto started = process.start(); !started) fmt::print(stderr, "{}\n", started.error().text());
    else measure_calls("HERO's method, C++ to C++", process, rounds);
  }
  end(child);
}

void measure_roc(int rounds, int port) {
  const std::string at = fmt::format("tcp://127.0.0.1:{}", port);
  const pid_t broker = in_a_child([&] { static_cast<void>((new CapsuleProcess(configuration("broker", "zeromq", {"broker:" + at}, "{}"), plugin_paths()))->start()); });
  const pid_t server = in_a_child([&] {
    auto* const process = new CapsuleProcess(configuration("server", "zeromq", {"roc:" + at}, "{}"), plugin_paths());
    if (process->start()) share_adder(*process);
  });
  {
    CapsuleProcess process(configuration("client", "zeromq", {"roc:" + at}, R"({"adopt_capsules": true})"), plugin_paths());
    if (auto started = process.start(); !started) fmt::print(stderr, "{}\n", started.error().text());
    else measure_calls("ROC call through our broker, C++ to C++", process, rounds);
  }
  end(server);
  end(broker);
}

void measure_hermes(int rounds, int port) {
  const std::string in = fmt::format("tcp://127.0.0.1:{}", port), out = fmt::format("tcp://127.0.0.1:{}", port + 1);
  const pid_t office = in_a_child([&] { static_cast<void>((new CapsuleProcess(configuration("office", "zeromq", {"postoffice:" + in + "," + out}, "{}"), plugin_paths()))->start()); });
  const pid_t sender = in_a_child([&] {
    auto* const process = new CapsuleProcess(configuration("sender", "zeromq", {"hermes:" + in + ","}, "{}"), plugin_paths());
    if (!process->start()) return;
    const auto target = found(*process, "hermes");
    const auto codec = *MessageCodec::of(*target->interface());
    const auto* const publish = target->interface()->find("publish");
    Arguments arguments;
    for (const auto& [name, value] : {std::pair("topic", Value::of("bench/t")), std::pair("origin", Value::of("sender")), std::pair("data", Value::of("a text of some length")), std::pair("time_s", Value::of(0.0))}) arguments.keywords.put(name, value);
    const Bytes request = *codec->request_of(*publish, arguments);
    for (int i = 0;; ++i) {
      WaitedCall call;
      call.header.operation = publish->index;
      call.kind = Kind::kAnnounce;
      call.request = Payload(request);
      call.run(*target, process->kernel().capsule().clock());
      if (i % 500 == 499) std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  });
  {
    CapsuleProcess process(configuration("receiver", "zeromq", {"hermes:," + out}, "{}"), plugin_paths());
    const auto target = process.start() ? found(process, "hermes") : nullptr;
    if (!target) {
      end(sender);
      end(office);
      return fmt::print(stderr, "Hermes: nobody there\n");
    }
    const auto* const receive = target->interface()->find("receive");
    std::atomic<std::int64_t> told{0};
    std::shared_ptr<Stream> stream;
    auto& reading = CallbackCall::make([](Call&) {});
    reading.header.operation = receive->index;
    reading.kind = Kind::kStream;
    reading.flow = Flow::kOut;
    reading.request = Payload(Bytes());
    reading.stream_out = &stream;
    target->start(reading);
    std::function<void()> read = [&] {
      stream->read([&](Result<std::optional<Payload>> message) {
        if (!message || !*message) return;
        ++told;
        read();
      });
    };
    read();
    std::vector<double> figures;
    for (int i = 0; i < rounds; ++i) {
      const std::int64_t from = told;
      const auto begin = Time::now();
      std::this_thread::sleep_for(std::chrono::seconds(1));
      figures.push_back(static_cast<double>(told - from) / std::chrono::duration<double>(Time::now() - begin).count());
    }
    fmt::print("| Hermes envelopes, published by one capsule, through our post office, read as a flow by another | {} /s |\n", spread(figures));
    fflush(stdout);
    end(sender);
    end(office);
    _exit(0);  // the flow's callback refers to this frame
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  char folder[] = "/tmp/hector-bench-worlds-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  setenv("HECTOR_RUN_DIRECTORY", folder, 1);
  const int port = 20'000 + getpid() % 20'000;
  const auto apart = [](auto measure) {  // each in a process of its own: nothing is left for the next
    const pid_t child = fork();
    if (child == 0) {
      measure();
      fflush(stdout);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  };
  fmt::print("| what (median of {} rounds, ends) | figure |\n|---|---|\n", rounds);
  fflush(stdout);
  apart([&] { measure_heros(rounds, port); });
  apart([&] { measure_roc(rounds, port + 10); });
  apart([&] { measure_hermes(rounds, port + 20); });
  return 0;
}
