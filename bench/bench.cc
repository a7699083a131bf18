// What: bench, Hector beside its peers in one run: interleaved rounds, medians, ratios with their
// spread. Why: absolute times differ from machine to machine and from day to day; ratios inside one
// run count. Who: people; docs/performance.md holds its table. `bench [--rounds N] [--only WHAT]`;
// every process runs on processor 0.
#include <fmt/format.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "hector/realm.h"
#include "kits/kit_capsule.h"

namespace {

using namespace hector;
using hector::kits::KitCapsule;
using hector::kits::source_path;
using SteadyClock = std::chrono::steady_clock;

constexpr int kCalls = 3'000;
constexpr int kWarm = 300;

std::size_t allocations = 0;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// p50 in microseconds of `call`, warm.
double p50_us(int calls, const std::function<void()>& call) {
  for (int i = 0; i < kWarm; ++i) call();
  std::vector<double> times;
  for (int i = 0; i < calls; ++i) {
    const auto begin = SteadyClock::now();
    call();
    times.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
  }
  return median(std::move(times));
}

class EchoServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(std::move(call.request)); }
};

class Child {
 public:
  /// Starts this or another program; its first line is what it says.
  explicit Child(const std::vector<std::string>& command) {
    int ends[2];
    if (pipe(ends) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], 1);
      close(ends[0]);
      std::vector<char*> arguments;
      for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(ends[1]);
    char buffer[4'096];
    for (ssize_t got = 0;
         line_.find('\n') == std::string::npos && (got = read(ends[0], buffer, sizeof buffer)) > 0;)
      line_.append(buffer, static_cast<std::size_t>(got));
    close(ends[0]);
    line_ = line_.substr(0, line_.find('\n'));
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] const std::string& line() const { return line_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  std::string line_;
};

std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }
std::string beside(const std::string& program) {
  return (std::filesystem::path(own_path()).parent_path() / program).string();
}

// --- servers, each in a process of its own
// ----------------------------------------------------------------------------------------------

int serve_hector(const std::string& protocol) {
  KitCapsule capsule("bench-server");
  capsule.kernel().load_types(source_path("tests/kits/kit.hector.yaml")).value();
  capsule.kernel()
      .adopt_object("echo", *capsule.kernel().interface("kit.Echo/1"),
                    std::make_unique<EchoServant>(), ThreadModel::kPooled, false)
      .value();
  if (auto loaded = capsule.load(ModuleKind::kProtocol, protocol); !loaded) {
    fprintf(stderr, "%s\n", loaded.error().text().c_str());
    return 1;
  }
  Reference reference = capsule.kernel().management();
  reference.object = "echo";
  reference.offer = 0;
  reference.interface_id = "kit.Echo/1";
  reference.identity = (*capsule.kernel().interface("kit.Echo/1"))->identity();
  printf("%s\n", reference.text().c_str());
  fflush(stdout);
  pause();
  return 0;
}

// --- clients
// ----------------------------------------------------------------------------------------------

class SenderServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(); }
  void bound(Session& session) noexcept override { sessions.push_back(session.shared()); }
  std::vector<std::shared_ptr<Session>> sessions;
};

/// A client capsule, with a Binding to the server's Object over one protocol.
struct HectorClient {
  HectorClient(const std::string& protocol, const std::string& reference)
      : capsule("bench-client") {
    auto& kernel = capsule.kernel();
    kernel.load_types(source_path("tests/kits/kit.hector.yaml")).value();
    if (auto loaded = capsule.load(ModuleKind::kProtocol, protocol); !loaded) abort();
    auto servant = std::make_unique<SenderServant>();
    sender = servant.get();
    kernel
        .adopt_object("sender", *kernel.interface("kit.Sender/1"), std::move(servant),
                      ThreadModel::kPooled, true)
        .value();
    if (auto bound =
            kernel.capsule().bind({"kit.Pair/1", {{"sender", "sender"}, {"receiver", reference}}});
        !bound) {
      fprintf(stderr, "%s\n", bound.error().text().c_str());
      abort();
    }
  }
  double call() {
    Session& session = *sender->sessions.at(0);
    CallTarget& target = session.call_target(*session.interaction("echo"), 0);
    WaitedCall made;
    const Bytes octets = Bytes::copy(std::string(64, 'x'));
    return p50_us(kCalls, [&] {
      made.reset();
      made.header.deadline = kNever;
      made.header.trace = {};
      made.request = Payload(octets);
      made.run(target, capsule.clock());
      if (made.error) {
        fprintf(stderr, "%s\n", made.error->text().c_str());
        abort();
      }
    });
  }
  KitCapsule capsule;
  SenderServant* sender = nullptr;
};

