// What: KernelImpl, the kernel put together: modules, templates, Objects, services, Bindings, and
// their end.
// Why: the one place that knows all parts; every part knows only what it is given.
// Who: Kernel::make; the management Object.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "binding/controller.h"
#include "capsule/hosting.h"
#include "hector/kernel.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "party/inbound.h"
#include "party/target.h"
#include "services/service_lease.h"

namespace hector {

struct LoadedTemplate {
  std::unique_ptr<TemplateCode> code;
  std::string language;
  std::string path;
  types::CompiledPtr interface;
  std::uint32_t objects = 0;
};

class KernelImpl;

/// An Object's handle.
class ObjectCapsule final : public Capsule {
 public:
  ObjectCapsule(KernelImpl& kernel, std::string object, std::string principal)
      : kernel_(kernel), object_(std::move(object)), principal_(std::move(principal)) {}
  const std::string& name() const noexcept override;
  const std::string& object_name() const noexcept override { return object_; }
  const std::string& principal() const noexcept override { return principal_; }
  const Clock& clock() const noexcept override;
  Executor& executor() noexcept override;
  Log& log() noexcept override;
  Result<std::shared_ptr<Target>> resolve(std::string_view who) override;
  Result<NamingService*> naming() override;
  Result<TradingService*> trading() override;
  Result<std::uint64_t> bind(const BindRequest& request) override;
  Status unbind(std::uint64_t binding) override;
  Status advertise(const std::map<std::string, std::string>& properties) override;

 private:
  KernelImpl& kernel_;
  std::string object_, principal_;
};

class KernelImpl final : public Kernel {
 public:
  explicit KernelImpl(const KernelOptions& options);
  ~KernelImpl() override;

  ProtocolContext protocol_context(const std::string& settings) override;
  LanguageContext language_context(const std::string& settings) override;
  ServiceContext service_context(const std::string& settings) override;
  void set_loader(ModuleLoader* loader) override { loader_ = loader; }
  Status add_protocol(const std::string& name, std::unique_ptr<Protocol> protocol,
                      const std::vector<std::string>& listen) override;
  Status add_language(const std::string& name, std::unique_ptr<Language> language) override;
  Status add_service(const std::string& name, std::unique_ptr<Service> service) override;
  Status join_service(const std::string& name, const Reference& reference,
                      std::function<Result<Reference>()> find) override;
  /// Null if it is no joined one.
  std::shared_ptr<Target> joined_service(const std::string& name);
  Result<std::vector<std::string>> unload(ModuleKind kind, const std::string& name,
                                          bool dry_run) override;
  Result<std::vector<std::string>> load_types(const std::string& path) override {
    return core_.types.load_file(path);
  }
  Result<std::string> load_template(const std::string& path) override;
  Result<std::vector<std::string>> unload_template(const std::string& name, bool dry_run) override;
  Result<Reference> create_object(const CreateOptions& options) override;
  Status delete_object(const std::string& name) override;
  Result<Reference> adopt_object(const std::string& name, InterfacePtr interface,
                                 std::unique_ptr<Servant> servant, ThreadModel thread,
                                 bool parallel) override;
  Result<Reference> adopt_object(const CreateOptions& options, const std::string& kind,
                                 types::CompiledPtr interface, std::unique_ptr<Servant> servant,
                                 ThreadModel thread, bool parallel);
  Result<InterfacePtr> interface(const std::string& id) override;
  Status add_interceptor(const std::string& name, InterceptorFactory factory) override {
    return core_.interceptors.add(name, std::move(factory));
  }
  Status announce_to_group(const std::string& protocol, const std::string& group,
                           const std::string& object, const std::string& interface_name,
                           const std::string& operation, Payload message) override;
  Capsule& capsule() override { return own_capsule_; }
  Reference management() override {
    return core_.reference_of(*core_.offers.find_object("_management"));
  }
  void drain() override;

