// What: one side of what docs/performance.md has under "Worlds": a capsule that shares an Object,
// one that calls it, brokers, senders. Why: each side is a process of its own, and may be exchanged
// for the original in Python. Who: bench/worlds.py, as `worlds ROLE ADDRESS…`. It says "ready"; who
// measures answers each line "COUNT TOGETHER" (or seconds) with a rate.
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "objects/adoption.h"
#include "objects/read_all.h"
#include "process/capsule_process.h"

namespace {

using namespace hector;
using namespace hector::objects;
using Time = std::chrono::steady_clock;

/// add(a, b), as generated code reads and writes it.
class Adder final : public Servant {
 public:
  void invoke(Call& call) noexcept override {
    const Bytes& request = call.request.bytes();
    google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(request.data()),
                                              static_cast<int>(request.size()));
    std::int64_t sum = 0;
    std::uint64_t number = 0;
    while (in.ReadTag() != 0 && in.ReadVarint64(&number)) sum += static_cast<std::int64_t>(number);
    const double value = static_cast<double>(sum);
    Bytes reply = Bytes::allocate(9);
    reply.writable()[0] = 1 << 3 | 1;
    std::memcpy(reply.writable() + 1, &value, 8);
    call.complete(Payload(std::move(reply)));
  }
};

/// `also_udp`: what two capsules speak with each other when they have met.
Configuration configuration(const std::string& name, const std::string& protocol,
                            const std::string& listen, const std::string& settings,
                            bool also_udp = false) {
  Configuration made;
  made.capsule = name;
  made.log_level = Level::kError;
  if (also_udp) made.protocols.push_back({"udp", {"127.0.0.1:0"}, "{}"});
  made.protocols.push_back({protocol, {listen}, settings});
  made.drain_grace = std::chrono::milliseconds(200);
  return made;
}
/// Ends with the program.
CapsuleProcess& started(Configuration made) {
  auto* const process = new CapsuleProcess(std::move(made), plugin_paths());
  if (auto done = process->start(); !done) {
    fmt::print(stderr, "{}\n", done.error().text());
    _exit(1);
  }
  return *process;
}
void share_adder(CapsuleProcess& process) {
  Description description{"Adder",
                          {{objects::Member::Kind::kMethod,
                            "add",
                            {{"a", "int", ParameterKind::kPositionalOrKeyword, {}},
                             {"b", "int", ParameterKind::kPositionalOrKeyword, {}}},
                            "float",
                            true,
                            true}}};
  auto adopted =
      adopt(*process.kernel().protocol_context("{}").hosting, &process,
            {"adder", "hero.Adder", {}, "bench"}, description,
            [](const auto&, auto, const InterfacePtr&) { return std::make_unique<Adder>(); });
  if (!adopted) fmt::print(stderr, "{}\n", adopted.error().text());
}
std::unique_ptr<Target> found(CapsuleProcess& process, const std::string& object) {
  for (const auto until = Time::now() + std::chrono::seconds(10); Time::now() < until;
       std::this_thread::sleep_for(std::chrono::milliseconds(10))) {
    if (auto target = process.kernel().capsule().resolve(object)) return std::move(*target);
  }
  return nullptr;
}

/// Calls a second, `together` of them in flight at a time.
double rate(Target& target, const Clock& clock, const Bytes& request, int count, int together) {
  std::vector<std::thread> threads;
  std::atomic<int> left{count}, failed{0};
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
  return count / std::chrono::duration<double>(Time::now() - begin).count();
}

void ready() {
  fmt::print("ready\n");
  fflush(stdout);
}
void serve() {
  ready();
  pause();
}
void answer_rates(CapsuleProcess& process) {
  const auto target = found(process, "adder");
  if (!target) return fmt::print(stderr, "no adder\n");
  const auto codec = *MessageCodec::of(*target->interface());
  const Bytes request = *codec->request_of(target->interface()->operations()[0],
                                           {{Value::of(1), Value::of(2)}, Value::map()});
  ready();
  for (int count = 0, together = 0; std::scanf("%d %d", &count, &together) == 2;) {
    fmt::print("{:.1f}\n",
               rate(*target, process.kernel().capsule().clock(), request, count, together));
    fflush(stdout);
  }
}

