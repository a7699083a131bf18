#include "types/model/compiled_interface.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <map>
#include <regex>
#include <set>

#include "hector/check.h"
#include "hector/sha256.h"
#include "types/order/projection.h"

namespace hector::types {

namespace pb = google::protobuf;
using hector::type::v1::Expression;

namespace {

static_assert(static_cast<int>(Kind::kStream) ==
              hector::type::v1::KIND_STREAM - hector::type::v1::KIND_RPC);
static_assert(static_cast<int>(Flow::kBoth) == hector::type::v1::FLOW_BOTH);
Operation compile_operation(const hector::type::v1::Operation& model, std::uint32_t index) {
  Operation operation;
  operation.name = model.name();
  operation.index = index;
  operation.kind = static_cast<Kind>(model.kind() - hector::type::v1::KIND_RPC);
  operation.flow = static_cast<Flow>(model.flow());
  operation.input = model.input();
  operation.output = model.output();
  operation.idempotent = model.idempotent();
  operation.throws.assign(model.throws().begin(), model.throws().end());
  return operation;
}

/// For operations without a message: gRPC's methods always have one.
constexpr const char* kEmptyFile = "google/protobuf/empty.proto";

/// The descriptor of a gRPC service of the Interface's name, in a file of its own unless the files
/// already have one.
void add_service(const hector::type::v1::Interface& model, const MessagePool& pool,
                 pb::FileDescriptorSet& files) {
  if (pool.pool().FindServiceByName(model.name()) != nullptr || model.operations().empty()) return;
  pb::FileDescriptorProto file;
  file.set_name("hector/interface/" + model.name() + ".proto");
  file.set_syntax("proto3");
  const auto dot = model.name().rfind('.');
  if (dot != std::string::npos) file.set_package(model.name().substr(0, dot));
  auto* service = file.add_service();
  service->set_name(dot == std::string::npos ? model.name() : model.name().substr(dot + 1));
  std::set<std::string> imports;
  const auto type_name = [&](const std::string& message) {
    const auto* found = pool.find(message);
    if (found != nullptr) imports.insert(found->file()->name());
    return "." + message;
  };
  bool needs_empty = false;
  for (const auto& operation : model.operations()) {
    auto* method = service->add_method();
    method->set_name(operation.name());
    method->set_input_type(type_name(operation.input()));
    if (operation.output().empty()) {
      needs_empty = true;
      method->set_output_type(".google.protobuf.Empty");
    } else {
      method->set_output_type(type_name(operation.output()));
    }
    method->set_client_streaming(operation.flow() == hector::type::v1::FLOW_IN ||
                                 operation.flow() == hector::type::v1::FLOW_BOTH);
    method->set_server_streaming(operation.flow() == hector::type::v1::FLOW_OUT ||
                                 operation.flow() == hector::type::v1::FLOW_BOTH);
  }
  if (needs_empty && imports.insert(kEmptyFile).second &&
      pool.pool().FindFileByName(kEmptyFile) == nullptr) {
    auto* empty = files.add_file();
    empty->set_name(kEmptyFile);
    empty->set_package("google.protobuf");
    empty->set_syntax("proto3");
    empty->add_message_type()->set_name("Empty");
  }
  for (const auto& import : imports) file.add_dependency(import);
  *files.add_file() = std::move(file);
}

}  // namespace

std::string deterministic(const pb::Message& message) {
  std::string out;
  {
    pb::io::StringOutputStream stream(&out);
    pb::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return out;
}

Result<CompiledPtr> CompiledInterface::make(hector::type::v1::Interface model) {
  auto made = std::make_shared<CompiledInterface>();
  made->model_ = std::move(model);
  const auto& typed = made->model_;
  made->id_ = fmt::format("{}/{}", typed.name(), typed.major());
  pb::FileDescriptorSet files;
  if (!files.ParseFromString(typed.descriptors())) {
    return fail(
        Error::invalid_argument(made->id_ + ": its descriptors are not a FileDescriptorSet"));
  }
  made->pool_ = HECTOR_TRY(MessagePool::make(files));
  made->operations_ = HECTOR_TRY(made->compile(typed.operations()));
  made->initiates_ = HECTOR_TRY(made->compile(typed.initiates()));
  for (const auto& operation : made->operations_)
    made->by_name_.emplace(operation.name, operation.index);
  if (typed.has_protocol()) {
    auto automaton = HECTOR_TRY(interface_automaton(typed));
    for (const Symbol symbol : automaton.symbols)
      HECTOR_CHECK(symbol < made->operations_.size() + made->initiates_.size(),
                   "the order has a symbol that is no operation");
    made->automaton_ = std::move(automaton);
  }
  add_service(typed, *made->pool_, files);
  made->descriptors_ = files.SerializeAsString();
  made->serialised_ = deterministic(typed);
  made->identity_ = sha256_hex(made->serialised_);
  return CompiledPtr(std::move(made));
}

/// The operations with their positions. A model may come from another capsule, so it is not
/// trusted.
Result<std::vector<Operation>> CompiledInterface::compile(const Operations& models) const {
  std::vector<Operation> list;
  for (const auto& model : models) {
    if (model.kind() < hector::type::v1::KIND_RPC || model.kind() > hector::type::v1::KIND_STREAM)
      return fail(Error::invalid_argument(
          fmt::format("{}: operation '{}' has no kind", id_, model.name())));
    for (const auto* message : {&model.input(), &model.output()}) {
      if (!message->empty() && pool_->find(*message) == nullptr) {
        return fail(Error::invalid_argument(fmt::format(
            "{}: operation '{}' uses the unknown message '{}'", id_, model.name(), *message)));
      }
    }
    list.push_back(compile_operation(model, static_cast<std::uint32_t>(list.size())));
  }
  return list;
}

const Operation* CompiledInterface::find(std::string_view operation) const noexcept {
  const auto found = by_name_.find(operation);
  return found == by_name_.end() ? nullptr : &operations_[found->second];
}

namespace {

/// Protobuf's words about a field, "(a): invalid value "x" for type TYPE_INT64", in people's.
std::string json_mistake(const std::string& text) {
  static const std::regex kWrongValue(
      "\\(?([^():]*)\\)?: invalid value (.*) for type TYPE_([A-Z0-9]+)", std::regex::extended);
  std::smatch parts;
  if (!std::regex_search(text, parts, kWrongValue)) return text;
  static const std::map<std::string, std::string> kTypes{
      {"BOOL", "true or false"}, {"BYTES", "octets in base64"},
      {"DOUBLE", "a number"},    {"ENUM", "one of the enumeration's names"},
      {"FLOAT", "a number"},     {"STRING", "a text"}};
  const auto type = kTypes.find(parts[3].str());
  return fmt::format("{}: {} was expected, not {}", parts[1].str(),
                     type == kTypes.end() ? "a whole number" : type->second, parts[2].str());
}

}  // namespace

Result<std::string> CompiledInterface::from_json(std::string_view message,
                                                 std::string_view json) const {
  const auto* type = pool_->find(std::string(message));
  if (type == nullptr)
    return fail(Code::kNotFound, fmt::format("{} has no message '{}'", id_, message));
  auto object = pool_->create(type);
  const auto status =
      pb::util::JsonStringToMessage(pb::StringPiece(json.data(), json.size()), object.get());
  if (!status.ok()) {
    return fail(Code::kInvalidArgument, fmt::format("not the JSON of a {}: {}", message,
                                                    json_mistake(status.message().as_string())));
  }
  return object->SerializeAsString();
}

Result<std::string> CompiledInterface::to_json(std::string_view message,
                                               std::string_view bytes) const {
  const auto* type = pool_->find(std::string(message));
  if (type == nullptr)
    return fail(Code::kNotFound, fmt::format("{} has no message '{}'", id_, message));
  auto object = pool_->create(type);
  if (!object->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Code::kInvalidArgument,
                fmt::format("{} octets are not a serialised {}", bytes.size(), message));
  }
  std::string json;
  pb::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  const auto status = pb::util::MessageToJsonString(*object, &json, options);
  if (!status.ok()) return fail(Code::kInternal, status.message().as_string());
  return json;
}

}  // namespace hector::types
