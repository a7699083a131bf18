#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <mutex>

#include "base/text/nearest.h"
#include "capsule/kernel_impl.h"
#include "hector/management/v1/management.pb.h"
#include "hector/message_calls.h"
#include "hector/sha256.h"
#include "hector/table_servant.h"
#include "party/party_session.h"
#include "services/builtin.h"
#include "types/order/expression.h"

namespace hector {

using management::v1::BindReply;
using management::v1::CallReply;
using management::v1::CallRequest;
using management::v1::CreateReply;
using management::v1::CreateRequest;
using management::v1::DeleteRequest;
using management::v1::DescribeReply;
using management::v1::DescribeRequest;
using management::v1::Done;
using management::v1::Item;
using management::v1::ListReply;
using management::v1::ListRequest;
using management::v1::LoadReply;
using management::v1::LoadRequest;
using management::v1::Nothing;
using management::v1::VersionReply;

hector::type::v1::Interface management_interface() {
  return builtin_interface(
      "hector.Management", "Everything that can be administered in a capsule.",
      {builtin_rpc<ListRequest, ListReply>("list"),
       builtin_rpc<DescribeRequest, DescribeReply>("describe"),
       builtin_rpc<LoadRequest, LoadReply>("load"), builtin_rpc<LoadRequest, LoadReply>("unload"),
       builtin_rpc<CreateRequest, CreateReply>("create"),
       builtin_rpc<DeleteRequest, Done>("delete"), builtin_rpc<CallRequest, CallReply>("call"),
       builtin_rpc<management::v1::BindRequest, BindReply>("bind"),
       builtin_rpc<Nothing, VersionReply>("version"),
       builtin_rpc<management::v1::MoveRequest, management::v1::MoveReply>("move")});
}

namespace {

const std::vector<std::string> kKinds{"capsules", "protocols", "languages", "services", "templates",
                                      "objects",  "offers",    "bindings",  "channels", "types"};

constexpr std::size_t kFlowMessagesMax = 10'000;
constexpr std::size_t kShortIdentity = 12;

class Row {
 public:
  Row(ListReply& reply, const std::string& name) : item_(reply.add_items()) {
    item_->set_name(name);
  }
  Row& with(const std::string& field, const std::string& value) {
    auto* added = item_->add_fields();
    added->set_name(field);
    added->set_value(value);
    return *this;
  }

 private:
  Item* item_;
};

class Management {
 public:
  explicit Management(KernelImpl& kernel) : kernel_(kernel), core_(kernel.core()) {}

  Result<ListReply> list(const ListRequest& request) {
    ListReply reply;
    std::string kind = request.kind();
    if (!kind.empty() && kind.back() != 's') kind += 's';
    reply.set_kind(kind);
    if (kind == "capsules") return list_capsules(reply);
    if (kind == "protocols") return list_protocols(reply);
    if (kind == "languages") {
      for (const auto& [name, formats] : kernel_.templates().languages())
        Row(reply, name).with("formats", formats);
    } else if (kind == "services") {
      for (const auto& [name, provider] : kernel_.providers().list())
        Row(reply, name).with("provider", provider);
    } else if (kind == "templates") {
      for (const auto& loaded : kernel_.templates().list()) {
        Row(reply, loaded.name)
            .with("language", loaded.language)
            .with("interface", loaded.interface_id)
            .with("objects", std::to_string(loaded.objects))
            .with("file", loaded.path);
      }
    } else if (kind == "objects" || kind == "offers") {
      list_objects(reply, kind == "offers");
    } else if (kind == "bindings") {
      list_bindings(reply);
    } else if (kind == "channels") {
      list_channels(reply);
    } else if (kind == "types") {
      for (const auto& type : core_.types.interfaces()) {
        Row(reply, type->id())
            .with("kind", "interface")
            .with("identity", type->identity().substr(0, kShortIdentity))
            .with("description", type->typed_model().description());
      }
      for (const auto& type : core_.types.bindings()) {
        Row(reply, types::binding_id(type))
            .with("kind", "binding")
            .with("identity", sha256_hex(type.SerializeAsString()).substr(0, kShortIdentity))
            .with("description", type.description());
      }
      for (const auto& type : core_.types.interaction_types()) {
        Row(reply, types::interaction_type_id(type))
            .with("kind", "interaction")
            .with("identity", sha256_hex(type.SerializeAsString()).substr(0, kShortIdentity))
            .with("description", type.description());
      }
    } else {
      return fail(Code::kInvalidArgument,
                  fmt::format("there is no kind '{}'{}; kinds are {}", request.kind(),
                              nearest_hint(kind, kKinds), fmt::join(kKinds, ", ")));
    }
    return reply;
  }

