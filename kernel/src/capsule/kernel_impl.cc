#include "capsule/kernel_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "binding/binding_control.h"
#include "binding/coordinator.h"
#include "binding/coordinators.h"
#include "capsule/channel_moves.h"
#include "capsule/relocation.h"
#include "channel/ping.h"
#include "hector/binding.hector.h"
#include "hector/check.h"
#include "hector/coordinator.hector.h"
#include "hector/management.hector.h"
#include "party/closing.h"

namespace hector {

namespace {

/// How long the kernel's own Objects may still be at work when the capsule ends.
constexpr Duration kSystemGrace = std::chrono::milliseconds(500);
/// Also where Objects took all the time.
constexpr Duration kProtocolGraceMin = std::chrono::milliseconds(300);
/// While the capsule ends nobody waits longer than this for another one.
constexpr Duration kDeadlineWhileDraining = std::chrono::seconds(1);

}  // namespace

std::string_view module_kind_name(ModuleKind kind) noexcept {
  return kind == ModuleKind::kProtocol   ? "protocol"
         : kind == ModuleKind::kLanguage ? "language"
         : kind == ModuleKind::kService  ? "service"
                                         : "store";
}

std::unique_ptr<Kernel> Kernel::make(const KernelOptions& options) {
  return std::make_unique<KernelImpl>(options);
}

// --- putting it together, and taking it down
// ----------------------------------------------------------------------------------------------

KernelImpl::KernelImpl(const KernelOptions& options)
    : core_(options),
      watch_({.offers = core_.offers,
              .clock = *options.clock,
              .log = *options.log,
              .default_deadline = options.default_deadline}),
      maker_(*options.random, *options.executor, core_.options.principal),
      health_(health_options()),
      reach_{core_, providers_, bindings_,
             [this](const std::string& object, const OfferProperties::Map& properties) {
               return advertise(object, properties);
             }},
      own_handle_(reach_, "_capsule", options.principal),
      providers_(core_, maker_,
                 [this](const ServiceProviders::Change& change) {
                   return publication_.change_services(change);
                 }),
      publication_({core_.offers,
                    core_.references,
                    [this] { return providers_.services(); },
                    {*options.clock, *options.executor, core_.blocking, *options.log}}),
      registry_(core_.offers),
      templates_(core_.types, registry_, *options.log),
      objects_(lifecycle_options()),
      hosting_(core_, registry_, objects_, own_handle_),
      bindings_(core_, health_, maker_, [this] { return providers_.services(); }),
      rights_watch_({.rights = core_.rights,
                     .clock = *options.clock,
                     .executor = *options.executor,
                     .blocking = core_.blocking,
                     .log = *options.log,
                     .changed = [this] {
                       const bool are_bindings_known = bindings_.check_rights();
                       return part_rights_.check() && are_bindings_known;
                     }}) {
  management_pools_.reads.use(*options.executor);
  management_pools_.changes.use(*options.executor);
  add_system_object(kCoordinatorName, CoordinatorServant::model(),
                    make_coordinator(core_, part_rights_));
  add_management();
  listen_to_health();
  if (core_.rights.are_asked()) rights_watch_.start();
  add_interface(BindingServant::model());
  for (const auto& interface : standard_interfaces())
    static_cast<void>(core_.types.add(interface, types::kBuiltIn));
}

Health::Options KernelImpl::health_options() {
  return {
      .clock = *core_.options.clock,
      .executor = *core_.options.executor,
      .blocking = core_.blocking,
      .own = core_.capsule_id,
      .ping =
          [this](const Reference& capsule, Deadline deadline, std::function<void(bool)> done) {
            ping_capsule(core_, capsule, deadline, std::move(done));
          },
  };
}

ObjectLifecycle::Options KernelImpl::lifecycle_options() {
  return {
      .registry = registry_,
      .templates = templates_,
      .publication = publication_,
      .maker = maker_,
      .parties = core_.parties,
      .clock = *core_.options.clock,
      .log = *core_.options.log,
      .grace = core_.limits.drain_grace,
      .make_handle =
          [this](const std::string& object, const std::string& principal) {
            return std::make_unique<ObjectHandle>(reach_, object, principal);
          },
      .close_parties = [this](std::uint64_t binding,
                              const std::string& why) { close_parties(core_, binding, why); },
      .pause = [this](Duration time) { return core_.pause_for(time); },
      .changed =
          [this] {
            hosting_.changed();
            if (!core_.options.executor->is_alone()) watching_.start();
          },
      .running = [this](const ObjectHost& host) { return running(host); },
  };
}

types::CompiledPtr KernelImpl::add_interface(std::string_view model) {
  const auto interface = interface_of_model(model).and_then(
      [this](const auto& parsed) { return core_.types.add(parsed, types::kBuiltIn); });
  HECTOR_CHECK(interface.has_value(), "an Interface of the kernel's own is malformed");
  return *interface;
}

void KernelImpl::add_system_object(const char* name, std::string_view model,
                                   std::unique_ptr<Servant> servant) {
  const Status added =
      core_.offers.add(maker_.system(name, "kernel", add_interface(model), std::move(servant)));
  HECTOR_CHECK(added.has_value(), "two Objects of the kernel's own have one name");
}

void KernelImpl::add_management() {
  const auto& options = core_.options;
  auto management = make_management(*this);
  if (!options.is_management_open) management = make_management_guard(std::move(management), *this);
  add_system_object(kManagementName, ManagementServant::model(), std::move(management));
}

void KernelImpl::listen_to_health() {
  core_.on_suspicion = [this](const kernel::v1::Place& place) {
    core_.blocking.run([this, place] {
      if (const auto controller = bindings_.find(place.binding())) controller->suspect(place);
    });
  };
  health_.on_lost([this](std::uint64_t capsule) {
    for (const auto& controller : bindings_.all()) controller->lost(capsule);
  });
  health_.on_alive([this](std::uint64_t capsule) {
    for (const auto& controller : bindings_.all()) controller->alive(capsule);
  });
}

KernelImpl::~KernelImpl() { drain(); }

void KernelImpl::reconfigure(KernelSettings settings) {
  if (is_drained_) return;
  core_.limits.default_deadline = settings.default_deadline;
  core_.limits.drain_grace = settings.drain_grace;
  core_.policies.configure(std::move(settings.policy));
}

void KernelImpl::drain() {
  if (is_drained_.exchange(true)) return;
  core_.limits.default_deadline =
      std::min<Duration>(core_.limits.default_deadline, kDeadlineWhileDraining);
  // One grace for all: ten Objects that hang do not take ten of them.
  const TimePoint until = core_.options.clock->now() + core_.limits.drain_grace.load();
  objects_.end_all_by(until);
  health_.stop();
  rights_watch_.stop();
  end_bindings();
  for (const auto& offer : core_.offers.all()) {
    if (!offer->is_system) objects_.end(offer, Publication::NameGoes::kAway);
  }
  publication_.close();
  end_protocols(until);
  hosting_.stop();
  management_pools_.reads.stop();
  management_pools_.changes.stop();
  watching_.stop();
  core_.blocking.stop();
  end_system_objects();
  providers_.clear();
  registry_.verify();
  templates_.clear();
}

void KernelImpl::end_bindings() {
  for (const auto& controller : bindings_.all()) controller->release();
  for (const auto& session : core_.parties.all()) close_party(core_, *session, "the capsule stops");
}

std::string KernelImpl::running(const ObjectHost& host) {
  watch_.look();
  std::string text;
  for (const auto& call : watch_.running(host)) text += (text.empty() ? "" : "; ") + call.text();
  return text.empty() ? "calls that no thread is inside of" : text;
}

void KernelImpl::end_protocols(TimePoint until) {
  for (const auto& name : core_.protocols.names())
    static_cast<void>(core_.protocols.withdraw(name));
  // Where Objects have used up the time, a protocol still has this much to say that it ends.
  for (const auto& name : core_.protocols.names())
    core_.protocols.remove(
        name, std::max<Duration>(until - core_.options.clock->now(), kProtocolGraceMin));
}

void KernelImpl::end_system_objects() {
  const auto& clock = *core_.options.clock;
  for (const auto& offer : core_.offers.all()) {
    if (!offer->is_system) {  // made while the capsule ends
      objects_.end(offer, Publication::NameGoes::kAway);
      continue;
    }
    core_.offers.remove(offer->object);
    if (offer->host->retire(clock.now() + kSystemGrace, clock)) offer->host->drop_servant();
  }
}

// --- what plugins are given
// ----------------------------------------------------------------------------------------------

ProtocolContext KernelImpl::protocol_context(const std::string& settings) {
  const auto& o = core_.options;
  return {o.capsule, core_.capsule_id, o.clock,   o.random,      o.executor, o.network,
          o.log,     &inbound_,        &hosting_, o.credentials, settings};
}

LanguageContext KernelImpl::language_context(const std::string& settings) {
  const auto& o = core_.options;
  auto fetch = [this](const std::string& language, const std::string& name,
                      const std::string& abi) -> Result<CodeModule> {
    if (auto* const type = providers_.services().type; type != nullptr)
      return type->fetch_module(language, name, abi);
    return fail(Error::unimplemented("this capsule has no Type service"));
  };
  return {o.capsule,
          o.clock,
          o.executor,
          o.log,
          [this](const std::string& id) { return interface(id); },
          std::move(fetch),
          settings};
}

ServiceContext KernelImpl::service_context(const std::string& settings) {
  const auto& o = core_.options;
  auto run_blocking = [this](std::function<void()> task) { core_.blocking.run(std::move(task)); };
  auto open_store = [this](const std::string& location) -> Result<std::unique_ptr<Store>> {
    if (core_.options.open_store) return core_.options.open_store(location);
    return fail(Error::unavailable(fmt::format("'{}': this kernel opens no stores", location)));
  };
  return {o.capsule,
          o.clock,
          o.random,
          o.executor,
          o.log,
          o.store,
          settings,
          &own_handle_,
          std::move(run_blocking),
          std::move(open_store)};
}

Result<InterfacePtr> KernelImpl::interface(const std::string& id) {
  auto found = HECTOR_TRY(core_.types.interface(id));
  return InterfacePtr(found);
}

// --- modules
// ----------------------------------------------------------------------------------------------

Status KernelImpl::add_protocol(const std::string& name, std::unique_ptr<Protocol> protocol,
                                const std::vector<std::string>& listen) {
  const std::lock_guard one(protocol_change_);
  HECTOR_TRY(core_.protocols.add(name, std::move(protocol), listen));
  for (const auto& address : core_.protocols.addresses(name))
    core_.options.log->write(Level::kInfo, "listening", {{"protocol", name}, {"address", address}});
  tell_addresses();
  return {};
}

void KernelImpl::tell_addresses() {
  publication_.refresh();
  const bool has_ended = core_.offers.find_object(kManagementName) == nullptr;
  if (core_.options.reached_otherwise && !has_ended) core_.options.reached_otherwise(management());
}

Result<Effects> KernelImpl::unload(ModuleKind kind, const std::string& name, Unload mode,
                                   const Decided& decided) {
  auto effects = kind == ModuleKind::kProtocol   ? unload_protocol(name, mode, decided)
                 : kind == ModuleKind::kLanguage ? templates_.unload_language(name, mode)
                                                 : providers_.unload(name, mode);
  if (!effects) return effects;
  if (kind != ModuleKind::kProtocol && decided) decided(*effects);
  if (mode != Unload::kDryRun && loader_ != nullptr) loader_->retired(kind, name);
  return effects;
}

Result<Effects> KernelImpl::unload_protocol(const std::string& name, Unload mode,
                                            const Decided& decided) {
  const std::lock_guard one(protocol_change_);
  if (!core_.protocols.has(name))
    return fail(Error::not_found(fmt::format("protocol '{}' is not loaded; loaded are {}", name,
                                             fmt::join(core_.protocols.names(), ", "))));
  ChannelMoves moves(core_, name);
  auto found = moves.run(Unload::kDryRun);
  if (!found.breaks.empty() && mode != Unload::kForce)
    return fail(Error::failed_precondition(
                    fmt::format("protocol '{}' is in use and not every channel can move", name))
                    .with_reasons(std::move(found.breaks)));
  if (mode != Unload::kDryRun) {
    static_cast<void>(core_.protocols.withdraw(name));
    providers_.join_again();
    tell_addresses();
    found = moves.run(Unload::kNow);  // with channels that were opened since the dry run
  }
  Effects effects = std::move(found.effects);
  std::move(found.breaks.begin(), found.breaks.end(), std::back_inserter(effects));
  for (const auto& address : core_.protocols.addresses(name))
    effects.push_back(
        fmt::format("endpoint {} {}", address, mode == Unload::kDryRun ? "would close" : "closes"));
  if (decided) decided(effects);
  if (mode == Unload::kDryRun) return effects;
  core_.protocols.remove(name, core_.limits.drain_grace);
  core_.options.log->write(Level::kInfo, "unloaded", {{"kind", "protocol"}, {"name", name}});
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

// --- Objects
// ----------------------------------------------------------------------------------------------

Reference KernelImpl::management() {
  const OfferPtr offer = core_.offers.find_object(kManagementName);
  HECTOR_CHECK(offer != nullptr, "the management Object is asked for after drain()");
  return core_.references.of(*offer);
}

Result<Reference> KernelImpl::create_object(const CreateOptions& options) {
  const auto offer = HECTOR_TRY(objects_.create(options));
  return core_.references.of(*offer);
}

Result<Reference> KernelImpl::adopt_object(const std::string& name, InterfacePtr interface,
                                           std::unique_ptr<Servant> servant, ThreadModel thread,
                                           bool parallel) {
  CreateOptions options;
  options.name = name;
  const auto offer = HECTOR_TRY(
      objects_.adopt(options, {.thread = thread, .parallel = parallel},
                     std::static_pointer_cast<const types::CompiledInterface>(interface),
                     [&]() -> Result<std::unique_ptr<Servant>> { return std::move(servant); }));
  return core_.references.of(*offer);
}

Status KernelImpl::delete_object(const std::string& name) {
  const OfferPtr offer = core_.offers.find_object(name);
  if (!offer || offer->is_system)
    return fail(Error::not_found(
        fmt::format("no Object '{}' in capsule '{}'", name, core_.options.capsule)));
  objects_.end(offer, Publication::NameGoes::kAway);
  return {};
}

Status KernelImpl::advertise(const std::string& object,
                             const std::map<std::string, std::string>& properties) {
  const OfferPtr offer = core_.offers.find_object(object);
  if (!offer) return fail(Error::not_found(fmt::format("no Object '{}'", object)));
  return publication_.advertise(offer, properties);
}

Result<management::v1::MoveReply> KernelImpl::relocate(const std::string& object,
                                                       const std::string& to) {
  const OfferPtr offer = core_.offers.find_object(object);
  auto made = registry_.made_with(object);
  if (!offer || !made)
    return fail(Error::not_found(fmt::format("no Object '{}' made from a template in capsule '{}'",
                                             object, core_.options.capsule)));
  Relocation relocation(core_, offer, std::move(*made));
  auto reply =
      relocation.run(to, [this](std::string_view name) { return own_handle_.resolve(name); });
  if (!reply && relocation.is_made()) static_cast<void>(publication_.export_offer(offer));
  if (!reply) return reply;
  objects_.end(offer, Publication::NameGoes::kToSuccessor);
  reply->add_effects(fmt::format("'{}' ended in capsule '{}'", object, core_.options.capsule));
  core_.options.log->write(Level::kInfo, "object moved", {{"object", object}, {"to", to}});
  return reply;
}

}  // namespace hector
