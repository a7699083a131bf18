#include "cli/reflection.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "cli/session.h"
#include "hector/management/v1/management.pb.h"
#include "process/run_directory.h"

namespace hector {

namespace {

namespace m = management::v1;
namespace pb = google::protobuf;

const pb::Value* field(const pb::Struct& message, const std::string& name) {
  const auto found = message.fields().find(name);
  return found == message.fields().end() ? nullptr : &found->second;
}

/// One server, asked message by message.
class Reflection {
 public:
  explicit Reflection(const std::string& server) : server_(server), session_(CliOptions{}) {}

  Status open() {
    if (auto opened = session_.open(server_.substr(0, server_.find(':'))); !opened) return opened;
    auto loaded = HECTOR_TRY(session_.kernel().load_types(
        program_prefix() + "/lib/hector/types/server_reflection.hector.yaml"));
    return {};
  }

  /// The answer's part of this name.
  Result<pb::Struct> ask(const std::string& json, const std::string& part) {
    Error last;
    for (const char* version : {"v1", "v1alpha"}) {
      if (!version_.empty() && version_ != version) continue;
      m::CallRequest request;
      request.set_target(
          fmt::format("foreign:{}/grpc.reflection.{}.ServerReflection/1", server_, version));
      request.set_operation("ServerReflectionInfo");
      request.set_json(json);
      request.set_timeout_ms(5'000);
      auto reply = session_.ask_here<m::CallReply>("call", request);
      pb::Struct answer;
      if (reply && reply->json_size() > 0 &&
          pb::util::JsonStringToMessage(reply->json(0), &answer).ok()) {
        version_ = version;
        const pb::Value* const found = field(answer, part);
        if (found != nullptr) return found->struct_value();
        const pb::Value* const refused = field(answer, "error_response");
        return fail(
            Code::kNotFound,
            fmt::format(
                "{} refuses {}{}", server_, json,
                refused == nullptr
                    ? ""
                    : ": " + field(refused->struct_value(), "error_message")->string_value()));
      }
      last = reply
                 ? Error{Code::kUnimplemented, fmt::format("{} says nothing of its types", server_)}
                 : reply.error();
    }
    if (last.code == Code::kUnimplemented)
      last.message = fmt::format(
          "{} has no server reflection: import its .proto file or a FileDescriptorSet ({})",
          server_, last.message);
    return fail(std::move(last));
  }

 private:
  const std::string server_;
  CliSession session_;
  std::string version_;
};

}  // namespace

bool is_server(const std::string& text) {
  const auto colon = text.find(':');
  std::error_code error;
  return colon != std::string::npos && colon > 0 && text.find('/') == std::string::npos &&
         !std::filesystem::exists(text, error);
}

Result<std::string> reflect(const std::string& server) {
  Reflection reflection(server);
  HECTOR_TRY(reflection.open());
  auto services = HECTOR_TRY(reflection.ask(R"({"list_services": "*"})", "list_services_response"));
  std::map<std::string, pb::FileDescriptorProto> files;
  const auto add = [&](const pb::Struct& answer) {
    const pb::Value* const list = field(answer, "file_descriptor_proto");
    for (int i = 0; list != nullptr && i < list->list_value().values_size(); ++i) {
      pb::BytesValue octets;
      pb::FileDescriptorProto file;
      if (pb::util::JsonStringToMessage("\"" + list->list_value().values(i).string_value() + "\"",
                                        &octets)
              .ok() &&
          file.ParseFromString(octets.value()))
        files.emplace(file.name(), file);
    }
  };
  const pb::Value* const list = field(services, "service");
  for (int i = 0; list != nullptr && i < list->list_value().values_size(); ++i) {
    const std::string name =
        field(list->list_value().values(i).struct_value(), "name")->string_value();
    if (name.starts_with("grpc.reflection.") || name.starts_with("grpc.health.")) continue;
    auto answer = HECTOR_TRY(reflection.ask(
        fmt::format(R"({{"file_containing_symbol": "{}"}})", name), "file_descriptor_response"));
    add(answer);
  }
  std::set<std::string> asked;
  for (bool is_complete = false; !is_complete;) {
    is_complete = true;
    std::set<std::string> missing;
    for (const auto& [name, file] : files) {
      for (const auto& import : file.dependency()) {
        if (!files.contains(import) && asked.insert(import).second) missing.insert(import);
      }
    }
    for (const auto& name : missing) {
      auto answer = HECTOR_TRY(reflection.ask(fmt::format(R"({{"file_by_filename": "{}"}})", name),
                                              "file_descriptor_response"));
      add(answer);
      is_complete = false;
    }
  }
  pb::FileDescriptorSet set;
  std::set<std::string> placed;
  const std::function<void(const std::string&)> place = [&](const std::string& name) {
    const auto found = files.find(name);
    if (found == files.end() || !placed.insert(name).second) return;
    for (const auto& import : found->second.dependency()) place(import);
    *set.add_file() = found->second;
  };
  for (const auto& [name, file] : files) place(name);
  if (set.file_size() == 0)
    return fail(Code::kNotFound, fmt::format("{} has no service but gRPC's own", server));
  return set.SerializeAsString();
}

}  // namespace hector
