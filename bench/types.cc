// What: a type by its id from memory, and a candidate against 100 versions in mode FULL_TRANSITIVE.
// Why: docs/performance.md says what the Type service reaches.
// Who: people; `bench_types [ROUNDS]`.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cli/session.h"
#include "hector/service/v1/type.pb.h"

namespace {

using namespace hector;
using namespace hector::service::v1;
using Time = std::chrono::steady_clock;

constexpr int kVersions = 100;
constexpr int kGets = 200'000;

std::string spread(std::vector<double> values, const char* unit) {
  std::sort(values.begin(), values.end());
  return fmt::format("{:.2f} {} ({:.2f} to {:.2f})", values[values.size() / 2], unit,
                     values.front(), values.back());
}

/// An Interface of 20 operations and an order, and one operation more with each version.
template <class Request>
Request version(int number) {
  Request request;
  request.set_name("lab.Printer/1");
  request.set_kind("interface");
  std::string operations, order;
  for (int i = 0; i < 20 + number; ++i) {
    operations += fmt::format("  do{}: {{kind: rpc, in: lab.Job, out: lab.Job}}\n", i);
    order += fmt::format("{}do{}", i == 0 ? "" : " | ", i);
  }
  auto& yaml = *request.add_descriptions();
  yaml.set_language("hector");
  yaml.set_media("application/yaml");
  yaml.set_content(fmt::format(
      "interface: lab.Printer/1\nmessages: [job.proto]\noperations:\n{}protocol: ({})*\n",
      operations, order));
  auto& proto = *request.add_descriptions();
  proto.set_language("proto");
  proto.set_media("text/x-protobuf");
  proto.set_path("job.proto");
  proto.set_content(
      "syntax = \"proto3\";\npackage lab;\nmessage Job { string name = 1; int32 copies = 2; }\n");
  return request;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  CliSession session({});
  if (auto opened = session.open_service("type"); !opened) {
    fmt::print(stderr, "{}\n", opened.error().text());
    return 1;
  }
  auto target = session.kernel().capsule().resolve("type");
  const Clock& clock = session.kernel().capsule().clock();
  std::string id;
  for (int i = 0; i < kVersions; ++i) {
    auto defined =
        call_and_wait<TypeVersion>(**target, clock, kByName, "define", version<TypeDefine>(i));
    if (!defined) {
      fmt::print(stderr, "{}\n", defined.error().text());
      return 1;
    }
    id = defined->id();
  }
  std::vector<double> gets, checks;
  TypeVersion got;  // used again: a caller that is warm does not allocate
  TypeQuestion question;
  question.set_name(id);
  for (int r = 0; r < rounds; ++r) {
    auto begin = Time::now();
    for (int i = 0; i < kGets; ++i) {
      WaitedCall call;
      call.header.operation = 2;
      call.request = write_message(question);
      call.run(**target, clock);
      const Bytes& reply = call.reply.bytes();
      if (call.error || !got.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) return 1;
    }
    gets.push_back(std::chrono::duration<double, std::micro>(Time::now() - begin).count() / kGets);
    begin = Time::now();
    auto verdict = call_and_wait<TypeVerdict>(**target, clock, kByName, "check",
                                              version<TypeCandidate>(kVersions + r));
    checks.push_back(std::chrono::duration<double, std::milli>(Time::now() - begin).count());
    if (!verdict || !verdict->ok())
      fmt::print(stderr, "{}\n", verdict ? verdict->ShortDebugString() : verdict.error().text());
  }
  fmt::print("| what (median of {} rounds, ends) | figure | goal |\n|---|---|---|\n", rounds);
  fmt::print("| a type by its id, question written and reply read | {} | 1 µs |\n",
             spread(gets, "µs"));
  fmt::print(
      "| a candidate of 120 operations against {} versions, FULL_TRANSITIVE | {} | 50 ms |\n",
      kVersions, spread(checks, "ms"));
  return 0;
}