// --- in one process
// ----------------------------------------------------------------------------------------------

struct Local {
  double call_ns = 0, serial_ns = 0, bind_us = 0, ten_us = 0, crowd_ms = 0, octets_per_object = 0;
  double allocations_per_call = 0;
};

double nanoseconds_each(int count, const std::function<void(int)>& work) {
  const auto begin = SteadyClock::now();
  work(count);
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - begin).count() / count;
}

std::size_t heap_octets() {
  const auto use = mallinfo2();
  return use.uordblks + use.hblkhd;
}

/// Ten roles that call each other in a ring; one speaker and a thousand listeners.
void measure_large_bindings(Kernel& kernel, Local& result) {
  std::string types = "binding: bench.Ten/1\nroles:\n", interactions = "interactions:\n",
              protocol = "protocol: ";
  BindRequest ten{"bench.Ten/1", {}};
  for (int i = 0; i < 10; ++i) {
    types += fmt::format("  r{}: {{interface: bench.Both/1}}\n", i);
    interactions += fmt::format("  x{0}: {{kind: rpc, from: r{0}, to: r{1}, operation: echo}}\n", i,
                                (i + 1) % 10);
    protocol += fmt::format("{}x{}*", i == 0 ? "" : " & ", i);
    kernel
        .adopt_object(fmt::format("ring{}", i), *kernel.interface("bench.Both/1"),
                      std::make_unique<EchoServant>(), ThreadModel::kPooled, false)
        .value();
    ten.parties.push_back({fmt::format("r{}", i), fmt::format("ring{}", i)});
  }
  const std::string file = (std::filesystem::temp_directory_path() /
                            fmt::format("hector-bench-{}.hector.yaml", getpid()))
                               .string();
  std::ofstream(file)
      << types << interactions << protocol << "\n---\n"
      << "binding: bench.Crowd/1\nroles:\n  speaker: {interface: kit.Sender/1}\n  listener: "
         "{interface: kit.Echo/1, cardinality: 1..*}\n"
         "interactions:\n  say: {kind: multicast, from: speaker, to: listener, operation: echo}\n  "
         "ask: {kind: rpc, from: speaker, to: listener, operation: echo}\n"
         "protocol: (say ; ask[listener])*\n";
  kernel.load_types(file).value();
  std::filesystem::remove(file);
  const auto bind = [&](const BindRequest& request, int times) {
    std::vector<double> us;
    for (int i = 0; i < times; ++i) {
      const auto begin = SteadyClock::now();
      const auto made = kernel.capsule().bind(request).value();
      us.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
      static_cast<void>(kernel.capsule().unbind(made));
    }
    return median(us);
  };
  result.ten_us = bind(ten, 20);
  BindRequest crowd{"bench.Crowd/1", {{"speaker", "sender"}}};
  for (int i = 0; i < 1'000; ++i) {
    const std::string name = fmt::format("listener{}", i);
    kernel
        .adopt_object(name, *kernel.interface("kit.Echo/1"), std::make_unique<EchoServant>(),
                      ThreadModel::kPooled, false)
        .value();
    crowd.parties.push_back({"listener", name});
  }
  result.crowd_ms = bind(crowd, 3) / 1'000;
}

