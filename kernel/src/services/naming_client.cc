// What: NamingService over the client generated from hector.Naming/1.
// Why: the kernel and Objects name and find references without knowing where the service is.
// Who: the table in service_clients.cc.
#include "call/reference_model.h"
#include "hector/naming.hector.h"
#include "services/client_makers.h"
#include "services/leasing_client.h"

namespace hector {

namespace {

using namespace hector::service::v1;

class RemoteNaming final : public LeasingClient<NamingService, NamingClient, NamingLease> {
 public:
  using LeasingClient::LeasingClient;

  Status bind(const std::string& name, const Reference& reference, bool exclusive,
              std::uint64_t lease) override {
    NamingBind request;
    request.set_lease(lease);
    request.set_make_contexts(true);
    request.set_name(name);
    *request.mutable_reference() = to_model(reference);
    request.set_exclusive(exclusive);
    return client_.bind(request).map([](const auto&) {});
  }
  Result<Reference> lookup(const std::string& name) override {
    NamingName request;
    request.set_name(name);
    return client_.lookup(request).map(
        [](const auto& binding) { return from_model(binding.reference()); });
  }
  Status unbind(const std::string& name) override {
    NamingName request;
    request.set_name(name);
    return client_.unbind(request).map([](const auto&) {});
  }
  Result<std::vector<NamedReference>> list(const std::string& context) override {
    NamingPage request;
    request.set_name(context);
    request.set_how_many(kPageMax);
    std::vector<NamedReference> list;
    do {
      auto page = client_.list_bindings(request);
      if (!page && page.error().code == Code::kNotFound) return list;
      if (!page) return fail(page.error());
      for (const auto& binding : page->bindings()) {
        if (binding.has_reference())
          list.push_back({binding.name(), from_model(binding.reference())});
      }
      request.set_iterator(page->iterator());
    } while (!request.iterator().empty());
    return list;
  }

 private:
  static constexpr std::uint32_t kPageMax = 1'000;  ///< the most that Naming gives at once
};

}  // namespace

std::unique_ptr<NamingService> make_naming_client(Target& target, const ClientContext& context) {
  return std::make_unique<RemoteNaming>(target, *context.clock);
}

}  // namespace hector