/// `connect`: locators, quoted.
std::string realm(const std::string& listen, const std::string& connect) {
  return fmt::format(
      R"({{"zenoh": {{"mode": "peer", "listen": {{"endpoints": ["{}"]}}, "connect": {{"endpoints": [{}]}}, "scouting": {{"multicast": {{"enabled": false}}}}}}, "adopt_capsules": true}})",
      listen, connect);
}

void send_envelopes(CapsuleProcess& process) {
  const auto target = found(process, "hermes");
  const auto codec = *MessageCodec::of(*target->interface());
  const auto* const publish = target->interface()->find("publish");
  Arguments arguments;
  for (const auto& [name, value] :
       {std::pair("topic", Value::of("bench/t")), std::pair("origin", Value::of("sender")),
        std::pair("data", Value::of("a text of some length")), std::pair("time_s", Value::of(0.0))})
    arguments.keywords.put(name, value);
  const Bytes request = *codec->request_of(*publish, arguments);
  ready();
  for (int i = 0;; ++i) {
    WaitedCall call;
    call.header.operation = publish->index;
    call.kind = Kind::kAnnounce;
    call.request = Payload(request);
    call.run(*target, process.kernel().capsule().clock());
    if (i % 500 == 499)
      std::this_thread::sleep_for(
          std::chrono::microseconds(500));  // what the post office cannot take is dropped there
  }
}

void receive_envelopes(CapsuleProcess& process) {
  const auto target = found(process, "hermes");
  const auto* const receive = target->interface()->find("receive");
  static std::atomic<std::int64_t> told{0};
  std::shared_ptr<Stream> stream;
  auto& reading = CallbackCall::make([](Call&) {});
  reading.header.operation = receive->index;
  reading.kind = Kind::kStream;
  reading.flow = Flow::kOut;
  reading.request = Payload(Bytes());
  reading.stream_out = &stream;
  target->start(reading);
  read_all(
      stream,
      [](Payload, const std::function<void(bool)>& next) {
        ++told;
        next(true);
      },
      [] {});
  ready();
  for (double seconds = 0; std::scanf("%lf", &seconds) == 1;) {
    const std::int64_t from = told;
    const auto begin = Time::now();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    fmt::print("{:.1f}\n", static_cast<double>(told - from) /
                               std::chrono::duration<double>(Time::now() - begin).count());
    fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "", at = argc > 2 ? argv[2] : "",
                    other = argc > 3 ? argv[3] : "";
  char folder[] = "/tmp/hector-bench-worlds-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  setenv("HECTOR_RUN_DIRECTORY", folder, 1);
  const bool also_udp = role.ends_with("-udp");
  if (role.starts_with("hero-serve")) {
    share_adder(started(configuration("server", "heros", "heros", realm(at, ""), also_udp)));
    serve();
  } else if (role.starts_with("hero-call")) {
    answer_rates(started(configuration("client", "heros", "heros",
                                       realm("tcp/127.0.0.1:0", "\"" + at + "\""), also_udp)));
  } else if (role == "roc-broker") {
    started(configuration("broker", "zeromq", "broker:" + at, "{}"));
    serve();
  } else if (role == "roc-serve") {
    share_adder(started(configuration("server", "zeromq", "roc:" + at, "{}")));
    serve();
  } else if (role == "roc-call") {
    answer_rates(started(configuration("client", "zeromq", "roc:" + at,
                                       R"({"adopt_capsules": true, "adopt": ["adder"]})")));
  } else if (role == "hermes-office") {
    started(configuration("office", "zeromq", "postoffice:" + at + "," + other, "{}"));
    serve();
  } else if (role == "hermes-send") {
    send_envelopes(started(configuration("sender", "zeromq", "hermes:" + at + ",", "{}")));
  } else if (role == "hermes-receive") {
    receive_envelopes(started(configuration("receiver", "zeromq", "hermes:," + at, "{}")));
  } else {
    fmt::print(stderr,
               "worlds ROLE ADDRESS…: hero-serve, hero-call (each also with -udp), roc-broker, "
               "roc-serve, roc-call, hermes-office, hermes-send, hermes-receive\n");
    return 2;
  }
  fflush(stdout);
  _exit(0);  // nothing here is waited for
}