Local measure_local() {
  Local result;
  KitCapsule capsule("bench-local");
  auto& kernel = capsule.kernel();
  kernel.load_types(source_path("tests/kits/kit.hector.yaml")).value();
  kernel.load_types(source_path("templates/meeting/meeting.hector.yaml")).value();
  kernel.load_types(source_path("bench/bench.hector.yaml")).value();
  auto sender = std::make_unique<SenderServant>();
  auto* bound = sender.get();
  kernel
      .adopt_object("sender", *kernel.interface("kit.Sender/1"), std::move(sender),
                    ThreadModel::kPooled, true)
      .value();
  for (const auto& [name, parallel] : {std::pair{"idle", true}, std::pair{"serial", false}}) {
    kernel
        .adopt_object(name, *kernel.interface("kit.Echo/1"), std::make_unique<EchoServant>(),
                      ThreadModel::kPooled, parallel)
        .value();
    kernel.capsule().bind({"kit.Pair/1", {{"sender", "sender"}, {"receiver", name}}}).value();
  }
  std::thread other([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });  // a threaded process, as capsules are
  other.join();
  const auto measure = [&](Session& session) {
    const auto echo = *session.interaction("echo");
    CallTarget& target = session.call_target(echo, 0);
    static int value = 0;
    static const TypedOperations operations{
        &value, [](const void*, void*, std::uint8_t* (*)(void*, std::size_t)) {}, nullptr};
    WaitedCall call;
    const auto loop = [&](int count) {
      for (int i = 0; i < count; ++i) {
        call.reset();
        call.request = Payload(&value, operations);
        call.run(target, capsule.clock());
      }
    };
    loop(10'000);
    const std::size_t before = allocations;
    const double each = nanoseconds_each(1'000'000, loop);
    result.allocations_per_call = static_cast<double>(allocations - before) / 1e6;
    return each;
  };
  result.call_ns = measure(*bound->sessions[0]);
  result.serial_ns = measure(*bound->sessions[1]);

  for (const char* name : {"ana", "ben", "chris"})
    kernel
        .adopt_object(name, *kernel.interface("diary.Calendar/1"), std::make_unique<EchoServant>(),
                      ThreadModel::kPooled, true)
        .value();
  kernel
      .adopt_object("organiser", *kernel.interface("diary.Organiser/1"),
                    std::make_unique<EchoServant>(), ThreadModel::kPooled, true)
      .value();
  kernel
      .adopt_object("room", *kernel.interface("diary.Room/1"), std::make_unique<EchoServant>(),
                    ThreadModel::kPooled, true)
      .value();
  kernel
      .adopt_object("scribe", *kernel.interface("diary.Scribe/1"), std::make_unique<EchoServant>(),
                    ThreadModel::kPooled, true)
      .value();
  kernel
      .adopt_object("news", *kernel.interface("diary.News/1"), std::make_unique<EchoServant>(),
                    ThreadModel::kPooled, true)
      .value();
  const BindRequest meeting{"diary.Meeting/1",
                            {{"organiser", "organiser"},
                             {"attendee", "ana"},
                             {"room", "room"},
                             {"scribe", "scribe"},
                             {"news", "news"}}};
  std::vector<double> times;
  for (int i = 0; i < 30; ++i) {
    const auto begin = SteadyClock::now();
    auto binding = kernel.capsule().bind(meeting);
    times.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
    if (!binding) {
      fprintf(stderr, "%s\n", binding.error().text().c_str());
      break;
    }
    static_cast<void>(kernel.capsule().unbind(*binding));
  }
  result.bind_us = median(times);
  measure_large_bindings(kernel, result);

  constexpr int kObjects = 100'000;
  std::vector<std::string> names;
  for (int i = 0; i < kObjects; ++i) names.push_back("o" + std::to_string(i));
  const std::size_t before = heap_octets();
  for (const auto& name : names)
    kernel
        .adopt_object(name, *kernel.interface("kit.Echo/1"), std::make_unique<EchoServant>(),
                      ThreadModel::kPooled, false)
        .value();
  result.octets_per_object = static_cast<double>(heap_octets() - before) / kObjects;
  return result;
}

struct CapsuleCost {
  double ready_ms = 0, resident_mib = 0, idle_percent = 0;
};

/// A capsule with udp only: from exec to its reference, its memory, its processor time over a
/// second.
CapsuleCost measure_capsule() {
  char folder[] = "/tmp/hector-bench-XXXXXX";
  if (mkdtemp(folder) == nullptr) return {};
  const std::string configuration = std::string(folder) + "/c.yaml";
  std::ofstream(configuration)
      << "capsule: c\nprotocols:\n  udp: {listen: \"127.0.0.1:0\"}\nrun_directory: " << folder
      << "\nlog: {level: error}\n";
  CapsuleCost cost;
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const std::string reference = std::string(folder) + "/c.reference";
    std::filesystem::remove(reference);
    const auto begin = SteadyClock::now();
    const pid_t pid = fork();
    if (pid == 0) {
      execl(beside("hector-capsule").c_str(), "hector-capsule", configuration.c_str(), nullptr);
      _exit(127);
    }
    while (!std::filesystem::exists(reference))
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    times.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
    if (i == 4) {
      std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
      double total = 0, resident = 0;
      statm >> total >> resident;
      cost.resident_mib = resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576;
      clockid_t clock{};
      clock_getcpuclockid(pid, &clock);
      timespec first{}, second{};
      clock_gettime(clock, &first);
      std::this_thread::sleep_for(std::chrono::seconds(2));
      clock_gettime(clock, &second);
      cost.idle_percent = (static_cast<double>(second.tv_sec - first.tv_sec) * 1e9 +
                           static_cast<double>(second.tv_nsec - first.tv_nsec)) /
                          2e9 * 100;
    }
    kill(pid, SIGTERM);
    waitpid(pid, nullptr, 0);
  }
  std::filesystem::remove_all(folder);
  cost.ready_ms = median(times);
  return cost;
}

