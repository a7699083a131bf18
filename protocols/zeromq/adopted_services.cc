#include "adopted_services.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/forwarding.h"
#include "objects/world_object.h"
#include "roc_description.h"

namespace hector::zeromq {

using objects::Arguments;
using objects::Description;
using objects::Use;

namespace {

struct ServiceFacts {
  std::string service;
  Description description;
  objects::WrittenInterface interface;
};

/// A call that its answer and its cancellation both want to end: the first one does.
class Ending {
 public:
  explicit Ending(Call& call) : call_(&call) {}
  /// Null for the second one.
  Call* take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(call_, nullptr);
  }

 private:
  std::mutex mutex_;
  Call* call_;
};

/// An Object that stands for a service.
class AdoptedService final : public Servant {
 public:
  AdoptedService(std::shared_ptr<RocClient> client, ServiceFacts facts,
                 std::unique_ptr<const objects::MessageCodec> codec, const Interface& interface)
      : client_(std::move(client)), facts_(std::move(facts)), codec_(std::move(codec)) {
    for (const auto& operation : interface.operations())
      routes_.push_back(&facts_.interface.route_of(operation.name));
  }
  void invoke(Call& given) noexcept override {
    auto request = rpc_of(given);
    if (!request) return given.fail(std::move(request.error()));
    Call& call = given.defer();
    // Shared by the answer and the cancellation.
    auto ending = std::make_shared<Ending>(call);
    call.on_cancel([ending] {
      if (auto* const mine = ending->take()) mine->fail(mine->why_cancelled());
    });
    const Operation& operation = *call.operation;
    const bool is_set = routes_.at(operation.index)->use == Use::kSet;
    client_->request(facts_.service, request->method, request->arguments, client_->time_left(call),
                     [this, ending, &operation, is_set](Result<Value> result) {
                       // The call has not ended: its servant, this, is still there.
                       auto* const mine = ending->take();
                       if (mine == nullptr) return;
                       if (!result) return mine->fail(std::move(result.error()));
                       if (is_set) return mine->complete();
                       auto reply = codec_->reply_of(operation, *result);
                       if (reply) return mine->complete(Payload(std::move(*reply)));
                       mine->fail(Error::internal(
                           "what the ROC object answered does not fit its own description: " +
                           reply.error().message));
                     });
  }

 private:
  struct Rpc {
    std::string method;
    Arguments arguments;
  };
  Result<Rpc> rpc_of(Call& call) const {
    const auto& route = *routes_.at(call.operation->index);
    const auto& member = facts_.description.members[route.member];
    const Bytes request = call.request.bytes();
    Rpc made;
    if (route.use == Use::kCall) {
      made.method = member.name;
      made.arguments =
          HECTOR_TRY(codec_->arguments_of(*call.operation, request, member.parameters));
      if (has_only_call(facts_.description)) made = named_rpc(made.arguments);
    } else {
      made.method = route.use == Use::kGet ? "rpc.getattr" : "rpc.setattr";
      made.arguments.positional.push_back(Value::of(std::string_view(member.name)));
      if (route.use == Use::kSet) {
        auto value = HECTOR_TRY(codec_->value_of_request(*call.operation, request));
        made.arguments.positional.push_back(std::move(value));
      }
    }
    if (!made.arguments.positional.empty() && !made.arguments.keywords.items.empty())
      return fail(
          Error::invalid_argument("JSON-RPC takes arguments by position or by name, not both")
              .with_type("TypeError"));
    return made;
  }
  /// call(method, params) of a service that has not described itself.
  static Rpc named_rpc(const Arguments& call) {
    Rpc made{objects::text_in(call.keywords, "method"), {}};
    const auto* const params = call.keywords.find("params");
    if (params != nullptr && params->is(Value::Kind::kMap))
      made.arguments.keywords = *params;
    else if (params != nullptr)
      made.arguments.positional = params->elements();
    return made;
  }
  const std::shared_ptr<RocClient> client_;
  const ServiceFacts facts_;
  const std::unique_ptr<const objects::MessageCodec> codec_;
  std::vector<const objects::Route*> routes_;
};

/// Of a service that is an Object of another capsule.
Result<Reference> reference_of(const Value& told) {
  const std::string text = objects::text_in(told, objects::kReference);
  if (text.empty()) return fail(Error::not_found("the service's description has no reference"));
  return Reference::from_text(text);
}

std::map<std::string, std::string> properties_of(const std::string& service) {
  return {{"service", json_of(Value::of(std::string_view(service)))}};
}

/// What an Object's name may not contain becomes '-'.
std::string object_name_of(std::string service) {
  std::replace_if(
      service.begin(), service.end(),
      [](char each) {
        return each == '.' || each == ' ' || each == '/' || static_cast<unsigned char>(each) < 0x20;
      },
      '-');
  return service;
}

constexpr const char* kKind = "roc object";  ///< shown in the place of a template's name

}  // namespace

Status AdoptedServices::adopt(const std::string& service, const Result<Value>& said) {
  // Whatever it refuses rpc.describe with, it is there and does not describe itself.
  const Value told = said ? *said : Value::map();
  const bool is_capsules = told.find("hector") != nullptr;
  if (is_capsules && !link_->options.world.adopt_capsules) return {};  // reached without the broker
  const std::string object = object_name_of(service);
  if (adopt_capsules_object(service, object, told)) return {};
  return adopt_description(service, object, told);
}

/// As the Object that it is in its own capsule: with its Interface, by the protocol that both have.
Status AdoptedServices::adopt_capsules_object(const std::string& service, const std::string& object,
                                              const Value& told) {
  const auto reference = HECTOR_TRY(reference_of(told));
  HECTOR_TRY(objects::adopt_offer(*link_->context.hosting, link_->owner(),
                                  {object, {}, properties_of(service), kKind}, reference,
                                  [client = client_, service]() -> Result<Reference> {
                                    const auto said = HECTOR_TRY(client->describe(service));
                                    return reference_of(said);
                                  }));
  return remember(service, object);
}

Status AdoptedServices::adopt_description(const std::string& service, const std::string& object,
                                          const Value& told) {
  const Description description = read_description(told);
  const std::string& named = description.class_name == "Object" ? service : description.class_name;
  const std::string interface_name =
      fmt::format("roc.{}", objects::identifier_of(named).value_or("Object"));
  const auto make = [&](const auto& written, auto codec, const InterfacePtr& interface) {
    return std::make_unique<AdoptedService>(client_, ServiceFacts{service, description, written},
                                            std::move(codec), *interface);
  };
  HECTOR_TRY(objects::adopt(
      *link_->context.hosting, link_->owner(),
      {object, interface_name, properties_of(service), kKind, objects::BytesText::kBase64},
      description, make));
  return remember(service, object);
}

Status AdoptedServices::remember(const std::string& service, const std::string& object) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_closed_) {
      objects_[service] = object;
      return {};
    }
  }
  dismiss_object(object);
  return fail(Error::unavailable("the ROC network is closed"));
}

void AdoptedServices::dismiss(const std::string& service) {
  std::string object;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(service);
    if (found == objects_.end()) return;
    object = std::move(found->second);
    objects_.erase(found);
  }
  dismiss_object(object);
}

void AdoptedServices::close() {
  std::map<std::string, std::string> all;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    all.swap(objects_);
  }
  for (const auto& [service, object] : all) dismiss_object(object);
}

void AdoptedServices::dismiss_object(const std::string& object) {
  // NOT_FOUND: an operator has dismissed it already.
  [[maybe_unused]] const Status gone = link_->context.hosting->dismiss(object);
}

}  // namespace hector::zeromq
