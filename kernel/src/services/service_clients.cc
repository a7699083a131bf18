#include "services/service_clients.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <atomic>

#include "base/text/nearest.h"
#include "call/reference_model.h"
#include "hector/message_calls.h"
#include "hector/service/v1/naming.pb.h"
#include "hector/service/v1/policy.pb.h"
#include "hector/service/v1/trading.pb.h"
#include "hector/service/v1/type.pb.h"
#include "hector/sha256.h"
#include "services/builtin.h"
#include "types/model/compiled_interface.h"

namespace hector {

using namespace hector::service::v1;

namespace {

hector::type::v1::Interface naming_interface() {
  return builtin_interface("hector.Naming", "Names for references (X/Open XFN).",
                           {builtin_rpc<NamingBind, NamingRevision>("bind"),
                            builtin_rpc<NamingName, NamingBinding>("lookup"),
                            builtin_rpc<NamingName, NamingRevision>("unbind"),
                            builtin_rpc<NamingPage, NamingBindings>("list_bindings"),
                            builtin_rpc<NamingName, NamingComponents>("parse"),
                            builtin_rpc<NamingName, NamingBinding>("lookup_link"),
                            builtin_rpc<NamingPage, NamingBindings>("list_names"),
                            builtin_rpc<NamingRename, NamingRevision>("rename"),
                            builtin_rpc<NamingBind, NamingRevision>("create_subcontext"),
                            builtin_rpc<NamingName, NamingRevision>("destroy_subcontext"),
                            builtin_rpc<NamingName, NamingBindings>("initial_context"),
                            builtin_rpc<NamingName, NamingSyntax>("get_syntax_attrs"),
                            builtin_rpc<NamingEquivalent, NamingComponents>("equivalent_name"),
                            builtin_rpc<NamingAttributeIds, NamingAttributes>("attr_get"),
                            builtin_rpc<NamingAttributeIds, NamingAttributes>("attr_get_ids"),
                            builtin_rpc<NamingAttributeIds, NamingAttributes>("attr_multi_get"),
                            builtin_rpc<NamingModify, NamingRevision>("attr_modify"),
                            builtin_rpc<NamingModify, NamingRevision>("attr_multi_modify"),
                            builtin_rpc<NamingSearch, NamingBindings>("attr_search"),
                            builtin_flow<NamingWatch, NamingEvent>("watch"),
                            builtin_rpc<NamingNames, NamingResolved>("resolve_many"),
                            builtin_rpc<NamingLease, NamingLease>("open_lease"),
                            builtin_rpc<NamingLease, NamingLease>("renew_lease"),
                            builtin_rpc<NamingLease, NamingLease>("close_lease")});
}

hector::type::v1::Interface trading_interface() {
  return builtin_interface(
      "hector.Trading",
      "Offers found by service type, constraint and preference (ISO/IEC 13235-1).",
      {builtin_rpc<TradingOffer, TradingOfferId>("export"),
       builtin_rpc<TradingOfferId, TradingOfferId>("withdraw"),
       builtin_rpc<TradingQuery, TradingOffers>("query"),
       builtin_rpc<TradingOfferId, TradingOffer>("describe"),
       builtin_rpc<TradingModify, TradingOfferId>("modify"),
       builtin_rpc<TradingSelection, TradingWithdrawn>("withdraw_using_constraint"),
       builtin_rpc<TradingNext, TradingOffers>("next_offers"),
       builtin_rpc<TradingQuery, TradingExplanation>("explain"),
       builtin_rpc<TradingType, TradingRevision>("add_type"),
       builtin_rpc<TradingTypeName, TradingRevision>("remove_type"),
       builtin_rpc<TradingTypesSince, TradingTypes>("list_types"),
       builtin_rpc<TradingTypeName, TradingType>("describe_type"),
       builtin_rpc<TradingTypeName, TradingType>("fully_describe_type"),
       builtin_rpc<TradingTypeName, TradingRevision>("mask_type"),
       builtin_rpc<TradingTypeName, TradingRevision>("unmask_type"),
       builtin_rpc<TradingNothing, TradingAttributes>("get_attributes"),
       builtin_rpc<TradingAttributes, TradingRevision>("set_attributes"),
       builtin_rpc<TradingNext, TradingIds>("list_offers"),
       builtin_rpc<TradingLease, TradingLease>("open_lease"),
       builtin_rpc<TradingLease, TradingLease>("renew_lease"),
       builtin_rpc<TradingLease, TradingLease>("close_lease"),
       builtin_rpc<TradingLink, TradingRevision>("add_link"),
       builtin_rpc<TradingName, TradingRevision>("remove_link"),
       builtin_rpc<TradingName, TradingLink>("describe_link"),
       builtin_rpc<TradingNothing, TradingIds>("list_links"),
       builtin_rpc<TradingLink, TradingRevision>("modify_link"),
       builtin_rpc<TradingOffer, TradingOfferId>("export_proxy"),
       builtin_rpc<TradingOfferId, TradingOfferId>("withdraw_proxy"),
       builtin_rpc<TradingOfferId, TradingOffer>("describe_proxy"),
       builtin_rpc<TradingNothing, TradingIds>("list_proxies"),
       builtin_rpc<TradingTraderName, TradingTarget>("resolve"),
       builtin_flow<TradingQuery, TradingChange>("watch")});
}

hector::type::v1::Interface policy_interface() {
  return builtin_interface("hector.Policy",
                           "Values found by wildcard keys (X resources) in a chain of contexts.",
                           {builtin_rpc<PolicyQuestion, service::v1::PolicyValue>("get"),
                            builtin_rpc<PolicyTypedQuestion, PolicyTyped>("get_typed"),
                            builtin_rpc<PolicyPrefix, PolicyEntries>("enumerate"),
                            builtin_rpc<service::v1::PolicyEntry, PolicyRevision>("put"),
                            builtin_rpc<PolicySpec, PolicyRevision>("remove"),
                            builtin_rpc<PolicyBundle, PolicyRevision>("replace_bundle"),
                            builtin_rpc<PolicyChain, PolicyRevision>("set_chain"),
                            builtin_rpc<PolicyContext, PolicyChain>("get_chain"),
                            builtin_rpc<PolicyQuestion, PolicyEntries>("merge_view"),
                            builtin_rpc<PolicyQuestion, PolicyExplanation>("explain"),
                            builtin_flow<PolicyQuestion, service::v1::PolicyValue>("watch"),
                            builtin_rpc<PolicyTrial, PolicyExplanation>("try_out"),
                            builtin_rpc<PolicyAuthorisation, PolicyDecision>("authorise"),
                            builtin_rpc<PolicyRules, PolicyRevision>("put_rules"),
                            builtin_rpc<PolicyName, PolicyRevision>("remove_rules"),
                            builtin_rpc<PolicyName, PolicyNames>("list_rules"),
                            builtin_rpc<PolicyEntity, PolicyRevision>("put_entity"),
                            builtin_rpc<PolicyName, PolicyRevision>("remove_entity"),
                            builtin_rpc<PolicySchema, PolicyRevision>("put_schema"),
                            builtin_rpc<PolicySearchList, PolicyHandle>("search_list"),
                            builtin_rpc<PolicyLeaf, service::v1::PolicyValue>("get_from")});
}

hector::type::v1::Interface type_interface() {
  return builtin_interface(
      "hector.Type", "Types by name and content, with their descriptions, versions and code.",
      {builtin_rpc<TypeDefine, TypeVersion>("define"),
       builtin_rpc<TypeDefine, TypeVersion>("add_description"),
       builtin_rpc<TypeQuestion, TypeVersion>("get"),
       builtin_rpc<TypeCandidate, TypeVerdict>("check"),
       builtin_rpc<TypeMode, TypeRevision>("set_mode"),
       builtin_rpc<TypeConforms, TypeVerdict>("conforms"),
       builtin_rpc<TypeMatch, TypeMatched>("match"), builtin_rpc<TypeFlag, TypeRevision>("mask"),
       builtin_rpc<TypeFlag, TypeRevision>("deprecate"),
       builtin_rpc<TypeName, TypeRevision>("delete"), builtin_rpc<TypeName, TypeNames>("usages"),
       builtin_rpc<TypeName, TypeNames>("list"), builtin_rpc<TypeName, TypeNames>("versions"),
       builtin_rpc<TypeName, TypeClosure>("closure"),
       builtin_rpc<TypeModule, TypeRevision>("publish_module"),
       builtin_rpc<TypeModuleQuestion, TypeModule>("fetch_module"),
       builtin_flow<TypeName, TypeEvent>("watch")});
}

template <class Lease>
Result<std::uint64_t> open(Target& target, const Clock& clock, const std::string& owner,
                           Duration ttl) {
  Lease request;
  request.set_owner(owner);
  request.set_ttl_ms(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(ttl).count()));
  return call_and_wait<Lease>(target, clock, kByName, "open_lease", request)
      .map([](const auto& opened) { return opened.lease(); });
}
template <class Lease>
Status with_lease(Target& target, const Clock& clock, const char* operation, std::uint64_t lease) {
  Lease request;
  request.set_lease(lease);
  return call_and_wait<Lease>(target, clock, kByName, operation, request).map([](const auto&) {});
}

class NamingClient final : public NamingService {
 public:
  NamingClient(std::shared_ptr<Target> target, const ClientContext& context)
      : target_(std::move(target)), clock_(*context.clock) {}