  Result<DescribeReply> describe(const DescribeRequest& request) {
    std::string json;
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.add_whitespace = true;
    const auto print = [&](const google::protobuf::Message& message) {
      static_cast<void>(google::protobuf::util::MessageToJsonString(message, &json, options));
      DescribeReply reply;
      reply.set_json(json);
      return reply;
    };
    if (request.kind() == "type") {
      if (auto interface = core_.types.interface(request.name())) {
        auto model = (*interface)->typed_model();
        model.clear_descriptors();
        return print(model);
      }
      for (const auto& type : core_.types.interaction_types()) {
        if (types::interaction_type_id(type) == request.name()) return print(type);
      }
      auto binding = core_.types.binding(request.name());
      if (!binding)
        return fail(Code::kNotFound,
                    fmt::format("no type '{}'; `hector get types` lists them", request.name()));
      return print(*binding);
    }
    if (request.kind() == "binding") {
      if (const auto controller =
              kernel_.bindings().find(std::strtoull(request.name().c_str(), nullptr, 16)))
        return print(controller->state());
      return fail(Code::kNotFound,
                  fmt::format("this capsule made no Binding '{}'", request.name()));
    }
    if (request.kind() == "object") return describe_object(request.name(), print);
    ListRequest list_request;
    list_request.set_kind(request.kind());
    auto listed = HECTOR_TRY(list(list_request));
    for (const auto& item : listed.items()) {
      if (item.name() == request.name()) return print(item);
    }
    return fail(Code::kNotFound, fmt::format("no {} '{}'", request.kind(), request.name()));
  }

  Result<LoadReply> load(const LoadRequest& request) {
    LoadReply reply;
    if (request.kind() == "template") {
      if (request.dry_run())
        return fail(Code::kInvalidArgument,
                    "loading a template has no dry run; `hector type check` checks its types");
      auto name = HECTOR_TRY(kernel_.load_template(request.name()));
      reply.set_name(name);
      return reply;
    }
    if (request.kind() == "type") {
      auto ids = HECTOR_TRY(kernel_.load_types(request.name()));
      reply.set_name(fmt::format("{}", fmt::join(ids, " ")));
      return reply;
    }
    auto kind = HECTOR_TRY(module_kind(request.kind()));
    if (kernel_.loader() == nullptr)
      return fail(Code::kUnimplemented, "this capsule was built without a module loader");
    if (kind != ModuleKind::kProtocol && request.listen_size() > 0)
      return fail(Code::kInvalidArgument, fmt::format("only a protocol listens; '{}' is a {}",
                                                      request.name(), request.kind()));
    auto effects = HECTOR_TRY(kernel_.loader()->load(
        kind, request.name(), {request.listen().begin(), request.listen().end()},
        request.settings(), request.dry_run()));
    reply.set_name(request.name());
    for (auto& effect : effects) reply.add_effects(std::move(effect));
    return reply;
  }

  Result<LoadReply> unload(const LoadRequest& request) {
    LoadReply reply;
    reply.set_name(request.name());
    Result<std::vector<std::string>> effects;
    if (request.kind() == "template") {
      effects = kernel_.unload_template(request.name(), request.dry_run());
    } else {
      auto kind = HECTOR_TRY(module_kind(request.kind()));
      effects = kernel_.unload(kind, request.name(), request.dry_run());
    }
    if (!effects) return fail(effects.error());
    for (auto& effect : *effects) reply.add_effects(std::move(effect));
    return reply;
  }

  Result<CreateReply> create(const CreateRequest& request) {
    CreateOptions options;
    options.template_name = request.template_();
    options.name = request.name();
    if (!request.arguments().empty()) options.arguments = request.arguments();
    options.properties.insert(request.properties().begin(), request.properties().end());
    options.is_successor = request.is_successor();
    if (request.has_state()) options.state = request.state();
    auto reference = HECTOR_TRY(kernel_.create_object(options));
    CreateReply reply;
    reply.set_reference(reference.text());
    return reply;
  }

