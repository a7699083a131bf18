#include "capsule/kernel_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text/nearest.h"
#include "binding/coordinator.h"
#include "call/reference_model.h"
#include "hector/message_calls.h"
#include "party/party_session.h"
#include "services/service_clients.h"

namespace hector {

std::string_view module_kind_name(ModuleKind kind) noexcept {
  return kind == ModuleKind::kProtocol   ? "protocol"
         : kind == ModuleKind::kLanguage ? "language"
         : kind == ModuleKind::kService  ? "service"
                                         : "store";
}

std::unique_ptr<Kernel> Kernel::make(const KernelOptions& options) {
  return std::make_unique<KernelImpl>(options);
}

// --- an Object's handle
// ----------------------------------------------------------------------------------------------

const std::string& ObjectCapsule::name() const noexcept { return kernel_.core().options.capsule; }
const Clock& ObjectCapsule::clock() const noexcept { return *kernel_.core().options.clock; }
Executor& ObjectCapsule::executor() noexcept { return *kernel_.core().options.executor; }
Log& ObjectCapsule::log() noexcept { return *kernel_.core().options.log; }
Result<std::shared_ptr<Target>> ObjectCapsule::resolve(std::string_view who) {
  if (auto joined = kernel_.joined_service(std::string(who))) return joined;
  auto reference = HECTOR_TRY(resolve_reference(kernel_.core(), kernel_.services(), who));
  return make_target(kernel_.core(), reference);
}
Result<NamingService*> ObjectCapsule::naming() {
  if (auto* naming = kernel_.services().naming) return naming;
  return fail(
      Code::kUnavailable,
      "this capsule has no Naming service; load services/naming, or join another capsule's");
}
Result<TradingService*> ObjectCapsule::trading() {
  if (auto* trading = kernel_.services().trading) return trading;
  return fail(
      Code::kUnavailable,
      "this capsule has no Trading service; load services/trading, or join another capsule's");
}
Result<std::uint64_t> ObjectCapsule::bind(const BindRequest& request) {
  return kernel_.bind(request).map([](const auto& controller) { return controller->id(); });
}
Status ObjectCapsule::unbind(std::uint64_t binding) { return kernel_.unbind(binding); }
Status ObjectCapsule::advertise(const std::map<std::string, std::string>& properties) {
  return kernel_.advertise(object_, properties);
}

// --- life
// ----------------------------------------------------------------------------------------------

KernelImpl::KernelImpl(const KernelOptions& options)
    : own_capsule_(*this, "_capsule", options.principal) {
  core_.options = options;
  core_.blocking.use(*options.executor);
  if (core_.options.principal.empty()) core_.options.principal = "capsule:" + options.capsule;
  core_.capsule_id = options.random->next();
  core_.ids = options.random->next();
  core_.interceptors.add_own(*options.log);
  const auto add = [&](const char* name, hector::type::v1::Interface model,
                       std::unique_ptr<Servant> servant) {
    auto interface = core_.types.add(std::move(model));
    auto offer = std::make_shared<Offer>();
    offer->id = options.random->next();
    offer->object = name;
    offer->principal = core_.options.principal;
    offer->interface = *interface;
    offer->is_system = true;
    HostOptions host{name, "kernel", ThreadModel::kPooled, true, 65'536, options.executor};
    offer->host = std::make_shared<ObjectHost>(host);
    offer->host->set_servant(std::move(servant));
    static_cast<void>(core_.offers.add(offer));
  };
  add(kCoordinatorName, coordinator_interface(), make_coordinator(core_));
  add("_management", management_interface(), make_management(*this));
  core_.on_suspicion = [this](const kernel::v1::Place& place) {
    core_.blocking.run([this, place] {
      if (const auto controller = binding(place.binding())) controller->suspect(place);
    });
  };
  health_.on_lost([this](std::uint64_t capsule) {
    for (const auto& controller : bindings()) controller->lost(capsule);
  });
  health_.on_alive([this](std::uint64_t capsule) {
    for (const auto& controller : bindings()) controller->alive(capsule);
  });
  static_cast<void>(core_.types.add(binding_control_interface()));
  for (const auto& interface : standard_interfaces()) static_cast<void>(core_.types.add(interface));
}

KernelImpl::~KernelImpl() { drain(); }

void KernelImpl::drain() {
  {
    const std::lock_guard lock(mutex_);
    if (drained_) return;
    drained_ = true;
  }
  core_.options.default_deadline =
      std::min<Duration>(core_.options.default_deadline, std::chrono::seconds(1));
  health_.stop();
  for (const auto& controller : bindings()) controller->release();
  std::vector<std::uint64_t> left;
  {
    const std::lock_guard lock(core_.bindings_mutex);
    for (const auto& [binding, session] : core_.parties) left.push_back(binding);
  }
  for (const auto binding : left) close_parties(core_, binding, "the capsule stops");
  for (const auto& offer : core_.offers.all()) {
    if (!offer->is_system) static_cast<void>(delete_object(offer->object));
  }
  trading_lease_.close();
  naming_lease_.close();
  for (const auto& name : core_.protocols.names())
    static_cast<void>(core_.protocols.withdraw(name));
  for (const auto& name : core_.protocols.names())
    core_.protocols.remove(name, core_.options.drain_grace);
  hosting_.stop();
  core_.blocking.stop();
  for (const auto& offer : core_.offers.all()) {
    core_.offers.remove(offer->object);
    if (offer->host->retire(core_.options.clock->now() + std::chrono::milliseconds(500),
                            *core_.options.clock))
      offer->host->drop_servant();
  }
  core_.policies.use(nullptr);
  clients_.clear();
  embedded_.clear();
  templates_.clear();
  languages_.clear();
}

ProtocolContext KernelImpl::protocol_context(const std::string& settings) {
  const auto& o = core_.options;
  return {o.capsule, core_.capsule_id, o.clock,   o.random, o.executor, o.network,
          o.log,     &inbound_,        &hosting_, settings};
}
LanguageContext KernelImpl::language_context(const std::string& settings) {
  const auto& o = core_.options;
  return {o.capsule,
          o.clock,
          o.executor,
          o.log,
          [this](const std::string& id) { return interface(id); },
          [this](const std::string& language, const std::string& name,
                 const std::string& abi) -> Result<CodeModule> {
            if (auto* const type = services().type; type != nullptr)
              return type->fetch_module(language, name, abi);
            return fail(Code::kUnimplemented, "this capsule has no Type service");
          },
          settings};
}
ServiceContext KernelImpl::service_context(const std::string& settings) {
  const auto& o = core_.options;
  auto run_blocking = [this](std::function<void()> task) { core_.blocking.run(std::move(task)); };
  auto open_store = [this](const std::string& location) -> Result<std::unique_ptr<Store>> {
    if (core_.options.open_store) return core_.options.open_store(location);
    return fail(Code::kUnavailable, fmt::format("'{}': this kernel opens no stores", location));
  };
  return {o.capsule,
          o.clock,
          o.random,
          o.executor,
          o.log,
          o.store,
          settings,
          &own_capsule_,
          std::move(run_blocking),
          std::move(open_store)};
}

Result<InterfacePtr> KernelImpl::interface(const std::string& id) {
  auto found = HECTOR_TRY(core_.types.interface(id));
  return InterfacePtr(found);
}

Services KernelImpl::services() {
  const std::lock_guard lock(mutex_);
  return clients_.services();
}

// --- modules
// ----------------------------------------------------------------------------------------------

Status KernelImpl::add_protocol(const std::string& name, std::unique_ptr<Protocol> protocol,
                                const std::vector<std::string>& listen) {
  if (auto added = core_.protocols.add(name, std::move(protocol), listen); !added) return added;
  for (const auto& profile : core_.protocols.profiles()) {
    if (profile.protocol == name)
      core_.options.log->write(Level::kInfo, "listening",
                               {{"protocol", name}, {"address", profile.address}});
  }
  refresh_references();
  return {};
}

Status KernelImpl::add_language(const std::string& name, std::unique_ptr<Language> language) {
  const std::lock_guard lock(mutex_);
  if (!languages_.emplace(name, std::move(language)).second)
    return fail(Code::kAlreadyExists, fmt::format("language '{}' is loaded already", name));
  return {};
}

namespace {

/// A servant that belongs to somebody else.
class BorrowedServant final : public Servant {
 public:
  explicit BorrowedServant(Servant& servant) : servant_(servant) {}
  void invoke(Call& call) noexcept override { servant_.invoke(call); }

 private:
  Servant& servant_;
};

}  // namespace

Status KernelImpl::add_service(const std::string& name, std::unique_ptr<Service> service) {
  auto interface = HECTOR_TRY(core_.types.interface(service->interface_id()));
  auto offer = std::make_shared<Offer>();
  offer->id = core_.options.random->next();
  offer->object = name;
  offer->principal = core_.options.principal;
  offer->interface = interface;
  offer->is_system = true;
  offer->host = std::make_shared<ObjectHost>(
      HostOptions{name, "service", ThreadModel::kPooled, true, 65'536, core_.options.executor});
  offer->host->set_servant(std::make_unique<BorrowedServant>(service->servant()));
  if (auto added = core_.offers.add(offer); !added) return added;
  {
    const std::lock_guard lock(mutex_);
    embedded_.emplace(name, std::move(service));
  }
  return use_service(name, std::make_shared<LocalTarget>(core_, offer));
}

Status KernelImpl::join_service(const std::string& name, const Reference& reference,
                                std::function<Result<Reference>()> find) {
  auto interface_id = HECTOR_TRY(standard_interface_of(name));
  const Reference service = reference.for_object(name, interface_id);
  auto interface = HECTOR_TRY(core_.types.interface(service.interface_id));
  auto target = HECTOR_TRY(RemoteTarget::make(core_, service, interface));
  {
    const std::lock_guard lock(mutex_);
    joined_[name] = {reference, find};
  }
  return use_service(name, std::make_shared<JoinedTarget>(core_, name, target, std::move(find)));
}

std::shared_ptr<Target> KernelImpl::joined_service(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return joined_.contains(name) ? clients_.target(name) : nullptr;
}

Status KernelImpl::use_service(const std::string& name, const std::shared_ptr<Target>& target) {
  {
    const auto naming = naming_lease_.hold();
    const auto trading = trading_lease_.hold();
    const Services before = services();
    {
      const std::lock_guard lock(mutex_);
      if (auto used = clients_.use(name, target, {core_.options.clock, core_.options.capsule});
          !used)
        return used;
      core_.policies.use(clients_.services().policy);
    }
    if (services().trading != before.trading) trading_lease_.forget();
    if (services().naming != before.naming) naming_lease_.forget();
  }
  refresh_references();
  return {};
}

void KernelImpl::refresh_references() {
  if (core_.protocols.profiles().empty()) return;
  bind_capsule();
  for (const auto& offer : core_.offers.all()) {
    if (offer->is_system) continue;
    auto published = bind_name(offer->object, core_.reference_of(*offer), false);
    if (published) published = publish(offer);
    if (!core_.offers.find(offer->id))
      unpublish(offer, NameGoes::kAway);  // it was deleted meanwhile
    else if (!published)
      core_.options.log->write(Level::kWarning, "not published",
                               {{"object", offer->object}, {"error", published.error().message}});
  }
}

void KernelImpl::bind_capsule() {
  if (services().naming == nullptr) return;
  auto bound = bind_name("capsules/" + core_.options.capsule, management(), false);
  if (!bound)
    core_.options.log->write(Level::kWarning, "not in Naming", {{"error", bound.error().message}});
  for (const auto& offer : core_.offers.all()) {
    // The first capsule that has a service embedded is where others find it.
    if (offer->is_system && standard_interface_of(offer->object)) bind_service(*offer);
  }
}

void KernelImpl::bind_service(const Offer& offer) {
  const std::string name = "service/" + offer.object;
  auto bound = bind_name(name, core_.reference_of(offer), true);
  if (bound || bound.error().code != Code::kAlreadyExists) return;
  auto there = services().naming->lookup(name);
  if (there && there->capsule_id == core_.capsule_id)
    static_cast<void>(
        bind_name(name, core_.reference_of(offer), false));  // our own, as it was before
}

Status KernelImpl::bind_name(const std::string& name, const Reference& reference, bool exclusive) {
  auto* const naming = services().naming;
  if (naming == nullptr) return {};
  auto lease = naming_lease_.get();
  if (!lease) return fail(lease.error());
  auto bound = naming->bind(name, reference, exclusive, *lease);
  if (bound || bound.error().type != kStoreLeaseNotFound) return bound;
  naming_lease_.has_ended(*lease);
  if (lease = naming_lease_.get(); !lease) return fail(lease.error());
  return naming->bind(name, reference, exclusive, *lease);
}

Result<std::vector<std::string>> KernelImpl::unload(ModuleKind kind, const std::string& name,
                                                    bool dry_run) {
  auto effects = kind == ModuleKind::kProtocol   ? unload_protocol(name, dry_run)
                 : kind == ModuleKind::kLanguage ? unload_language(name, dry_run)
                                                 : unload_service(name, dry_run);
  if (effects && !dry_run && loader_ != nullptr) loader_->retired(kind, name);
  return effects;
}

Result<std::vector<std::string>> KernelImpl::moves_of(const std::string& protocol, bool dry_run) {
  std::vector<std::string> effects;
  std::vector<std::string> breaks;
  std::vector<std::shared_ptr<PartySession>> parties;
  {
    const std::lock_guard lock(core_.bindings_mutex);
    for (const auto& [key, session] : core_.parties) parties.push_back(session);
  }
  for (const auto& session : parties) {
    const auto part = session->part();
    for (const auto& channel : session->channels()) {
      if (channel.profile.protocol != protocol) continue;
      const int role = types::role_position(part.type(), channel.role);
      auto moved = session->move_channel(static_cast<std::uint32_t>(role), channel.member, protocol,
                                         "", dry_run);
      const std::string what =
          fmt::format("channel {} -> {} ({}) of {}", session->offer()->object, channel.party.object,
                      channel.role, id_text(session->binding()));
      if (moved)
        effects.push_back(fmt::format("{} {} from {} to {} ({})", what,
                                      dry_run ? "would move" : "moved", protocol,
                                      moved->first.protocol, moved->second));
      else
        breaks.push_back(fmt::format("{} would break: {}", what, moved.error().message));
    }
    std::set<std::uint64_t> asked;  // partners whose channels come in here
    for (const auto& role : part.roles()) {
      for (const auto& model : role.members()) {
        const Reference partner = from_model(model);
        if (partner.capsule_id == core_.capsule_id || !asked.insert(partner.capsule_id).second)
          continue;
        hector::kernel::v1::MoveChannel request;
        request.set_binding(session->binding());
        request.set_role(part.role());
        request.set_member(part.member());
        request.set_exclude(protocol);
        request.set_dry_run(dry_run);
        auto target = coordinator_of(core_, partner);
        auto moved = target ? call_and_wait<hector::kernel::v1::MovedChannel>(
                                  **target, *core_.options.clock, kByName,
                                  coordinator_operation_name(CoordinatorOperation::kMove), request,
                                  core_.options.clock->now() + std::chrono::seconds(3))
                            : fail(target.error());
        if (!moved) {
          breaks.push_back(fmt::format("channels from capsule {} to {} would break: {}",
                                       partner.capsule, session->offer()->object,
                                       moved.error().text()));
          continue;
        }
        for (const auto& move : moved->moves()) {
          effects.push_back(fmt::format(
              "channel {} -> {} ({}) of {} {} from {} to {} ({})", move.from(),
              session->offer()->object, part.role(), id_text(session->binding()),
              dry_run ? "would move" : "moved", protocol, move.profile().protocol(), move.why()));
        }
      }
    }
  }
  if (!breaks.empty())
    return fail(
        Error{Code::kFailedPrecondition,
              fmt::format("protocol '{}' is in use and not every channel can move", protocol),
              {},
              {},
              breaks});
  return effects;
}

Result<std::vector<std::string>> KernelImpl::unload_protocol(const std::string& name,
                                                             bool dry_run) {
  if (!core_.protocols.has(name)) {
    return fail(Code::kNotFound, fmt::format("protocol '{}' is not loaded; loaded are {}", name,
                                             fmt::join(core_.protocols.names(), ", ")));
  }
  auto effects = moves_of(name, true);
  if (!effects) return effects;
  for (const auto& profile : core_.protocols.profiles()) {
    if (profile.protocol == name)
      effects->push_back(
          fmt::format("endpoint {} {}", profile.address, dry_run ? "would close" : "closed"));
  }
  if (dry_run) return effects;
  static_cast<void>(core_.protocols.withdraw(name));
  std::map<std::string, Joined> joined;
  {
    const std::lock_guard lock(mutex_);
    joined = joined_;
  }
  for (const auto& [service, there] : joined) {
    if (auto again = join_service(service, there.reference, there.find); !again)
      core_.options.log->write(Level::kWarning, "service lost",
                               {{"service", service}, {"error", again.error().message}});
  }
  refresh_references();
  auto moved = moves_of(name, false);
  core_.protocols.remove(name, core_.options.drain_grace);
  if (!moved) return moved;
  for (const auto& effect : *effects) {
    if (effect.starts_with("endpoint")) moved->push_back(effect);
  }
  core_.options.log->write(Level::kInfo, "unloaded", {{"kind", "protocol"}, {"name", name}});
  return moved;
}

Result<std::vector<std::string>> KernelImpl::unload_language(const std::string& name,
                                                             bool dry_run) {
  std::vector<std::string> effects;
  std::vector<std::string> holders;
  std::unique_ptr<Language> gone;
  {
    const std::lock_guard lock(mutex_);
    if (!languages_.contains(name))
      return fail(Code::kNotFound, fmt::format("language '{}' is not loaded", name));
    for (const auto& [id, loaded] : templates_) {
      if (loaded.language != name) continue;
      if (loaded.objects > 0)
        holders.push_back(
            fmt::format("template {} has {} Objects; delete them first", id, loaded.objects));
      effects.push_back(
          fmt::format("template {} {}", id, dry_run ? "would be unloaded" : "unloaded"));
    }
    if (!holders.empty())
      return fail(Error{Code::kFailedPrecondition,
                        fmt::format("language '{}' is in use", name),
                        {},
                        {},
                        holders});
    if (dry_run) return effects;
    std::erase_if(templates_, [&](const auto& each) { return each.second.language == name; });
    gone = std::move(languages_[name]);
    languages_.erase(name);
  }
  return effects;
}

Result<std::vector<std::string>> KernelImpl::unload_service(const std::string& name, bool dry_run) {
  {
    const std::lock_guard lock(mutex_);
    if (!embedded_.contains(name) && !joined_.contains(name))
      return fail(Code::kNotFound, fmt::format("service '{}' is not loaded", name));
  }
  std::vector<std::string> effects{
      fmt::format("service {} {}", name,
                  dry_run ? "would end; names and offers in it would be lost" : "ended")};
  if (dry_run) return effects;
  const OfferPtr offer = core_.offers.remove(name);
  {
    const std::lock_guard lock(mutex_);
    clients_.drop(name);
    core_.policies.use(clients_.services().policy);
    joined_.erase(name);
  }
  if (offer && offer->host->retire(core_.options.clock->now() + core_.options.drain_grace,
                                   *core_.options.clock)) {
    offer->host->drop_servant();
    const std::lock_guard lock(mutex_);
    embedded_.erase(name);
  }
  return effects;
}

Status KernelImpl::announce_to_group(const std::string& protocol, const std::string& group,
                                     const std::string& object, const std::string& interface_name,
                                     const std::string& operation, Payload message) {
  Header header;
  header.object = object;
  header.interface_name = interface_name;
  header.operation_name = operation;
  header.principal = core_.options.principal;
  return core_.protocols.multicast(protocol, group, header, std::move(message));
}

// --- templates and Objects
// ----------------------------------------------------------------------------------------------

Result<std::string> KernelImpl::load_template(const std::string& path) {
  namespace fs = std::filesystem;
  if (!fs::exists(path))
    return fail(Code::kNotFound, fmt::format("template file '{}' does not exist", path));
  const std::string ending = fs::path(path).extension().string();
  Language* language = nullptr;
  std::string language_name;
  std::vector<std::string> known;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, each] : languages_) {
      for (const auto& format : each->formats()) {
        known.push_back(format);
        if (format == ending) {
          language = each.get();
          language_name = name;
        }
      }
    }
  }
  if (language == nullptr) {
    return fail(Code::kInvalidArgument,
                fmt::format("no loaded language runs '{}' files ({}); formats are {}", ending, path,
                            known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  auto code = HECTOR_TRY(language->load(fs::absolute(path).string()));
  const TemplateInfo& info = code->info();
  types::CompiledPtr interface;
  if (!info.type_yaml.empty()) {
    auto ids = core_.types.load_text(info.type_yaml, path + " (its type)",
                                     fs::absolute(path).parent_path().string());
    if (!ids) return fail(ids.error());
  } else if (!info.type_model.empty()) {
    hector::type::v1::Interface model;
    if (!model.ParseFromString(info.type_model))
      return fail(Code::kInvalidArgument, fmt::format("{}: its type model is malformed", path));
    auto added = core_.types.add(std::move(model));
    if (!added) return fail(added.error());
  }
  auto found = core_.types.interface(info.interface_id);
  if (!found) {
    Error error = found.error();
    error.message = fmt::format("template {}: {}", info.name, error.message);
    return fail(std::move(error));
  }
  const std::lock_guard lock(mutex_);
  auto& slot = templates_[info.name];
  if (slot.objects > 0)
    return fail(Code::kAlreadyExists,
                fmt::format("template {} is loaded and has {} Objects; delete them first",
                            info.name, slot.objects));
  slot.language = language_name;
  slot.path = path;
  slot.interface = *found;
  slot.objects = 0;
  const std::string name = info.name;
  slot.code = std::move(code);
  core_.options.log->write(Level::kInfo, "template loaded",
                           {{"template", name}, {"language", language_name}});
  return name;
}

Result<std::vector<std::string>> KernelImpl::unload_template(const std::string& name,
                                                             bool dry_run) {
  const std::lock_guard lock(mutex_);
  const auto found = templates_.find(name);
  if (found == templates_.end())
    return fail(Code::kNotFound, fmt::format("template '{}' is not loaded", name));
  if (found->second.objects > 0) {
    std::vector<std::string> holders;
    for (const auto& [object, of] : object_templates_) {
      if (of == name) holders.push_back("Object " + object);
    }
    return fail(Error{Code::kFailedPrecondition,
                      fmt::format("template '{}' has Objects; delete them first", name),
                      {},
                      {},
                      holders});
  }
  std::vector<std::string> effects{
      fmt::format("template {} {}", name, dry_run ? "would be unloaded" : "unloaded")};
  if (!dry_run) templates_.erase(found);
  return effects;
}

Result<OfferPtr> KernelImpl::make_offer(const CreateOptions& options, const TemplateInfo& info,
                                        types::CompiledPtr interface) {
  auto offer = std::make_shared<Offer>();
  offer->id = core_.options.random->next();
  offer->object = options.name;
  offer->principal = core_.options.principal + "/" + options.name;
  offer->interface = std::move(interface);
  if (!options.properties.empty()) offer->advertise().properties = options.properties;
  offer->host = std::make_shared<ObjectHost>(HostOptions{
      options.name, info.name, info.thread, info.parallel, 65'536, core_.options.executor});
  return offer;
}

Result<Reference> KernelImpl::create_object(const CreateOptions& options) {
  if (options.name.empty() || options.name.front() == '_' ||
      options.name.find_first_of("/ .") != std::string::npos) {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is not an Object's name: letters without "
                                                    "'/', '.' and blanks, not starting with '_'",
                                                    options.name));
  }
  if (core_.offers.find_object(options.name))
    return fail(
        Code::kAlreadyExists,
        fmt::format("an Object named '{}' exists in this capsule; choose another name or delete it",
                    options.name));
  TemplateCode* code = nullptr;
  types::CompiledPtr interface;
  {
    const std::lock_guard lock(mutex_);
    const auto found = templates_.find(options.template_name);
    if (found == templates_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, loaded] : templates_) names.push_back(name);
      return fail(Code::kNotFound,
                  fmt::format("template '{}' is not loaded{}", options.template_name,
                              types::nearest_hint(options.template_name, names)));
    }
    ++found->second.objects;
    code = found->second.code.get();
    interface = found->second.interface;
  }
  const auto forget = [&] {
    const std::lock_guard lock(mutex_);
    --templates_[options.template_name].objects;
    handles_.erase(options.name);
    object_templates_.erase(options.name);
  };
  auto offer = make_offer(options, code->info(), interface);
  ObjectCapsule* handle = nullptr;
  {
    const std::lock_guard lock(mutex_);
    object_templates_[options.name] = options.template_name;
    auto& slot = handles_[options.name];
    slot = std::make_unique<ObjectCapsule>(*this, options.name, (*offer)->principal);
    handle = slot.get();
  }
  auto servant = code->instantiate(*handle, interface, options.arguments);
  if (!servant) {
    forget();
    return fail(servant.error());
  }
  (*offer)->host->set_servant(std::move(*servant));
  Status added;
  if (options.state) added = restore_state(*(*offer)->host, *options.state);
  if (added) added = add_offer(*offer, options.is_successor ? NameIs::kTakenOver : NameIs::kNew);
  if (!added) {
    (*offer)->host->drop_servant();
    forget();
    return fail(added.error());
  }
  if (options.arguments != "{}" || !options.properties.empty()) {
    const std::lock_guard lock(mutex_);
    made_[options.name] = options;
    made_[options.name].state.reset();
  }
  return core_.reference_of(**offer);
}

Status KernelImpl::add_offer(const OfferPtr& offer, NameIs name) {
  if (auto added = core_.offers.add(offer); !added) return added;
  if (auto bound = bind_object(*offer, name); !bound) {
    core_.offers.remove(offer->object);
    return bound;
  }
  if (auto published = publish(offer); !published) {
    unpublish(offer, name == NameIs::kNew ? NameGoes::kAway : NameGoes::kToSuccessor);
    core_.offers.remove(offer->object);
    return published;
  }
  core_.options.log->write(Level::kInfo, "object created",
                           {{"object", offer->object}, {"interface", offer->interface->id()}});
  hosting_.changed();
  return {};
}

/// A service that comes just now enters every Offer there is: then the name is taken, by this one.
Status KernelImpl::bind_object(const Offer& offer, NameIs name) {
  auto bound = bind_name(offer.object, core_.reference_of(offer), name == NameIs::kNew);
  if (bound || bound.error().code != Code::kAlreadyExists) return bound;
  auto there = services().naming->lookup(offer.object);
  return there && there->capsule_id == core_.capsule_id && there->offer == offer.id ? Status()
                                                                                    : bound;
}

Status KernelImpl::publish(const OfferPtr& offer) {
  const std::lock_guard one(
      publishing_);  // else two at a time would each leave an offer with the Trader
  const Services use = services();
  const Reference reference = core_.reference_of(*offer);
  if (use.trading == nullptr) return {};
  auto lease = trading_lease_.get();
  if (!lease) return fail(lease.error());
  auto id =
      use.trading->export_offer(offer->interface->id(), reference, offer->properties(), *lease);
  if (!id && id.error().type == kStoreLeaseNotFound) {
    trading_lease_.has_ended(*lease);
    if (lease = trading_lease_.get(); !lease) return fail(lease.error());
    id = use.trading->export_offer(offer->interface->id(), reference, offer->properties(), *lease);
  }
  if (!id) return fail(id.error());
  const std::string earlier = std::exchange(offer->advertise().trader_id, *id);
  if (!earlier.empty()) static_cast<void>(use.trading->withdraw(earlier));
  return {};
}

void KernelImpl::unpublish(const OfferPtr& offer, NameGoes name_goes) {
  const std::lock_guard one(publishing_);
  const Services use = services();
  const OfferPtr successor = core_.offers.find_object(offer->object);
  if (use.naming != nullptr && name_goes == NameGoes::kAway && (!successor || successor == offer))
    static_cast<void>(use.naming->unbind(offer->object));
  if (use.trading != nullptr && offer->advertised && !offer->advertised->trader_id.empty())
    static_cast<void>(use.trading->withdraw(offer->advertised->trader_id));
}

Status KernelImpl::advertise(const std::string& object,
                             const std::map<std::string, std::string>& properties) {
  const OfferPtr offer = core_.offers.find_object(object);
  if (!offer) return fail(Code::kNotFound, fmt::format("no Object '{}'", object));
  for (const auto& [name, value] : properties) offer->advertise().properties[name] = value;
  return publish(offer);
}

Result<Reference> KernelImpl::adopt_object(const std::string& name, InterfacePtr interface,
                                           std::unique_ptr<Servant> servant, ThreadModel thread,
                                           bool parallel) {
  CreateOptions options;
  options.name = name;
  return adopt_object(options, "adopted",
                      std::static_pointer_cast<const types::CompiledInterface>(interface),
                      std::move(servant), thread, parallel);
}

Result<Reference> KernelImpl::adopt_object(const CreateOptions& options, const std::string& kind,
                                           types::CompiledPtr interface,
                                           std::unique_ptr<Servant> servant, ThreadModel thread,
                                           bool parallel) {
  TemplateInfo info;
  info.name = kind;
  info.thread = thread;
  info.parallel = parallel;
  auto offer = make_offer(options, info, std::move(interface));
  (*offer)->host->set_servant(std::move(servant));
  HECTOR_TRY(add_offer(*offer, NameIs::kNew));
  return core_.reference_of(**offer);
}

Status KernelImpl::delete_object(const std::string& name) {
  return end_object(name, NameGoes::kAway);
}

Status KernelImpl::end_object(const std::string& name, NameGoes name_goes) {
  const OfferPtr known = core_.offers.find_object(name);
  if (!known || known->is_system)
    return fail(Code::kNotFound,
                fmt::format("no Object '{}' in capsule '{}'", name, core_.options.capsule));
  std::vector<std::uint64_t> bound;
  {
    const std::lock_guard lock(core_.bindings_mutex);
    for (const auto& [binding, session] : core_.parties) {
      if (session->offer() == known) bound.push_back(binding);
    }
  }
  for (const auto binding : bound)
    close_parties(core_, binding, fmt::format("Object '{}' was deleted", name));
  wait_until_unbound(known);
  const OfferPtr offer = core_.offers.remove(name);
  if (!offer) return {};
  hosting_.gone(name);
  unpublish(offer, name_goes);
  if (offer->host->retire(core_.options.clock->now() + core_.options.drain_grace,
                          *core_.options.clock)) {
    offer->host->drop_servant();
  } else {
    core_.options.log->write(Level::kWarning, "object kept: calls did not end within the grace",
                             {{"object", name}});
    const std::lock_guard lock(mutex_);
    kept_.push_back(offer);  // its code still runs: it may not be destroyed
    return {};
  }
  const std::lock_guard lock(mutex_);
  handles_.erase(name);
  if (const auto of = object_templates_.find(name); of != object_templates_.end()) {
    --templates_[of->second].objects;
    object_templates_.erase(of);
    made_.erase(name);
  }
  return {};
}

std::map<std::string, std::string> KernelImpl::language_names() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> names;
  for (const auto& [name, language] : languages_)
    names[name] = fmt::format("{}", fmt::join(language->formats(), " "));
  return names;
}

std::map<std::string, const LoadedTemplate*> KernelImpl::templates() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, const LoadedTemplate*> list;
  for (const auto& [name, loaded] : templates_) list[name] = &loaded;
  return list;
}

std::vector<std::pair<std::string, std::string>> KernelImpl::service_providers() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& [name, service] : embedded_) list.emplace_back(name, "embedded");
  for (const auto& [name, there] : joined_)
    list.emplace_back(name, "joined to " + there.reference.capsule);
  return list;
}

}  // namespace hector