  Result<hector::management::v1::BindReply> explain(const BindRequest& request);
  Result<std::shared_ptr<BindingController>> bind(const BindRequest& request);
  [[nodiscard]] std::shared_ptr<BindingController> binding(std::uint64_t id);
  Status unbind(std::uint64_t binding);
  /// The Object goes on in another capsule, with its name, its state and its places in Bindings;
  /// what happened, a line each.
  Result<management::v1::MoveReply> relocate(const std::string& object, const std::string& to);
  Status advertise(const std::string& object, const std::map<std::string, std::string>& properties);

  Core& core() { return core_; }
  Services services();
  ModuleLoader* loader() { return loader_; }
  std::map<std::string, std::string> language_names();
  std::map<std::string, const LoadedTemplate*> templates();
  std::vector<std::pair<std::string, std::string>> service_providers();
  std::vector<std::shared_ptr<BindingController>> bindings();

 private:
  enum class NameIs { kNew, kTakenOver };
  Status add_offer(const OfferPtr& offer, NameIs name);
  Status bind_object(const Offer& offer, NameIs name);
  enum class NameGoes { kAway, kToSuccessor };
  Status end_object(const std::string& name, NameGoes name_goes);
  Result<OfferPtr> make_offer(const CreateOptions& options, const TemplateInfo& info,
                              types::CompiledPtr interface);
  Status publish(const OfferPtr& offer);
  /// Sessions that another thread is about to end still tell their Object so: it must be there.
  void wait_until_unbound(const OfferPtr& offer);
  void unpublish(const OfferPtr& offer, NameGoes name_goes);
  /// Every place the Object has in a Binding goes to the successor, all or none.
  Result<std::vector<std::string>> rebind_places(const OfferPtr& offer,
                                                 const std::string& successor);
  void refresh_references();
  void bind_capsule();
  void bind_service(const Offer& offer);
  /// Under this capsule's lease at Naming; nothing where there is none.
  Status bind_name(const std::string& name, const Reference& reference, bool exclusive);
  Result<std::vector<std::string>> unload_protocol(const std::string& name, bool dry_run);
  Result<std::vector<std::string>> moves_of(const std::string& protocol, bool dry_run);
  Result<std::vector<std::string>> unload_language(const std::string& name, bool dry_run);
  Result<std::vector<std::string>> unload_service(const std::string& name, bool dry_run);
  Status use_service(const std::string& name, const std::shared_ptr<Target>& target);

  Core core_;
  Health health_{core_};
  KernelInbound inbound_{core_};
  KernelHosting hosting_{*this};
  ObjectCapsule own_capsule_;
  ModuleLoader* loader_ = nullptr;
  std::recursive_mutex publishing_;  ///< a thread that waits for a joined Trader serves its Object,
                                     ///< which may advertise
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Language>> languages_;
  std::map<std::string, LoadedTemplate> templates_;
  std::map<std::string, std::string> object_templates_;
  std::map<std::string, CreateOptions>
      made_;  ///< how each Object was made, where it was anything but its template
  std::map<std::string, std::unique_ptr<ObjectCapsule>> handles_;
  std::map<std::string, std::unique_ptr<Service>> embedded_;
  struct Joined {
    Reference reference;
    std::function<Result<Reference>()> find;
  };
  std::map<std::string, Joined> joined_;
  ServiceClients clients_;
  ServiceLease naming_lease_{core_, [this] { return services().naming; },
                             [this] { refresh_references(); }};
  ServiceLease trading_lease_{core_, [this] { return services().trading; },
                              [this] { refresh_references(); }};
  std::map<std::uint64_t, std::shared_ptr<BindingController>> bindings_;
  std::vector<OfferPtr> kept_;  ///< deleted Objects whose calls did not end in time
  bool drained_ = false;
};

std::unique_ptr<Servant> make_management(KernelImpl& kernel);
/// The control Object of one Binding, and its Interface, hector.Binding/1.
std::unique_ptr<Servant> make_binding_control(Core& core,
                                              const std::shared_ptr<BindingController>& controller);
hector::type::v1::Interface binding_control_interface();
std::string binding_control_name(std::uint64_t binding);
hector::type::v1::Interface management_interface();

}  // namespace hector
