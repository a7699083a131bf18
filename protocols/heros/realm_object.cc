#include "realm_object.h"

#include <fmt/format.h>

#include "objects/world_object.h"

namespace hector::heros {

using objects::text_in;

namespace {

const char* const kRealmYaml =
#include "realm_yaml.inc"
    ;
const char* const kRealmProto =
#include "realm_proto.inc"
    ;
constexpr Duration kTimeout = std::chrono::seconds(10);  // as HEROS' own clients

/// tag([9000([realm, hero]), "member"])
Value member_reference(std::uint64_t tag, const std::string& realm, const std::string& hero,
                       const std::string& member) {
  return Value::tagged(
      tag, Value::list({Value::tagged(kHeroTag, Value::list({Value::of(std::string_view(realm)),
                                                             Value::of(std::string_view(hero))})),
                        Value::of(std::string_view(member))}));
}

enum class Wired : std::uint8_t { kMethod, kNone };  ///< whether a call names a method, too

/// Asks a HERO about its own wiring, and replies with what `read` makes of its answer. Kept by the
/// handlers, and by the answers in flight, which may outlast the Object.
class Wiring : public std::enable_shared_from_this<Wiring> {
 public:
  Wiring(const ProtocolContext& context, ZenohLink& link, std::string realm,
         std::unique_ptr<const objects::MessageCodec> codec)
      : context_(context), link_(link), realm_(std::move(realm)), codec_(std::move(codec)) {}
  [[nodiscard]] const objects::MessageCodec& codec() const { return *codec_; }
  void ask(Call& given, const Value& fields, const char* method, Wired wired,
           const std::function<Value(const Value&)>& read) const {
    const bool to_method = wired == Wired::kMethod;
    const std::string hero = text_in(fields, "hero"), event = text_in(fields, "event"),
                      to_hero = text_in(fields, "to_hero"), to = text_in(fields, "method");
    for (const auto& name : to_method ? std::vector<std::string>{hero, event, to_hero, to}
                                      : std::vector<std::string>{hero, event}) {
      if (!is_key_chunk(name))
        return given.fail(Error::invalid_argument(fmt::format(
            "'{}' cannot be a HERO's or a member's name; `hero` and `event`{} are needed", name,
            to_method ? ", `to_hero` and `method`" : "")));
    }
    objects::Arguments arguments;
    arguments.keywords.put("event", member_reference(kEventTag, realm_, hero, event));
    if (to_method) {
      const std::string to_realm = text_in(fields, "to_realm");
      arguments.keywords.put(
          "remote_hero_method",
          member_reference(kMethodTag, to_realm.empty() ? realm_ : to_realm, to_hero, to));
      const std::string origin = text_in(fields, "origin");
      if (std::string_view(method) == "_connect_local_hero_callback" && !origin.empty())
        arguments.keywords.put("origin", Value::of(std::string_view(origin)));
    }
    Call& call = given.defer();
    const Operation& operation = *call.operation;
    const TimePoint now = context_.clock->now();
    const Duration left =
        call.header.deadline == kNever
            ? kTimeout
            : std::max<Duration>(call.header.deadline - now, std::chrono::milliseconds(1));
    link_.ask(key_of(realm_, hero, method) + "/**", cbor_of(write_arguments(arguments, 1.0)),
              ZenohLink::Answers::kFirst, left,
              [self = shared_from_this(), &call, &operation, hero,
               read](const std::vector<Answer>& answers) {
                if (answers.empty())
                  return call.fail(Error::unavailable(fmt::format("no HERO '{}' answers", hero)));
                if (!answers[0].ok) return call.fail(read_error(answers[0].payload));
                auto said = read_cbor(answers[0].payload);
                if (!said) return call.fail(std::move(said.error()));
                auto reply = self->codec_->reply_of(operation, read(*said));
                if (!reply) return call.fail(std::move(reply.error()));
                call.complete(Payload(std::move(*reply)));
              });
  }

 private:
  const ProtocolContext& context_;
  ZenohLink& link_;
  const std::string realm_;
  const std::unique_ptr<const objects::MessageCodec> codec_;
};

Value read_callbacks(const Value& said) {
  Value list = Value::list();
  for (const auto& each : said.elements()) {
    Value one = Value::map();
    one.put("name", Value::of(std::string_view(text_in(each, "name"))));
    one.put("origin", Value::of(std::string_view(text_in(each, "origin"))));
    const auto* const is_remote = each.find("is_remote_hero");
    one.put("is_remote_hero",
            Value::of(is_remote != nullptr && is_remote->is(Value::Kind::kBoolean) &&
                      is_remote->boolean));
    list.items.push_back(std::move(one));
  }
  return list;
}

}  // namespace

std::string realm_object_name(const std::string& realm) { return "realm-" + realm; }

Status adopt_realm(const ProtocolContext& context, ZenohLink& link, const std::string& realm,
                   const void* owner) {
  auto model = HECTOR_TRY(objects::read_interface_model(kRealmYaml, "realm.hector.yaml",
                                                        "hector/realm.proto", kRealmProto));
  return context.hosting->adopt(
      owner,
      {realm_object_name(realm),
       model,
       [&](const InterfacePtr& interface) -> Result<std::unique_ptr<Servant>> {
         auto codec = HECTOR_TRY(objects::MessageCodec::of(*interface));
         const auto wiring = std::make_shared<Wiring>(context, link, realm, std::move(codec));
         const auto handler = [wiring](const char* method, Wired wired,
                                       std::function<Value(const Value&)> read) {
           return [wiring, method, wired, read = std::move(read)](Call& call, const Value& fields) {
             wiring->ask(call, fields, method, wired, read);
           };
         };
         const auto as_it_is = [](const Value& said) { return said; };
         return std::unique_ptr<Servant>(std::make_unique<objects::WorldObject>(
             wiring->codec(),
             std::map<std::string, objects::WorldObject::Handler>{
                 {"connect", handler("_connect_local_hero_callback", Wired::kMethod, as_it_is)},
                 {"disconnect",
                  handler("_disconnect_local_hero_callback", Wired::kMethod, as_it_is)},
                 {"callbacks",
                  handler("_get_local_hero_callbacks", Wired::kNone, read_callbacks)}}));
       },
       {},
       "realm"});
}

}  // namespace hector::heros
