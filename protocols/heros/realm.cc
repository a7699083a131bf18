#include "realm.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "adopted_hero.h"
#include "hector/message_calls.h"
#include "hector/service/v1/type.pb.h"
#include "objects/forwarding.h"
#include "realm_object.h"
#include "session.h"
#include "shown_hero.h"

namespace hector::heros {

using objects::json_text;
using objects::kReference;

namespace {

constexpr Duration kDiscoveryTimeout = std::chrono::seconds(2);  // as HEROS' own clients
constexpr Duration kCapabilitiesTimeout = std::chrono::seconds(10);
constexpr std::size_t kAdoptedMax = 10'000;

std::string json_list(const std::vector<std::string>& texts) {
  std::string made = "[";
  for (const auto& each : texts) made += (made.size() > 1 ? ", " : "") + json_text(each);
  return made + "]";
}

class RealmImpl final : public Realm, public std::enable_shared_from_this<RealmImpl> {
 public:
  RealmImpl(const ProtocolContext& context, RealmOptions options)
      : context_(context),
        options_(std::move(options)),
        gate_(std::make_shared<objects::Gate>(context, objects::entity_of("Realm", options_.realm),
                                              options_.world.authorise)) {}
  ~RealmImpl() override { close(Duration::zero()); }

  Status start() {
    auto session = HECTOR_TRY(Session::open(options_.zenoh));
    session_ = std::move(session);
    auto presence =
        session_->presence(key_of(options_.realm, "*", "_health"),
                           [weak = weak_from_this()](bool is_alive, std::string_view key,
                                                     std::string_view, std::string_view) {
                             if (const auto self = weak.lock()) self->presence(is_alive, key);
                           });
    if (!presence) return fail(presence.error());
    presence_ = std::move(*presence);
    context_.hosting->run_blocking([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->adopt_realm();
    });
    if (options_.world.show.empty()) return {};
    const auto sync = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->show_residents();
    };
    context_.hosting->on_change(this, sync);
    context_.hosting->run_blocking(sync);
    return {};
  }

  void close(Duration) noexcept override {
    if (closed_.exchange(true)) return;
    context_.hosting->on_change(this, nullptr);
    if (!session_) return;
    presence_ = {};
    std::map<std::string, std::shared_ptr<ShownHero>> shown;
    std::vector<std::string> adopted;
    {
      const std::lock_guard lock(mutex_);
      shown.swap(shown_);
      for (auto& [name, theirs] : theirs_) {
        if (!theirs.object.empty()) adopted.push_back(theirs.object);
      }
      if (has_object_) adopted.push_back(realm_object_name(options_.realm));
    }
    for (const auto& [name, hero] : shown) hero->stop();
    for (const auto& name : adopted) static_cast<void>(context_.hosting->dismiss(name));
    session_->close();
  }

 private:
  /// What is known of somebody else's HERO.
  struct Theirs {
    bool is_alive = false;
    bool is_busy = false;                      ///< a thread adopts or dismisses it just now
    std::string object;                        ///< as it was adopted; empty: it is not
    std::uint64_t life = 0, adopted_life = 0;  ///< each time it comes is another
  };

  void adopt_realm() {
    auto adopted = heros::adopt_realm(context_, *session_, options_.realm, this);
    if (!adopted)
      return context_.log->write(Level::kInfo, "the realm is no Object here",
                                 {{"realm", options_.realm}, {"error", adopted.error().message}});
    {
      const std::lock_guard lock(mutex_);
      has_object_ = !closed_;
      if (has_object_) return;
    }
    static_cast<void>(context_.hosting->dismiss(realm_object_name(options_.realm)));
  }

  // --- ours there
  // --------------------------------------------------------------------------------------------

  void show_residents() {
    const std::lock_guard one(showing_);
    if (closed_) return;
    std::map<std::string, Hosting::Resident> wanted;
    for (auto& each : context_.hosting->residents(this)) {
      if (objects::is_listed(options_.world.show, each.name))
        wanted.emplace(each.name, std::move(each));
    }
    std::vector<std::shared_ptr<ShownHero>> gone;
    {
      const std::lock_guard lock(mutex_);
      for (auto each = shown_.begin(); each != shown_.end();) {
        const auto found = wanted.find(each->first);
        if (found != wanted.end() && found->second.interface == each->second->object().interface) {
          wanted.erase(found);
          ++each;
          continue;
        }
        gone.push_back(std::move(each->second));
        each = shown_.erase(each);
      }
    }
    for (const auto& hero : gone) hero->stop();
    for (auto& [name, resident] : wanted) show(std::move(resident));
  }

