// What: a name of two parts resolved in the capsule, from another capsule over udp, and by
// omniNames through omniORB, in one run. Why: docs/performance.md says what Naming reaches, side by
// side. Who: people; `bench_names [ROUNDS]`. Without omniNames its rows are left out.
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/session.h"
#include "hector/service/naming.h"
#include "hector/service/v1/naming.pb.h"
#include "peers/peer.h"
#include "process/run_directory.h"

namespace {

using namespace hector;
using Time = std::chrono::steady_clock;

constexpr int kCalls = 20'000;
constexpr int kLocalCalls = 300'000;
constexpr const char* kName = "lab/printer";

std::string beside(const std::string& program) {
  return (std::filesystem::canonical("/proc/self/exe").parent_path() / program).string();
}

/// Ended with this.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command) : id_(fork()) {
    if (id_ != 0) return;
    std::vector<char*> arguments;
    for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    const int nowhere = ::creat("/dev/null", 0600);
    dup2(nowhere, 1), dup2(nowhere, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  ~Child() {
    kill(id_, SIGTERM);
    waitpid(id_, nullptr, 0);
  }

 private:
  pid_t id_;
};

double median_of(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}
std::string spread(std::vector<double> values) {
  if (values.empty()) return "not installed";
  std::sort(values.begin(), values.end());
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", values[values.size() / 2], values.front(),
                     values.back());
}

service::v1::NamingName question() {
  service::v1::NamingName asked;
  asked.set_name(kName);
  return asked;
}
void bind(Target& naming, const Clock& clock) {
  service::v1::NamingBind request;
  request.set_name(kName);
  request.set_make_contexts(true);
  request.mutable_reference()->set_object("printer");
  request.mutable_reference()->set_capsule("lab");
  request.mutable_reference()->set_interface_id("lab.Printer/1");
  auto bound = call_and_wait<service::v1::NamingRevision>(naming, clock, kByName, "bind", request);
  if (!bound) fmt::print(stderr, "{}\n", bound.error().text());
}

double local_us() {
  CliSession session({});
  if (auto opened = session.open_service("naming"); !opened) return 0;
  auto target = session.kernel().capsule().resolve("naming");
  const Clock& clock = session.kernel().capsule().clock();
  bind(**target, clock);
  const auto asked = question();
  const auto begin = Time::now();
  for (int i = 0; i < kLocalCalls; ++i) {
    if (!call_and_wait<service::v1::NamingBinding>(**target, clock, 1, "lookup", asked)) return 0;
  }
  return std::chrono::duration<double, std::micro>(Time::now() - begin).count() / kLocalCalls;
}

double remote_us(const std::string& directory) {
  CliSession session(CliOptions{"hub", "udp"});
  if (auto connected = session.connect(); !connected) return 0;
  auto at = read_capsule_reference(directory, "hub");
  at->object = "naming";
  at->offer = 0;
  at->interface_id = "hector.Naming/1";
  at->identity.clear();
  auto target = session.kernel().capsule().resolve(at->text());
  if (!target) return 0;
  const Clock& clock = session.kernel().capsule().clock();
  bind(**target, clock);
  const auto asked = question();
  std::vector<double> times;
  for (int i = 0; i < kCalls + peer::kWarm; ++i) {
    const auto begin = Time::now();
    if (!call_and_wait<service::v1::NamingBinding>(**target, clock, kByName, "lookup", asked))
      return 0;
    if (i >= peer::kWarm)
      times.push_back(std::chrono::duration<double, std::micro>(Time::now() - begin).count());
  }
  return median_of(std::move(times));
}

double omni_us(const std::string& program, const std::string& url) {
  FILE* const out = popen(fmt::format("{} call {} {}", program, url, kCalls).c_str(), "r");
  double us = 0;
  if (out == nullptr || fscanf(out, "%lf", &us) != 1) us = 0;
  if (out != nullptr) pclose(out);
  return us;
}

template <class Condition>
bool within_ten_seconds(Condition condition) {
  const auto until = Time::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (Time::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}
bool is_listening(const std::string& port) {
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool answers = connect(client, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  close(client);
  return answers;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  char folder[] = "/tmp/hector-bench-names-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  setenv("HECTOR_RUN_DIRECTORY", folder, 1);
  const std::string configuration = std::string(folder) + "/hub.yaml";
  std::ofstream(configuration) << "capsule: hub\nstore: memory\nprotocols: {udp: {listen: "
                                  "\"127.0.0.1:0\"}}\nservices: {naming: embedded}\n";
  std::vector<double> locals, remotes, omnis, ratios;
  {
    Child capsule({beside("hector-capsule"), configuration});
    const std::string cos = beside("../bench/cos_names");
    const bool has_omni =
        std::filesystem::exists(cos) && std::system("command -v omniNames >/dev/null") == 0;
    const std::string port = std::to_string(20'000 + getpid() % 20'000);
    const std::string url = "corbaname::127.0.0.1:" + port;
    std::unique_ptr<Child> omni;
    if (has_omni)
      omni = std::make_unique<Child>(std::vector<std::string>{"omniNames", "-start", port,
                                                              "-logdir", folder, "-ORBendPoint",
                                                              "giop:tcp:127.0.0.1:" + port});
    const bool is_up = within_ten_seconds([&] {
      return std::filesystem::exists(std::string(folder) + "/hub.reference") &&
             (!has_omni || is_listening(port));
    });
    if (!is_up) {
      fmt::print(stderr, "the capsule or omniNames has not come up within 10 s\n");
      return 1;
    }
    for (int i = 0; i < rounds; ++i) {
      fmt::print(stderr, "round {} of {}\n", i + 1, rounds);
      locals.push_back(local_us());
      remotes.push_back(remote_us(folder));
      if (!has_omni) continue;
      omnis.push_back(omni_us(cos, url));
      ratios.push_back(omnis.back() / remotes.back());
    }
  }
  std::filesystem::remove_all(folder);
  fmt::print("| what (median of {} rounds, ends) | µs | goal |\n|---|---|---|\n", rounds);
  fmt::print("| a name of two parts looked up in the capsule | {} | 1 |\n", spread(locals));
  fmt::print("| from another capsule over udp, p50 | {} | 10 |\n", spread(remotes));
  fmt::print("| omniNames through omniORB, p50 | {} | |\n", spread(omnis));
  fmt::print("| omniNames ÷ Hector | {} | above 1 |\n", spread(ratios));
  return 0;
}