  Result<Done> remove(const DeleteRequest& request) {
    Status done;
    if (request.kind() == "object") {
      done = kernel_.delete_object(request.name());
    } else if (request.kind() == "binding") {
      done = kernel_.bindings().unbind(std::strtoull(request.name().c_str(), nullptr, 16));
    } else {
      done = fail(Code::kInvalidArgument,
                  fmt::format("'{}' cannot be deleted; object and binding can", request.kind()));
    }
    if (!done) return fail(done.error());
    Done reply;
    reply.set_text(fmt::format("{} {} deleted", request.kind(), request.name()));
    return reply;
  }

  Result<CallReply> call(const CallRequest& request) {
    auto target = HECTOR_TRY(kernel_.capsule().resolve(request.target()));
    const auto& interface = target->interface();
    const Operation* operation = interface->find(request.operation());
    if (operation == nullptr) {
      std::vector<std::string> names;
      for (const auto& each : interface->operations()) names.push_back(each.name);
      return fail(Code::kNotFound,
                  fmt::format("{} ({}) has no operation '{}'{}; it has {}", request.target(),
                              interface->id(), request.operation(),
                              nearest_hint(request.operation(), names), fmt::join(names, ", ")));
    }
    const std::string json = request.json().empty() ? "{}" : request.json();
    const Deadline deadline =
        core_.options.clock->now() +
        std::chrono::milliseconds(request.timeout_ms() == 0 ? 30'000 : request.timeout_ms());
    if (operation->kind == Kind::kStream) {
      // A flow without an end is told as far as it came, while there is time to tell it.
      const Duration left = deadline - core_.options.clock->now();
      return call_flow(*target, *operation, json,
                       deadline - std::min<Duration>(std::chrono::milliseconds(500), left / 5));
    }
    auto bytes = HECTOR_TRY(interface->from_json(operation->input, json));
    WaitedCall call;
    call.header.operation = operation->index;
    call.header.operation_name = operation->name;
    call.header.deadline = deadline;
    call.request = Payload(Bytes::take(std::move(bytes)));
    call.run(*target, *core_.options.clock);
    if (call.error) return fail(std::move(*call.error));
    CallReply reply;
    if (operation->kind == Kind::kAnnounce) return reply;
    auto text = HECTOR_TRY(interface->to_json(operation->output, call.reply.bytes().view()));
    reply.add_json(text);
    return reply;
  }

  Result<BindReply> bind(const hector::management::v1::BindRequest& request) {
    hector::BindRequest wanted;
    wanted.type = request.type();
    for (const auto& party : request.parties())
      wanted.parties.push_back({party.role(), party.who()});
    if (request.explain_only()) return kernel_.bindings().explain(wanted);
    auto controller = HECTOR_TRY(kernel_.bindings().bind(wanted));
    return controller->formation();
  }

  Result<management::v1::MoveReply> relocate(const management::v1::MoveRequest& request) {
    return kernel_.relocate(request.object(), request.to());
  }

  Result<VersionReply> version() {
    VersionReply reply;
    reply.set_version("0.1.0");
    reply.set_capsule(core_.options.capsule);
    reply.set_build(__VERSION__);
    return reply;
  }

 private:
  static Result<ModuleKind> module_kind(const std::string& kind) {
    for (const auto each : {ModuleKind::kProtocol, ModuleKind::kLanguage, ModuleKind::kService}) {
      if (kind == module_kind_name(each)) return each;
    }
    return fail(
        Code::kInvalidArgument,
        fmt::format("'{}' cannot be loaded; protocol, language, service, template and type can",
                    kind));
  }

  Result<ListReply> list_capsules(ListReply& reply) {
    auto naming = kernel_.capsule().naming();
    if (!naming) {
      Row(reply, core_.options.capsule)
          .with("reached by", profiles_text(core_.protocols.profiles()));
      return reply;
    }
    auto found = HECTOR_TRY((*naming)->list("capsules"));
    for (const auto& each : found)
      Row(reply, each.reference.capsule).with("reached by", profiles_text(each.reference.profiles));
    return reply;
  }

  static std::string profiles_text(const std::vector<Profile>& profiles) {
    std::string text;
    for (const auto& profile : profiles)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", profile.protocol, profile.address);
    return text;
  }

  Result<ListReply> list_protocols(ListReply& reply) {
    for (const auto& name : core_.protocols.names()) {
      auto capabilities = core_.protocols.capabilities(name);
      std::string addresses;
      for (const auto& profile : core_.protocols.profiles()) {
        if (profile.protocol == name)
          addresses += (addresses.empty() ? "" : ", ") + profile.address;
      }
      std::string kinds = "rpc announce stream";
      if (capabilities && capabilities->multicast) kinds += " multicast";
      Row(reply, name)
          .with("address", addresses)
          .with("kinds", kinds)
          .with("channels", std::to_string(core_.protocols.channels(name)));
    }
    return reply;
  }

  void list_objects(ListReply& reply, bool as_offers) {
    for (const auto& offer : core_.offers.all()) {
      if (offer->is_system && !as_offers) continue;
      Row row(reply, offer->object);
      row.with("interface", offer->interface->id());
      if (as_offers) {
        row.with("offer", id_text(offer->id))
            .with("sessions", std::to_string(offer->sessions.load()));
        std::string properties;
        for (const auto& [name, value] : offer->properties.get())
          properties += fmt::format("{}{}={}", properties.empty() ? "" : " ", name, value);
        row.with("properties", properties);
      } else {
        row.with("template", offer->host->options().template_name)
            .with("thread",
                  offer->host->options().thread == ThreadModel::kPrivate ? "private" : "pooled");
        row.with("calls", std::to_string(offer->host->calls())).with("principal", offer->principal);
      }
    }
  }

  void list_bindings(ListReply& reply) {
    for (const auto& controller : kernel_.bindings().all()) {
      std::string parties;
      const auto formation = controller->formation();
      for (const auto& party : formation.parties())
        parties += fmt::format("{}{}={}", parties.empty() ? "" : " ", party.role(), party.object());
      Row(reply, id_text(controller->id()))
          .with("type", types::binding_id(controller->type()))
          .with("state", controller->state().state())
          .with("parties", parties);
    }
  }

  void list_channels(ListReply& reply) {
    for (const auto& session : core_.parties.all()) {
      for (const auto& channel : session->channels()) {
        Row row(reply, fmt::format("{}->{}", session->offer()->object, channel.party.object));
        row.with("binding", id_text(session->binding()))
            .with("role", channel.role)
            .with("protocol", channel.profile.protocol)
            .with("address", channel.profile.address)
            .with("sent", std::to_string(channel.sent))
            .with("why", channel.why)
            .with("hides", channel.hides);
        if (!channel.metrics) continue;
        const auto& counts = *channel.metrics;
        const auto us = [](Duration time) {
          return std::to_string(
              std::chrono::duration_cast<std::chrono::microseconds>(time).count());
        };
        row.with("calls", std::to_string(counts.calls))
            .with("failed", std::to_string(counts.failed))
            .with("mean us", us(counts.total / std::max<std::uint64_t>(counts.calls, 1)))
            .with("longest us", us(counts.longest))
            .with("last failure", counts.last_failure);
      }
    }
  }

  template <class Print>
  Result<DescribeReply> describe_object(const std::string& name, Print print) {
    auto target = HECTOR_TRY(kernel_.capsule().resolve(name));
    const auto& interface = *target->interface();
    Item item;
    item.set_name(name);
    const auto field = [&](const std::string& key, const std::string& value) {
      auto* added = item.add_fields();
      added->set_name(key);
      added->set_value(value);
    };
    field("capsule", target->reference().capsule);
    field("interface", interface.id());
    field("principal", target->reference().principal);
    for (const auto& profile : target->reference().profiles)
      field(profile.protocol, profile.address);
    for (const auto& operation : interface.operations()) {
      field("operation " + operation.name, fmt::format("{} {} -> {}", kind_name(operation.kind),
                                                       operation.input, operation.output));
    }
    const auto& model = types::compiled(interface).typed_model();
    if (model.has_protocol()) field("protocol", types::print_expression(model.protocol()));
    field("reference", target->reference().text());
    return print(item);
  }

  /// Writes every message of a JSON list (or the one), then reads what comes until the end.
  Result<CallReply> call_flow(Target& target, const Operation& operation, const std::string& json,
                              Deadline deadline) {
    const auto& interface = target.interface();
    WaitedCall call;
    call.header.operation = operation.index;
    call.header.operation_name = operation.name;
    call.header.deadline = deadline;
    if (operation.flow == Flow::kOut) {
      auto bytes = HECTOR_TRY(interface->from_json(operation.input, json));
      call.request = Payload(Bytes::take(std::move(bytes)));
    }
    struct Collector {
      std::mutex mutex;
      std::condition_variable changed;
      std::vector<Bytes> messages;
      bool over = false;
    };
    auto collector = std::make_shared<Collector>();
    class FlowTarget final : public CallTarget {
     public:
      FlowTarget(Target& target, std::function<void(Call&)> begun)
          : target_(target), begun_(std::move(begun)) {}
      void start(Call& call) noexcept override {
        target_.start(call);
        begun_(call);
      }

     private:
      Target& target_;
      std::function<void(Call&)> begun_;
    };
    std::function<void(std::shared_ptr<Stream>)> read_on =
        [&read_on, collector](std::shared_ptr<Stream> stream) {
          Stream* const from = stream.get();
          from->read([read_on, collector, stream](Result<std::optional<Payload>> message) mutable {
            std::unique_lock lock(collector->mutex);
            if (!message || !*message || collector->messages.size() >= kFlowMessagesMax) {
              collector->over = true;
              collector->changed.notify_all();
              return;
            }
            collector->messages.push_back((*message)->bytes());
            lock.unlock();
            read_on(stream);
          });
        };
    FlowTarget starter(target, [&](Call& begun) {
      if (!begun.stream) {
        collector->over = true;
        return;
      }
      if (operation.flow != Flow::kOut) {
        if (auto bytes = interface->from_json(operation.input, json))
          begun.stream->write(Payload(Bytes::take(std::move(*bytes))), [](const Status&) {});
        begun.stream->close_write();
      }
      if (operation.flow != Flow::kIn) {
        read_on(begun.stream);
      } else {
        collector->over = true;
      }
    });
    call.run(starter, *core_.options.clock);
    {
      std::unique_lock lock(collector->mutex);
      collector->changed.wait_for(lock, std::chrono::seconds(5), [&] { return collector->over; });
    }
    const bool is_cut =
        operation.flow == Flow::kOut && call.error && call.error->code == Code::kDeadlineExceeded;
    if (call.error && !is_cut) return fail(std::move(*call.error));
    CallReply reply;
    const std::lock_guard lock(collector->mutex);
    if (operation.flow == Flow::kIn) collector->messages.push_back(call.reply.bytes());
    for (const auto& message : collector->messages) {
      auto text = HECTOR_TRY(interface->to_json(operation.output, message.view()));
      reply.add_json(text);
    }
    return reply;
  }

  KernelImpl& kernel_;
  Core& core_;
};

/// Runs the work on a thread that may block, and ends the call there.
template <class In, class Work>
TableServant::Handler blocking(KernelImpl& kernel, Work work) {
  return [&kernel, work](Call& given) {
    Call& call = given.defer();
    kernel.core().blocking.run([&call, work] { answer<In>(call, work); });
  };
}

}  // namespace

std::unique_ptr<Servant> make_management(KernelImpl& kernel) {
  auto m = std::make_shared<Management>(kernel);
  return std::make_unique<TableServant>(std::vector<TableServant::Handler>{
      blocking<ListRequest>(kernel, [m](const auto& request) { return m->list(request); }),
      blocking<DescribeRequest>(kernel, [m](const auto& request) { return m->describe(request); }),
      blocking<LoadRequest>(kernel, [m](const auto& request) { return m->load(request); }),
      blocking<LoadRequest>(kernel, [m](const auto& request) { return m->unload(request); }),
      blocking<CreateRequest>(kernel, [m](const auto& request) { return m->create(request); }),
      blocking<DeleteRequest>(kernel, [m](const auto& request) { return m->remove(request); }),
      blocking<CallRequest>(kernel, [m](const auto& request) { return m->call(request); }),
      blocking<hector::management::v1::BindRequest>(
          kernel, [m](const auto& request) { return m->bind(request); }),
      blocking<Nothing>(kernel, [m](const auto&) { return m->version(); }),
      blocking<management::v1::MoveRequest>(
          kernel, [m](const auto& request) { return m->relocate(request); })});
}

}  // namespace hector
