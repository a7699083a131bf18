#include "kits/kit_capsule.h"

#include <cstdlib>

#include "hector/check.h"

namespace hector::kits {

KitCapsule::KitCapsule(const std::string& name, RightsMode rights)
    : log_(make_log(LogFormat::kText,
                    std::getenv("HECTOR_KIT_LOG") == nullptr ? Level::kError : Level::kDebug,
                    name)),
      clock_(make_system_clock()),
      random_(make_system_random()),
      loops_(make_event_loops(1)),
      network_(make_system_network(*clock_, *log_)),
      loader_(std::make_unique<PluginLoader>(plugin_paths(), *log_)) {
  KernelOptions options;
  options.capsule = name;
  if (const char* const realm = std::getenv("HECTOR_KIT_REALM"); realm != nullptr) {
    auto opened = CapsuleCredentials::open({realm, "capsule/" + name, {}, {}}, *log_);
    HECTOR_CHECK(opened.has_value(), "the kit's realm gives no identity");
    credentials_ = std::move(*opened);
    options.credentials = credentials_.get();
    options.principal = credentials_->principal();
  }
  options.clock = clock_.get();
  options.random = random_.get();
  options.executor = loops_.get();
  options.network = network_.get();
  options.log = log_.get();
  auto store = loader_->make_store(
      "memory", {name, {}, clock_.get(), random_.get(), loops_.get(), log_.get()});
  if (store) store_ = std::move(*store);
  options.store = store_.get();
  options.rights = rights;
  options.drain_grace = std::chrono::seconds(2);
  kernel_ = Kernel::make(options);
  loader_->set_kernel(kernel_.get());
  kernel_->set_loader(loader_.get());
}

KitCapsule::~KitCapsule() {
  kernel_->drain();
  loops_->stop();
  kernel_.reset();
  store_.reset();
}

Status KitCapsule::load(ModuleKind kind, const std::string& plugin,
                        const std::vector<std::string>* listen) {
  return loader_->load(kind, plugin, listen, "{}");
}

std::string source_path(const std::string& below) {
  const char* root = std::getenv("HECTOR_SOURCE");
  return std::string(root == nullptr ? "." : root) + "/" + below;
}

}  // namespace hector::kits