  Status bind(const std::string& name, const Reference& reference, bool exclusive,
              std::uint64_t lease) override {
    NamingBind request;
    request.set_lease(lease);
    request.set_make_contexts(true);
    request.set_name(name);
    *request.mutable_reference() = to_model(reference);
    request.set_exclusive(exclusive);
    return call<NamingRevision>(0, "bind", request).map([](const auto&) {});
  }
  Result<Reference> lookup(const std::string& name) override {
    NamingName request;
    request.set_name(name);
    return call<NamingBinding>(1, "lookup", request).map([](const auto& binding) {
      return from_model(binding.reference());
    });
  }
  Status unbind(const std::string& name) override {
    NamingName request;
    request.set_name(name);
    return call<NamingRevision>(2, "unbind", request).map([](const auto&) {});
  }
  Result<std::vector<NamedReference>> list(const std::string& context) override {
    NamingPage request;
    request.set_name(context);
    request.set_how_many(kPageMax);
    std::vector<NamedReference> list;
    do {
      auto page = call<NamingBindings>(3, "list_bindings", request);
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
  Result<std::uint64_t> open_lease(const std::string& owner, Duration ttl) override {
    return open<NamingLease>(*target_, clock_, owner, ttl);
  }
  Status renew_lease(std::uint64_t lease) override {
    return with_lease<NamingLease>(*target_, clock_, "renew_lease", lease);
  }
  Status close_lease(std::uint64_t lease) override {
    return with_lease<NamingLease>(*target_, clock_, "close_lease", lease);
  }

 private:
  static constexpr std::uint32_t kPageMax = 1'000;
  template <class Out, class In>
  Result<Out> call(std::uint32_t operation, const char* name, const In& request) {
    return call_and_wait<Out>(*target_, clock_, operation, name, request);
  }
  std::shared_ptr<Target> target_;
  const Clock& clock_;
};

class TradingClient final : public TradingService {
 public:
  TradingClient(std::shared_ptr<Target> target, const ClientContext& context)
      : target_(std::move(target)), clock_(*context.clock) {}

  Result<std::string> export_offer(const std::string& type, const Reference& reference,
                                   const std::map<std::string, std::string>& properties,
                                   std::uint64_t lease) override {
    TradingOffer offer;
    offer.set_lease(lease);
    offer.set_type(type);
    *offer.mutable_reference() = to_model(reference);
    for (const auto& [name, value] : properties) (*offer.mutable_properties())[name] = value;
    return call_and_wait<TradingOfferId>(*target_, clock_, 0, "export", offer)
        .map([](const auto& id) { return id.id(); });
  }
  Result<std::uint64_t> open_lease(const std::string& owner, Duration ttl) override {
    return open<TradingLease>(*target_, clock_, owner, ttl);
  }
  Status renew_lease(std::uint64_t lease) override {
    return with_lease<TradingLease>(*target_, clock_, "renew_lease", lease);
  }
  Status close_lease(std::uint64_t lease) override {
    return with_lease<TradingLease>(*target_, clock_, "close_lease", lease);
  }
  Status withdraw(const std::string& id) override {
    TradingOfferId request;
    request.set_id(id);
    return call_and_wait<TradingOfferId>(*target_, clock_, 1, "withdraw", request)
        .map([](const auto&) {});
  }
  Result<std::vector<TradedOffer>> query(const TradeQuery& query) override {
    TradingQuery request;
    request.set_type(query.type);
    request.set_constraint(query.constraint);
    request.set_preference(query.preference);
    request.set_how_many(query.how_many);
    return call_and_wait<TradingOffers>(*target_, clock_, 2, "query", request)
        .map([](const auto& offers) {
          std::vector<TradedOffer> list;
          for (const auto& offer : offers.offers()) {
            list.push_back({offer.id(),
                            from_model(offer.reference()),
                            {offer.properties().begin(), offer.properties().end()}});
          }
          return list;
        });
  }

 private:
  std::shared_ptr<Target> target_;
  const Clock& clock_;
};

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

/// The kernel asks before it acts: where there is no answer it goes by its own entries.
constexpr Duration kAnswerWithin = std::chrono::seconds(2);
/// A Binding asks many questions: only the first one waits for a service that is away.
constexpr Duration kLeftAloneFor = std::chrono::seconds(1);

class PolicyClient final : public PolicyService {
 public:
  PolicyClient(std::shared_ptr<Target> target, const ClientContext& context)
      : target_(std::move(target)), clock_(*context.clock), capsule_(context.capsule) {}

  Result<hector::PolicyValue> get(const std::string& name, const std::string& class_name,
                                  const std::string& object) override {
    const TimePoint now = clock_.now();
    if (now < away_until_.load(std::memory_order_relaxed))
      return fail(Code::kUnavailable, "the Policy service did not answer a moment ago");
    PolicyQuestion question;
    question.set_name(name);
    question.set_class_(class_name);
    question.set_object(object);
    question.set_capsule(capsule_);
    question.set_host(host_name());
    auto found = call_and_wait<service::v1::PolicyValue>(*target_, clock_, 0, "get", question,
                                                         now + kAnswerWithin);
    if (found)
      return hector::PolicyValue{found->value(), found->context(), found->spec(), found->is_final(),
                                 found->revision()};
    if (found.error().code == Code::kUnavailable || found.error().code == Code::kDeadlineExceeded)
      away_until_.store(clock_.now() + kLeftAloneFor, std::memory_order_relaxed);
    return fail(std::move(found.error()));
  }
  Status put(const std::string& context, const std::string& spec, const std::string& value,
             bool is_final) override {
    service::v1::PolicyEntry entry;
    entry.set_context(context);
    entry.set_spec(spec);
    entry.set_value(value);
    entry.set_is_final(is_final);
    return call_and_wait<PolicyRevision>(*target_, clock_, 3, "put", entry).map([](const auto&) {});
  }

 private:
  std::shared_ptr<Target> target_;
  const Clock& clock_;
  const std::string capsule_;
  std::atomic<TimePoint> away_until_{TimePoint{}};
};

class TypeClient final : public TypeService {
 public:
  TypeClient(std::shared_ptr<Target> target, const ClientContext& context)
      : target_(std::move(target)), clock_(*context.clock) {}

  Result<CodeModule> fetch_module(const std::string& language, const std::string& name,
                                  const std::string& abi) override {
    TypeModuleQuestion question;
    question.set_language(language);
    question.set_name(name);
    question.set_abi(abi);
    auto module = HECTOR_TRY(call_and_wait<TypeModule>(*target_, clock_, kByName, "fetch_module",
                                                       question, clock_.now() + kAnswerWithin));
    // The way here may have changed it as well.
    if (sha256_hex(module.content()) != module.digest()) {
      return fail(
          Error{Code::kDataLoss,
                fmt::format("{}: module '{}' is not what its digest says", kBadModule, name),
                std::string(kBadModule),
                {},
                {}});
    }
    return CodeModule{module.name(), module.media(), module.content(), module.digest(),
                      module.is_package()};
  }

 private:
  std::shared_ptr<Target> target_;
  const Clock& clock_;
};

/// One row a service.
struct StandardService {
  const char* name;
  const char* interface_id;
  hector::type::v1::Interface (*interface)();
  std::shared_ptr<void> (*install)(Services&, std::shared_ptr<Target>,
                                   const ClientContext*);  ///< no target: takes it out
};
template <auto place, class Client>
std::shared_ptr<void> install(Services& services, std::shared_ptr<Target> target,
                              const ClientContext* context) {
  services.*place = nullptr;
  if (!target) return nullptr;
  auto client = std::make_shared<Client>(std::move(target), *context);
  services.*place = client.get();
  return client;
}
constexpr StandardService kStandardServices[] = {
    {"naming", "hector.Naming/1", naming_interface, install<&Services::naming, NamingClient>},
    {"trading", "hector.Trading/1", trading_interface, install<&Services::trading, TradingClient>},
    {"policy", "hector.Policy/1", policy_interface, install<&Services::policy, PolicyClient>},
    {"type", "hector.Type/1", type_interface, install<&Services::type, TypeClient>},
};

Result<const StandardService*> find(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& each : kStandardServices) {
    if (each.name == name) return &each;
    names.emplace_back(each.name);
  }
  return fail(Code::kInvalidArgument,
              fmt::format("there is no standard service '{}'{}; there are {}", name,
                          nearest_hint(name, names), fmt::join(names, ", ")));
}

}  // namespace

std::vector<hector::type::v1::Interface> standard_interfaces() {
  std::vector<hector::type::v1::Interface> all;
  for (const auto& each : kStandardServices) all.push_back(each.interface());
  return all;
}

Result<std::string> standard_interface_of(const std::string& service) {
  return find(service).map([](const auto* found) { return std::string(found->interface_id); });
}

Status ServiceClients::use(const std::string& service, std::shared_ptr<Target> target,
                           const ClientContext& context) {
  auto found = HECTOR_TRY(find(service));
  targets_[service] = target;
  clients_.push_back(found->install(services_, std::move(target), &context));
  return {};
}

std::shared_ptr<Target> ServiceClients::target(const std::string& service) const {
  const auto found = targets_.find(service);
  return found == targets_.end() ? nullptr : found->second;
}

void ServiceClients::drop(const std::string& service) {
  targets_.erase(service);
  if (auto found = find(service)) static_cast<void>((*found)->install(services_, nullptr, nullptr));
}

void ServiceClients::clear() {
  services_ = {};
  targets_.clear();
  clients_.clear();
}

}  // namespace hector
