// What: KernelImpl, the kernel put together: each part is made once, in the order of what it
// needs, and given what it needs; drain() takes them down in the opposite order.
// Why: the one place that knows all parts; every part knows only what it is given.
// Who: Kernel::make; the management Object.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "binding/health.h"
#include "binding/part_rights.h"
#include "capsule/bindings.h"
#include "capsule/hosting.h"
#include "capsule/object_handle.h"
#include "capsule/object_lifecycle.h"
#include "capsule/object_registry.h"
#include "capsule/offer_maker.h"
#include "capsule/publication.h"
#include "capsule/service_providers.h"
#include "capsule/templates.h"
#include "hector/kernel.h"
#include "objects/watch_thread.h"
#include "party/inbound.h"
#include "services/rights_watch.h"

namespace hector {

class KernelImpl final : public Kernel {
 public:
  explicit KernelImpl(const KernelOptions& options);
  ~KernelImpl() override;

  ProtocolContext protocol_context(const std::string& settings) override;
  LanguageContext language_context(const std::string& settings) override;
  ServiceContext service_context(const std::string& settings) override;
  void set_loader(ModuleLoader* loader) override { loader_ = loader; }
  void reconfigure(KernelSettings settings) override;
  Status add_protocol(const std::string& name, std::unique_ptr<Protocol> protocol,
                      const std::vector<std::string>& listen) override;
  Status add_language(const std::string& name, std::unique_ptr<Language> language) override {
    return templates_.add_language(name, std::move(language));
  }
  Status add_service(const std::string& name, std::unique_ptr<Service> service) override {
    return providers_.embed(name, std::move(service));
  }
  Status join_service(const std::string& name, const Reference& reference,
                      std::function<Result<Reference>()> find) override {
    return providers_.join(name, reference, std::move(find));
  }
  Result<Effects> unload(ModuleKind kind, const std::string& name, Unload mode,
                         const std::function<void(const Effects&)>& decided) override;
  Result<std::vector<std::string>> load_types(const std::string& path) override {
    return core_.types.load_file(path, "configuration, " + path);
  }
  Result<std::string> load_template(const std::string& path) override {
    auto loaded = HECTOR_TRY(templates_.load(path));
    return std::move(loaded.name);
  }
  Result<Effects> unload_template(const std::string& name, Unload mode) override {
    return templates_.unload(name, mode);
  }
  Result<Reference> create_object(const CreateOptions& options) override;
  Status delete_object(const std::string& name) override;
  Result<Reference> adopt_object(const std::string& name, InterfacePtr interface,
                                 std::unique_ptr<Servant> servant, ThreadModel thread,
                                 bool parallel) override;
  Result<InterfacePtr> interface(const std::string& id) override;
  Status add_interceptor(const std::string& name, InterceptorFactory factory) override {
    return core_.interceptors.add(name, std::move(factory));
  }
  Status announce_to_group(const std::string& protocol, const std::string& group,
                           const std::string& object, const std::string& interface_name,
                           const std::string& operation, Payload message) override;
  Capsule& capsule() override { return own_handle_; }
  Reference management() override;
  void drain() override;

  /// The Object goes on in another capsule, with its name, its state and its places in Bindings;
  /// what happened, a line each.
  Result<management::v1::MoveReply> relocate(const std::string& object, const std::string& to);
  Status advertise(const std::string& object, const std::map<std::string, std::string>& properties);

  // The parts, for the management Object and Objects' handles.
  Core& core() { return core_; }
  Bindings& bindings() { return bindings_; }
  Templates& templates() { return templates_; }
  const ServiceProviders& providers() const { return providers_; }
  ModuleLoader* loader() const { return loader_; }
  /// Threads of management's own: what Objects and services do holds none of them.
  struct ManagementPools {
    BlockingPool reads;
    BlockingPool changes;
  };
  ManagementPools& management_pools() { return management_pools_; }
  ObjectWatch& watch() { return watch_; }

 private:
  /// `model`: a serialised Interface, as generated servants have it.
  void add_system_object(const char* name, std::string_view model,
                         std::unique_ptr<Servant> servant);
  types::CompiledPtr add_interface(std::string_view model);
  void add_management();
  void listen_to_health();
  Health::Options health_options();
  ObjectLifecycle::Options lifecycle_options();
  using Decided = std::function<void(const Effects&)>;
  Result<Effects> unload_protocol(const std::string& name, Unload mode, const Decided& decided);
  /// Everybody learns how this capsule is reached now.
  void tell_addresses();
  void end_bindings();
  void end_protocols(TimePoint until);
  /// What the Object's calls are, and since when.
  std::string running(const ObjectHost& host);
  void end_system_objects();

  Core core_;
  PartRights part_rights_{core_};
  ObjectWatch watch_;
  OfferMaker maker_;
  Health health_;
  KernelInbound inbound_{core_};
  const ObjectHandle::Reach reach_;
  ObjectHandle own_handle_;
  ModuleLoader* loader_ = nullptr;
  ServiceProviders providers_;
  Publication publication_;
  ObjectRegistry registry_;
  Templates templates_;
  ObjectLifecycle objects_;
  KernelHosting hosting_;
  Bindings bindings_;
  ManagementPools management_pools_;
  std::mutex protocol_change_;  ///< one comes or goes at a time; no other lock is held then
  WatchThread watching_{watch_};
  RightsWatch rights_watch_;
  std::atomic<bool> is_drained_{false};
};

/// The management Object; its room is above this one, so only this declaration is here.
std::unique_ptr<Servant> make_management(KernelImpl& kernel);
/// Only who may manage this capsule comes through it.
std::unique_ptr<Servant> make_management_guard(std::unique_ptr<Servant> management,
                                               KernelImpl& kernel);

}  // namespace hector