// --- the table
// ----------------------------------------------------------------------------------------------

std::string spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return fmt::format("{:.2f} ({:.2f}–{:.2f})", values[values.size() / 2], values.front(),
                     values.back());
}

double ask_program(const std::vector<std::string>& command) {
  Child child(command);
  return child.line().empty() ? 0 : std::stod(child.line());
}

void row(const std::string& what, const std::string& value, const std::string& ratio,
         const std::string& goal) {
  fmt::print("| {} | {} | {} | {} |\n", what, value, ratio, goal);
}

/// The peers, each a program of its own beside this one, and the protocol of ours that each is
/// measured against.
struct PeerProgram {
  std::string name, program, protocol;
};
const std::vector<PeerProgram> kPeers = {
    {"raw UDP", "udp", "udp"},           {"Boost.Asio TCP", "asio_tcp", "udp"},
    {"omniORB TCP", "omniorb", "udp"},   {"Ice TCP", "ice", "udp"},
    {"Cap'n Proto TCP", "capnp", "udp"}, {"gRPC callback", "grpc", "grpc"},
    {"zenoh query", "zenoh", "zenoh"},
};
std::string peer_path(const std::string& program) {
  return (std::filesystem::path(own_path()).parent_path().parent_path() / "bench" / program)
      .string();
}

void print_title(int rounds) {
  fmt::print(
      "| measure (median of {} rounds, min–max; one processor, 64 octets) | value | ratio to the "
      "peer | goal |\n|---|---|---|---|\n",
      rounds);
}

/// With an identity, in the server's and in the client's process.
struct Secured {
  std::string name, protocol, goal;
};
const std::vector<Secured> kSecured = {{"udp with DTLS", "udp", "≤ 1.6"},
                                       {"grpc with TLS", "grpc", ""}};
/// Null: the row is of plain channels.
const Secured* secured(const std::string& name) {
  const auto found = std::find_if(kSecured.begin(), kSecured.end(),
                                  [&](const Secured& each) { return each.name == name; });
  return found == kSecured.end() ? nullptr : &*found;
}

void run_protocols(int rounds, const std::string& only) {
  std::map<std::string, std::vector<double>> us;
  const std::string realm =
      (std::filesystem::temp_directory_path() / fmt::format("hector-bench-realm-{}", getpid()))
          .string();
  identity::Realm::make({realm, "bench.example"}, {std::time(nullptr), 0}).value();
  {
    std::map<std::string, std::unique_ptr<Child>> servers, peers;
    for (const auto& peer : kPeers) {
      if (!only.empty() && only != peer.protocol) continue;
      if (std::filesystem::exists(peer_path(peer.program)))
        peers[peer.program] =
            std::make_unique<Child>(std::vector<std::string>{peer_path(peer.program), "serve"});
      if (servers.contains(peer.protocol) ||
          !std::filesystem::exists(plugin_paths().back() + "/protocols/" + peer.protocol))
        continue;
      servers[peer.protocol] =
          std::make_unique<Child>(std::vector<std::string>{own_path(), "serve", peer.protocol});
    }
    for (const auto& each : kSecured) {
      if (servers.contains(each.protocol))
        servers[each.name] = std::make_unique<Child>(
            std::vector<std::string>{own_path(), "serve", each.protocol, realm});
    }
    for (int i = 0; i < rounds; ++i) {  // interleaved: what drifts, drifts for all
      fmt::print(stderr, "round {} of {}\n", i + 1, rounds);
      for (const auto& peer : kPeers) {
        if (peers.contains(peer.program))
          us[peer.name].push_back(
              ask_program({peer_path(peer.program), "call", peers[peer.program]->line(),
                           std::to_string(kCalls)}));
      }
      for (const auto& [protocol, server] : servers)
        us[protocol].push_back(secured(protocol) != nullptr
                                   ? ask_program({own_path(), "call", secured(protocol)->protocol,
                                                  server->line(), realm})
                                   : ask_program({own_path(), "call", protocol, server->line()}));
    }
  }
  std::filesystem::remove_all(realm);
  const auto ratio = [&](const std::string& a, const std::string& b) {
    std::vector<double> each;
    for (std::size_t i = 0; i < us[a].size() && i < us[b].size(); ++i)
      each.push_back(us[a][i] / us[b][i]);
    return each.empty() ? std::string("not measured") : spread(each);
  };
  const std::map<std::string, std::string> goals = {{"raw UDP", "≤ 1.5"},
                                                    {"omniORB TCP", "< 1"},
                                                    {"gRPC callback", "≤ 1.1"},
                                                    {"zenoh query", "≤ 1.1"}};
  for (const char* protocol : {"udp", "grpc", "zenoh"}) {
    if (!only.empty() && only != protocol) continue;
    if (us.contains(protocol))
      row(fmt::format("call over {}, p50 µs", protocol), spread(us[protocol]), "", "");
    for (const auto& each : kSecured) {
      if (protocol == each.protocol && us.contains(each.name))
        row(fmt::format("call over {}, p50 µs", each.name), spread(us[each.name]),
            fmt::format("this ÷ {}: {}", protocol, ratio(each.name, protocol)), each.goal);
    }
    for (const auto& peer : kPeers) {
      if (peer.protocol != protocol) continue;
      if (!us.contains(peer.name))
        row(peer.name, "not built (tools/setup --bench, then build again)", "", "");
      else
        row(fmt::format("{}, p50 µs", peer.name), spread(us[peer.name]),
            fmt::format("{} ÷ this: {}", protocol, ratio(protocol, peer.name)),
            goals.contains(peer.name) ? goals.at(peer.name) : "");
    }
  }
}

