// What: the embedded provider of Naming: one flat context in memory.
// Why: roles are resolved by name. Composite names, federation and durability come with the store.
// Who: loaded by capsules whose configuration says `naming: embedded`.
#include <map>
#include <mutex>

#include "hector/plugin.h"
#include "hector/service/v1/naming.pb.h"
#include "hector/typed.h"
#include "name.h"

namespace {

using namespace hector;
using namespace hector::service::v1;

constexpr std::size_t kNamesMax = 1'000'000;
constexpr std::size_t kNameOctetsMax = 4'096;

class Naming final : public Service {
 public:
  Naming() : servant_({[this](Call& call) { bind(call); }, [this](Call& call) { lookup(call); }, [this](Call& call) { unbind(call); }, [this](Call& call) { list(call); },
                      [this](Call& call) { parse(call); }}) {}
  std::string interface_id() const override { return "hector.Naming/1"; }
  Servant& servant() override { return servant_; }

 private:
  void bind(Call& call) {
    answer<NamingBind>(call, [&](const NamingBind& request) -> Result<NamingRevision> {
      if (request.name().empty() || request.name().size() > kNameOctetsMax) return fail(Code::kInvalidArgument, "ILLEGAL_NAME: a name has 1 to 4096 octets");
      const std::lock_guard lock(mutex_);
      const auto found = names_.find(request.name());
      if (found != names_.end() && request.exclusive()) {
        return fail(Code::kAlreadyExists, "NAME_IN_USE: '" + request.name() + "' is bound to " + found->second.object() + " of capsule " + found->second.capsule());
      }
      if (found == names_.end() && names_.size() >= kNamesMax) return fail(Code::kResourceExhausted, "Naming holds 1,000,000 names, its limit");
      names_[request.name()] = request.reference();
      return revised();
    });
  }
  void lookup(Call& call) {
    answer<NamingName>(call, [&](const NamingName& request) -> Result<NamingBinding> {
      const std::lock_guard lock(mutex_);
      const auto found = names_.find(request.name());
      if (found == names_.end()) return fail(Code::kNotFound, "NAME_NOT_FOUND: '" + request.name() + "'");
      NamingBinding binding;
      binding.set_name(request.name());
      *binding.mutable_reference() = found->second;
      return binding;
    });
  }
  void unbind(Call& call) {
    answer<NamingName>(call, [&](const NamingName& request) -> Result<NamingRevision> {
      const std::lock_guard lock(mutex_);
      names_.erase(request.name());
      return revised();
    });
  }
  void list(Call& call) {
    answer<NamingName>(call, [&](const NamingName& request) -> Result<NamingBindings> {
      NamingBindings bindings;
      const std::lock_guard lock(mutex_);
      for (auto at = names_.lower_bound(request.name()); at != names_.end() && at->first.starts_with(request.name()); ++at) {
        auto* binding = bindings.add_bindings();
        binding->set_name(at->first);
        *binding->mutable_reference() = at->second;
      }
      return bindings;
    });
  }
  void parse(Call& call) {
    answer<NamingName>(call, [&](const NamingName& request) -> Result<NamingComponents> {
      auto components = naming::parse_name(request.name());
      if (!components) return fail(components.error());
      NamingComponents reply;
      reply.set_name(naming::print_name(*components));
      for (auto& each : *components) reply.add_components(std::move(each));
      return reply;
    });
  }
  NamingRevision revised() {
    NamingRevision revision;
    revision.set_revision(++revision_);
    return revision;
  }

  TableServant servant_;
  std::mutex mutex_;
  std::map<std::string, hector::kernel::v1::Reference> names_;
  std::uint64_t revision_ = 0;
};

Service* make(const ServiceContext&) { return new Naming(); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {sizeof(hector_plugin), HECTOR_ABI_VERSION, "naming", nullptr, nullptr, make};
