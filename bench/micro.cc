// What: the parts of a call and of a bind one by one, with Google Benchmark.
// Why: a ratio that falls short is explained by what its parts cost.
// Who: people who make Hector faster; `bench_micro --benchmark_filter=…`.
#include <benchmark/benchmark.h>

#include "channel/rights_cache.h"
#include "hector/message.h"
#include "kits/kit_capsule.h"
#include "types/check/conformance.h"
#include "types/check/signature.h"
#include "types/model/reader.h"
#include "types/order/monitor.h"
#include "types/registry/repository.h"

namespace {

using namespace hector;
using hector::kits::source_path;

types::TypeFile meeting() {
  return *types::read_type_file(source_path("templates/meeting/meeting.hector.yaml"));
}

types::CompiledPtr interface_of(const types::TypeFile& file, const std::string& name) {
  for (const auto& model : file.interfaces) {
    if (model.name() == name) return *types::CompiledInterface::make(model);
  }
  return nullptr;
}

Header session_header() {
  Header header;
  header.session = 0x1234567890abcdef;
  header.offer = 42;
  header.operation = 3;
  header.principal = "hector:north/organiser";
  return header;
}

void header_encode(benchmark::State& state) {
  const Header header = session_header();
  std::string out;
  for (auto _ : state) {
    out.clear();
    encode_header(header, TimePoint{}, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(header_encode);

void header_decode(benchmark::State& state) {
  std::string wire;
  encode_header(session_header(), TimePoint{}, wire);
  Header header;
  for (auto _ : state) benchmark::DoNotOptimize(decode_header(wire, TimePoint{}, header));
}
BENCHMARK(header_decode);

/// What a call without a Binding pays where rights are asked and the decision is known.
void rights_known(benchmark::State& state) {
  static RightsCache cache;
  const CallKey key{42, 3, Security::kPrivacy, "capsule:north/organiser", "", "grpc"};
  std::string why;
  if (state.thread_index() == 0) cache.put(key, 1, {true, "permitted by site"});
  for (auto _ : state) benchmark::DoNotOptimize(cache.find(key, 1, why));
}
BENCHMARK(rights_known)->Threads(1)->Threads(2);

void monitor_step(benchmark::State& state) {
  auto file = meeting();
  auto& binding = file.bindings.front();
  binding.clear_protocol();  // every order: the same two symbols for ever
  types::View view{0, 0,
                   std::vector<std::uint32_t>(static_cast<std::size_t>(binding.roles_size()), 1)};
  types::Monitor monitor(binding, view);
  for (auto _ : state) benchmark::DoNotOptimize(monitor.step(types::view_symbol(0, 0)));
}
BENCHMARK(monitor_step);

void role_conformance(benchmark::State& state) {
  const auto file = meeting();
  const auto& binding = file.bindings.front();
  const auto role = static_cast<std::uint32_t>(types::role_position(binding, "attendee"));
  const auto calendar = interface_of(file, "diary.Calendar");
  for (auto _ : state)
    benchmark::DoNotOptimize(types::check_role(*calendar, binding, role, *calendar));
}
BENCHMARK(role_conformance)->Unit(benchmark::kMicrosecond);

void role_conformance_known(benchmark::State& state) {
  types::Repository repository;
  static_cast<void>(repository.load_file(source_path("templates/meeting/meeting.hector.yaml")));
  const auto binding = *repository.binding("diary.Meeting/1");
  const auto role = static_cast<std::uint32_t>(types::role_position(binding, "attendee"));
  const auto calendar = *repository.interface("diary.Calendar/1");
  for (auto _ : state)
    benchmark::DoNotOptimize(repository.conformance(calendar, binding, role, calendar));
}
BENCHMARK(role_conformance_known);

/// 500 message types that refer to each other, ten fields each, against a copy of themselves.
void message_closure(benchmark::State& state) {
  google::protobuf::FileDescriptorSet files;
  auto* file = files.add_file();
  file->set_name("m.proto");
  file->set_syntax("proto3");
  for (int t = 0; t < 500; ++t) {
    auto* message = file->add_message_type();
    message->set_name("T" + std::to_string(t));
    for (int f = 1; f <= 10; ++f) {
      auto* field = message->add_field();
      field->set_name("f" + std::to_string(f));
      field->set_number(f);
      field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
      field->set_type(f <= 5 ? google::protobuf::FieldDescriptorProto::TYPE_MESSAGE
                             : google::protobuf::FieldDescriptorProto::TYPE_INT64);
      if (f <= 5) field->set_type_name(".T" + std::to_string((t * f + f) % 500));
    }
  }
  const auto sent = *types::MessagePool::make(files), expected = *types::MessagePool::make(files);
  for (auto _ : state) {
    std::vector<Finding> findings;
    types::check_message(*sent->find("T0"), *expected->find("T0"), "request", findings);
    benchmark::DoNotOptimize(findings);
  }
}
BENCHMARK(message_closure)->Unit(benchmark::kMicrosecond);

void interface_compiled(benchmark::State& state) {
  const auto file = meeting();
  for (auto _ : state) benchmark::DoNotOptimize(interface_of(file, "diary.Calendar"));
}
BENCHMARK(interface_compiled)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