void run_local(int rounds) {
  std::vector<double> calls, serials, binds, tens, crowds, objects, omni;
  double allocated = 0;
  for (int i = 0; i < std::min(rounds, 3); ++i) {
    const Local local = measure_local();
    calls.push_back(local.call_ns);
    serials.push_back(local.serial_ns);
    binds.push_back(local.bind_us);
    tens.push_back(local.ten_us);
    crowds.push_back(local.crowd_ms);
    objects.push_back(local.octets_per_object);
    allocated = local.allocations_per_call;
    if (std::filesystem::exists(peer_path("omniorb")))
      omni.push_back(ask_program({peer_path("omniorb"), "local", "2000000"}));
  }
  const std::string omni_text =
      omni.empty() ? "omniORB not installed" : "omniORB co-located " + spread(omni) + " ns";
  row("call in the process through a Binding, parallel Object, ns", spread(calls), omni_text,
      "≤ 20 (idle)");
  row("call in the process through a Binding, serial Object, ns", spread(serials), "", "≤ 35");
  row("allocations a warm call in the process", fmt::format("{:.3f}", allocated), "", "0");
  row("five-role Binding in one capsule, µs", spread(binds), "", "≤ 1000");
  row("Binding of ten roles in one capsule, µs", spread(tens), "", "≤ 1000");
  row("Binding of one speaker and 1,000 listeners, ms", spread(crowds), "", "≤ 250");
  row("pooled Object (100,000), octets of the heap", spread(objects), "", "≤ 512");
}

void run_capsule() {
  const CapsuleCost capsule = measure_capsule();
  row("capsule with udp only: ready after, ms", fmt::format("{:.1f}", capsule.ready_ms), "",
      "≤ 25");
  row("capsule with udp only: resident, MiB", fmt::format("{:.1f}", capsule.resident_mib), "",
      "≤ 12");
  row("capsule with udp only: idle processor, %", fmt::format("{:.3f}", capsule.idle_percent), "",
      "< 0.1");
}

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  cpu_set_t processor;
  CPU_ZERO(&processor);
  CPU_SET(0, &processor);
  sched_setaffinity(0, sizeof processor, &processor);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() >= 2 && arguments[0] == "serve") {
    if (arguments.size() > 2) setenv("HECTOR_KIT_REALM", arguments[2].c_str(), 1);
    return serve_hector(arguments[1]);
  }
  if (arguments.size() >= 3 && arguments[0] == "call") {
    if (arguments.size() > 3) setenv("HECTOR_KIT_REALM", arguments[3].c_str(), 1);
    fmt::print("{:.3f}\n", HectorClient(arguments[1], arguments[2]).call());
    return 0;
  }
  int rounds = 7;
  std::string only;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--rounds")
      rounds = std::stoi(arguments[i + 1]);
    else if (arguments[i] == "--only")
      only = arguments[i + 1];
    else
      return fmt::print(stderr, "bench [--rounds N] [--only udp|grpc|zenoh|local|capsule]\n"), 2;
  }
  if (arguments.size() % 2 != 0 || rounds < 1)
    return fmt::print(stderr, "bench [--rounds N] [--only udp|grpc|zenoh|local|capsule]\n"), 2;
  print_title(rounds);
  if (only != "local" && only != "capsule") run_protocols(rounds, only);
  if (only.empty() || only == "local") run_local(rounds);
  if (only.empty() || only == "capsule") run_capsule();
  return 0;
}
