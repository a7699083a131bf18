#include "type_publication.h"

#include "hector/capsule.h"
#include "hector/message_calls.h"
#include "hector/service/v1/type.pb.h"

namespace hector::heros {

namespace {

/// The Type service checks the whole Interface; nobody waits for it here.
constexpr Duration kDefineTimeout = std::chrono::seconds(10);

}  // namespace

void publish_interface(const ProtocolContext& context, const objects::WrittenInterface& interface) {
  const auto type = context.hosting->handle().resolve("type");
  if (!type) return;
  service::v1::TypeDefine request;
  request.set_name(interface.id);
  request.set_kind("interface");
  const auto describe = [&](const char* language, const char* media, const std::string& path,
                            const std::string& text) {
    auto& one = *request.add_descriptions();
    one.set_language(language);
    one.set_media(media);
    one.set_path(path);
    one.set_content(text);
  };
  describe("hector", "application/yaml",
           interface.proto_path.substr(0, interface.proto_path.rfind('.')) + ".hector.yaml",
           interface.yaml);
  describe("proto", "text/x-protobuf", interface.proto_path, interface.proto);
  describe("proto", "text/x-protobuf", objects::kValueProtoPath, objects::kValueProto);
  auto& call = CallbackCall::make([log = context.log, id = interface.id](Call& answered) {
    if (answered.error)
      log->write(Level::kWarning, "HERO's Interface cannot be published in the Type service",
                 {{"interface", id}, {"error", answered.error->message}});
  });
  call.header.operation = kByName;
  call.header.operation_name = "define";
  call.header.deadline = context.clock->now() + kDefineTimeout;
  call.request = write_message(request);
  (*type)->start(call);
}

}  // namespace hector::heros