  /// HEROS lets two of one name both run every call: here the second is refused.
  void show(Hosting::Resident resident) {
    const std::string name = resident.name;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = theirs_.find(name); found != theirs_.end() && found->second.is_alive) {
        waiting_.insert(name);
        return context_.log->write(Level::kWarning,
                                   "not shown as a HERO: another one of that name is there",
                                   {{"realm", options_.realm}, {"object", name}});
      }
    }
    auto hero = std::make_shared<ShownHero>(context_, *session_, options_.realm,
                                            std::move(resident), options_.call_timeout, gate_);
    {
      const std::lock_guard lock(mutex_);
      waiting_.erase(name);
      shown_[name] = hero;
    }
    if (auto started = hero->start(); !started) {
      const std::lock_guard lock(mutex_);
      shown_.erase(name);
      context_.log->write(Level::kWarning, "not shown as a HERO",
                          {{"object", name}, {"error", started.error().message}});
    }
  }

  // --- theirs here
  // --------------------------------------------------------------------------------------------

  void presence(bool is_alive, std::string_view key) {
    std::string name, member;
    if (closed_ || !read_key(key, options_.realm, name, member)) return;
    bool shows_again = false;
    {
      const std::lock_guard lock(mutex_);
      if (shown_.contains(name)) return;
      auto& theirs = theirs_[name];
      if (is_alive && !theirs.is_alive) ++theirs.life;
      theirs.is_alive = is_alive;
      if (theirs_.size() > kAdoptedMax)
        std::erase_if(theirs_, [](const auto& each) {
          return !each.second.is_alive && !each.second.is_busy && each.second.object.empty();
        });
      shows_again = !is_alive && waiting_.contains(name);
      if (objects::is_listed(options_.world.adopt, name) && !theirs.is_busy) {
        theirs.is_busy = true;
        context_.hosting->run_blocking([weak = weak_from_this(), name] {
          if (const auto self = weak.lock()) self->settle(name);
        });
      }
    }
    if (shows_again) {
      context_.hosting->run_blocking([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->show_residents();
      });
    }
  }

  /// Until what is adopted is what is alive. One thread for each name.
  void settle(const std::string& name) {
    for (;;) {
      std::string dismissed;
      std::uint64_t life = 0;
      {
        const std::lock_guard lock(mutex_);
        auto& theirs = theirs_[name];
        const bool is_current =
            theirs.is_alive ? theirs.adopted_life == theirs.life : theirs.object.empty();
        if (closed_ || is_current) {
          theirs.is_busy = false;
          return;
        }
        dismissed = std::exchange(theirs.object, {});
        if (dismissed.empty() && theirs.is_alive)
          life = theirs.adopted_life = theirs.life;  // tried once for each life
      }
      if (!dismissed.empty()) static_cast<void>(context_.hosting->dismiss(dismissed));
      if (life == 0) continue;
      auto adopted = adopt(name);
      if (!adopted)
        context_.log->write(
            Level::kWarning, "a HERO that is no Object here",
            {{"realm", options_.realm}, {"hero", name}, {"error", adopted.error().message}});
      if (!adopted) continue;
      {
        const std::lock_guard lock(mutex_);
        theirs_[name].object = *adopted;
        if (!closed_ || adopted->empty()) continue;
      }
      static_cast<void>(context_.hosting->dismiss(*adopted));  // what close() did not see
    }
  }

  Result<Value> ask(const std::string& key, bool all, Duration timeout) {
    const auto said = std::make_shared<std::promise<std::vector<Answer>>>();
    session_->ask(key, std::nullopt, all, timeout,
                  [said](std::vector<Answer> answers) { said->set_value(std::move(answers)); });
    const auto answers = said->get_future().get();  // zenoh's own time-out at the latest
    if (answers.empty())
      return fail(Code::kUnavailable, fmt::format("nobody answers at '{}'", key));
    const auto& first = answers.front();
    if (!first.ok) return fail(read_error(first.payload));
    return read_cbor(first.payload);
  }

  Result<Discovered> discover(const std::string& name) {
    auto said =
        HECTOR_TRY(ask(key_of(options_.realm, name, "_discover") + "/**", true, kDiscoveryTimeout));
    return read_discovered(said);
  }
  /// Of a HERO that another capsule shows.
  static Result<Reference> reference_of(const Discovered& hero) {
    const auto found = hero.metadata.find(kReference);
    if (found == hero.metadata.end()) return fail(Code::kNotFound, "it says no reference");
    return Reference::from_text(found->second);
  }
  /// As the Object that it is in its own capsule: with its Interface, by the protocol that both
  /// have.
  Status adopt_offer(const Discovered& hero, const std::string& object) {
    auto reference = HECTOR_TRY(reference_of(hero));
    return objects::adopt_offer(
        *context_.hosting, this, {object, {}, properties_of(hero), "hero " + hero.class_name},
        reference, [weak = weak_from_this(), name = hero.name]() -> Result<Reference> {
          const auto self = weak.lock();
          if (!self || self->closed_) return fail(Code::kUnavailable, "the realm is closed");
          return self->discover(name).and_then(reference_of);
        });
  }

  /// The Object's name.
  Result<std::string> adopt(const std::string& name) {
    auto hero = HECTOR_TRY(discover(name));
    // What another capsule shows here is reached without this realm.
    if (!options_.world.adopt_capsules &&
        std::any_of(hero.tags.begin(), hero.tags.end(),
                    [](const auto& tag) { return tag.starts_with("_hector:"); }))
      return std::string();
    const auto adopted = adopt_offer(hero, object_name(hero.name));
    if (adopted) return object_name(hero.name);
    if (hero.metadata.contains(kReference))
      context_.log->write(Level::kInfo, "a HERO of another capsule is called over the realm",
                          {{"hero", name}, {"error", adopted.error().message}});
    auto capabilities =
        ask(key_of(options_.realm, name, "_capabilities"), false, kCapabilitiesTimeout);
    if (!capabilities) return fail(capabilities.error());
    auto description = HECTOR_TRY(read_capabilities(*capabilities, hero.class_name));
    const std::string class_name = objects::identifier_of(hero.class_name).value_or("Object");
    const std::string realm = options_.realm == "heros"
                                  ? ""
                                  : objects::identifier_of(options_.realm).value_or("realm") + ".";
    return adopt_as(hero, description, fmt::format("hero.{}{}", realm, class_name));
  }

  Result<std::string> adopt_as(const Discovered& hero, const objects::Description& description,
                               const std::string& interface_name) {
    const std::string object = object_name(hero.name);
    std::vector<std::string> left_out;
    auto written = HECTOR_TRY(objects::adopt(
        *context_.hosting, this,
        {object, interface_name, properties_of(hero), "hero " + hero.class_name}, description,
        [&](const auto& interface, auto codec, const InterfacePtr& compiled) {
          return std::make_unique<AdoptedHero>(
              context_, *session_,
              HeroFacts{options_.realm, hero.name, hero.proto_version, description, interface},
              std::move(codec), *compiled, [this, name = hero.name] { return is_alive(name); });
        },
        &left_out));
    if (!left_out.empty())
      context_.log->write(
          Level::kWarning, "members that an Interface cannot have",
          {{"hero", hero.name}, {"members", fmt::format("{}", fmt::join(left_out, ", "))}});
    publish(written);
    return object;
  }
  bool is_alive(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = theirs_.find(name);
    return found != theirs_.end() && found->second.is_alive;
  }
  static std::string object_name(const std::string& hero) {
    std::string name = hero;
    std::replace_if(
        name.begin(), name.end(),
        [](char each) {
          return each == '.' || each == ' ' || each == '\\' ||
                 static_cast<unsigned char>(each) < 0x20;
        },
        '-');
    return name[0] == '_' ? "hero" + name : name;
  }
  std::map<std::string, std::string> properties_of(const Discovered& hero) const {
    std::map<std::string, std::string> properties{{"realm", json_text(options_.realm)},
                                                  {"hero", json_text(hero.name)},
                                                  {"class", json_text(hero.class_name)},
                                                  {"tags", json_list(hero.tags)},
                                                  {"implements", json_list(hero.implements)}};
    for (const auto& [key, text] : hero.metadata) {
      if (const auto name = objects::identifier_of(key);
          name && key != kReference && text.size() < 10'000)
        properties.emplace("meta_" + *name, json_text(text));
    }
    return properties;
  }

  /// The Interface is for people to read where types are.
  void publish(const objects::WrittenInterface& interface) {
    auto type = context_.hosting->handle().resolve("type");
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
    auto& call =
        CallbackCall::make([log = context_.log, id = interface.id, target = *type](Call& answered) {
          if (answered.error)
            log->write(Level::kWarning, "a HERO's Interface is not in the Type service",
                       {{"interface", id}, {"error", answered.error->message}});
        });
    call.header.operation = kByName;
    call.header.operation_name = "define";
    call.header.deadline = context_.clock->now() + std::chrono::seconds(10);
    call.request = write_message(request);
    (*type)->start(call);
  }

  const ProtocolContext& context_;
  const RealmOptions options_;
  const std::shared_ptr<objects::Gate> gate_;
  std::unique_ptr<Session> session_;
  Session::Declared presence_;
  std::atomic<bool> closed_{false};
  std::mutex showing_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ShownHero>> shown_;
  std::set<std::string> waiting_;  ///< Objects whose names are taken there
  std::map<std::string, Theirs> theirs_;
  bool has_object_ = false;  ///< the one that stands for the realm
};

}  // namespace

Result<std::shared_ptr<Realm>> Realm::open(const ProtocolContext& context, RealmOptions options) {
  if (!is_key_chunk(options.realm))
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' cannot be a realm: it is one chunk of a zenoh key, as in heros",
                            options.realm));
  auto realm = std::make_shared<RealmImpl>(context, std::move(options));
  HECTOR_TRY(realm->start());
  return std::shared_ptr<Realm>(std::move(realm));
}

}  // namespace hector::heros
