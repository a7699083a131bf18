// What: the management Object (hector.Management/1).
// Why: everything that can be administered in a capsule is one Interface, over every protocol.
// Who: the kernel makes it; the command line and other clients call it.
#include <fmt/format.h>

#include <atomic>

#include "base/text/nearest.h"
#include "call/audited.h"
#include "capsule/kernel_impl.h"
#include "channel/rights_words.h"
#include "hector/management.hector.h"
#include "management/asker.h"
#include "management/description.h"
#include "management/listing.h"
#include "management/management_guard.h"
#include "management/may.h"
#include "management/object_call.h"

namespace hector {

using management::v1::CallReply;
using management::v1::CallRequest;
using management::v1::CreateReply;
using management::v1::CreateRequest;
using management::v1::DeleteRequest;
using management::v1::DescribeReply;
using management::v1::DescribeRequest;
using management::v1::Done;
using management::v1::ListReply;
using management::v1::ListRequest;
using management::v1::LoadReply;
using management::v1::LoadRequest;
using management::v1::MayReply;
using management::v1::MayRequest;
using management::v1::MoveReply;
using management::v1::MoveRequest;
using management::v1::Nothing;
using management::v1::VersionReply;
using management::v1::WhoReply;

namespace {

/// Of a call whose client names no time.
constexpr std::chrono::milliseconds kCallWithin{30'000};

Result<ModuleKind> module_kind(const std::string& kind) {
  for (const auto each : {ModuleKind::kProtocol, ModuleKind::kLanguage, ModuleKind::kService}) {
    if (kind == module_kind_name(each)) return each;
  }
  return fail(
      Code::kInvalidArgument,
      fmt::format("'{}' cannot be loaded; protocol, language, service, template and type can",
                  kind));
}

/// Requests that run on one pool, and how many wait for it.
class Workers {
 public:
  /// More than any client needs; RESOURCE_EXHAUSTED beyond.
  static constexpr std::size_t kOutstandingMax = 1'000;
  explicit Workers(BlockingPool& pool) : pool_(pool) {}

  /// Runs the work on a thread that may block, and replies with its result.
  template <class Out, class Work>
  void run(Reply<Out> given, Work work) {
    const auto reply = given.later();
    run_later(reply, [reply, work = std::move(work)] { reply(work()); });
  }
  /// The same for work that replies itself, to a Reply that is kept (later()) already.
  template <class Out>
  void run_later(Reply<Out> reply, std::function<void()> work) {
    if (outstanding_.fetch_add(1) >= kOutstandingMax) {
      outstanding_.fetch_sub(1);
      return reply.fail(Error::resource_exhausted(fmt::format(
          "management has {} requests outstanding, its limit; try again", kOutstandingMax)));
    }
    pool_.run([this, work = std::move(work)] {
      outstanding_.fetch_sub(1);
      work();
    });
  }

 private:
  BlockingPool& pool_;
  std::atomic<std::size_t> outstanding_{0};
};

class Management final : public ManagementServant {
 public:
  explicit Management(KernelImpl& kernel)
      : kernel_(kernel),
        core_(kernel.core()),
        reads_(kernel.management_pools().reads),
        changes_(kernel.management_pools().changes) {}

  void list(const ListRequest& request, Reply<ListReply> reply) override {
    reads_.run(reply, [this, request] { return Listing(kernel_).of(request.kind()); });
  }

  void describe(const DescribeRequest& request, Reply<DescribeReply> reply) override {
    reads_.run(reply, [this, request]() -> Result<DescribeReply> {
      DescribeReply described;
      described.set_json(HECTOR_TRY(Description(kernel_).of(request)));
      return described;
    });
  }

  void load(const LoadRequest& request, Reply<LoadReply> reply) override {
    changes_.run(reply, [this, request, who = who(reply)] {
      if (request.dry_run()) return load_now(request);
      return act(who, "load " + request.kind(), request.name(), [&] { return load_now(request); });
    });
  }

  void unload(const LoadRequest& request, Reply<LoadReply> reply) override {
    const auto later = reply.later();
    changes_.run_later(later, [this, request, later, who = who(reply)] {
      const auto work = [&] { return unload_now(request, later); };
      const Status done =
          request.dry_run() ? work() : act(who, "unload " + request.kind(), request.name(), work);
      if (!done) later.fail(done.error());
    });
  }

  void create(const CreateRequest& request, Reply<CreateReply> reply) override {
    changes_.run(reply, [this, request, who = who(reply)] {
      return act(who, "create object", request.name() + " of " + request.template_(),
                 [&] { return create_now(request); });
    });
  }

  void delete_(const DeleteRequest& request, Reply<Done> reply) override {
    changes_.run(reply, [this, request, who = who(reply)] {
      return act(who, "delete " + request.kind(), request.name(),
                 [&] { return delete_now(request); });
    });
  }

  /// The Object is found on a worker; nobody waits for its answer.
  void call(const CallRequest& request, Reply<CallReply> given) override {
    const auto reply = given.later();
    reads_.run_later(reply, [this, request, reply] {
      if (auto started = call_now(request, reply); !started) reply.fail(started.error());
    });
  }

  void bind(const management::v1::BindRequest& request,
            Reply<management::v1::BindReply> reply) override {
    changes_.run(reply, [this, request, who = who(reply)]() -> Result<management::v1::BindReply> {
      BindRequest wanted;
      wanted.type = request.type();
      for (const auto& party : request.parties())
        wanted.parties.push_back({party.role(), party.who()});
      if (request.explain_only()) return kernel_.bindings().explain(wanted);
      return act(who, "bind", request.type(), [&]() -> Result<management::v1::BindReply> {
        return HECTOR_TRY(kernel_.bindings().bind(wanted))->formation();
      });
    });
  }

  void version(const Nothing& /*request*/, Reply<VersionReply> reply) override {
    VersionReply version;
    version.set_version("0.1.0");
    version.set_capsule(core_.options.capsule);
    version.set_build(__VERSION__);
    reply(std::move(version));
  }

  void whoami(const Nothing& /*request*/, Reply<WhoReply> given) override {
    const auto reply = given.later();
    reads_.run_later(reply, [this, reply] {
      const Asker asker = asker_of(core_, reply.call());
      const auto& principal = asker.caller.principal;
      WhoReply who;
      who.set_principal(principal.empty() ? std::string(rights::kAnonymous) : principal);
      who.set_is_authenticated(!principal.empty());
      who.set_claimed(asker.caller.claimed);
      who.set_how(asker.how);
      who.set_entity(rights::principal(principal));
      who.set_rights(core_.rights.are_asked() ? "required" : "not asked");
      reply(std::move(who));
    });
  }

  void may(const MayRequest& request, Reply<MayReply> given) override {
    const auto reply = given.later();
    reads_.run_later(reply, [this, request, reply] {
      const Asker asker = asker_of(core_, reply.call());
      const auto question = question_of(request, asker.caller.view(), core_.options.capsule);
      if (!question) return reply.fail(question.error());
      const RightsAnswer answer = core_.rights.ask(*question);
      MayReply may;
      may.set_allowed(answer.is_allowed);
      may.set_why(answer.why);
      may.set_principal(question->principal);
      may.set_action(question->action);
      may.set_resource(question->resource);
      may.set_context(question->context);
      reply(std::move(may));
    });
  }

  void move(const MoveRequest& request, Reply<MoveReply> reply) override {
    changes_.run(reply, [this, request, who = who(reply)] {
      return act(who, "move object", request.object() + " to " + request.to(),
                 [&] { return kernel_.relocate(request.object(), request.to()); });
    });
  }

 private:
  /// For the audit log, while the call is there; nothing where there is none.
  template <class Out>
  std::string who(const Reply<Out>& reply) const {
    return core_.options.audit ? who_asks(reply.call().peer) : std::string();
  }
  template <class Work>
  auto act(const std::string& who, const std::string& action, const std::string& object,
           const Work& work) -> decltype(work()) {
    return audited(core_.options.audit,
                   {.kind = "management", .principal = who, .action = action, .object = object},
                   work);
  }

  Result<LoadReply> load_now(const LoadRequest& request) {
    LoadReply reply;
    if (request.kind() == "template") {
      if (request.dry_run())
        return fail(Code::kInvalidArgument,
                    "loading a template has no dry run; `hector type check` checks its types");
      auto loaded = HECTOR_TRY(kernel_.templates().load(request.name()));
      reply.set_name(loaded.name);
      for (auto& effect : loaded.effects) reply.add_effects(std::move(effect));
      return reply;
    }
    if (request.kind() == "type") {
      auto ids = HECTOR_TRY(core_.types.load_file(request.name(), "loaded, " + request.name()));
      reply.set_name(fmt::format("{}", fmt::join(ids, " ")));
      return reply;
    }
    auto kind = HECTOR_TRY(module_kind(request.kind()));
    if (kernel_.loader() == nullptr)
      return fail(Code::kUnimplemented, "this capsule was built without a module loader");
    if (kind != ModuleKind::kProtocol && request.listen_size() > 0)
      return fail(Code::kInvalidArgument, fmt::format("only a protocol listens; '{}' is a {}",
                                                      request.name(), request.kind()));
    auto effects = HECTOR_TRY(kernel_.loader()->load(
        kind, request.name(),
        {.listen = {request.listen().begin(), request.listen().end()},
         .settings = request.settings(),
         .channels = request.insecure() ? Channels::kPlain : Channels::kSecured,
         .is_dry_run = request.dry_run()}));
    reply.set_name(request.name());
    for (auto& effect : effects) reply.add_effects(std::move(effect));
    return reply;
  }

  /// The answer goes before anything closes: it may go over the protocol that is unloaded. An error
  /// is the caller's to answer.
  Status unload_now(const LoadRequest& request, Reply<LoadReply> reply) {
    const Unload mode = request.dry_run() ? Unload::kDryRun
                        : request.force() ? Unload::kForce
                                          : Unload::kNow;
    const auto answer = [&](const Effects& effects) {
      LoadReply unloaded;
      unloaded.set_name(request.name());
      unloaded.mutable_effects()->Add(effects.begin(), effects.end());
      reply(unloaded);
    };
    if (request.kind() == "template") {
      answer(HECTOR_TRY(kernel_.unload_template(request.name(), mode)));
      return {};
    }
    const auto kind = HECTOR_TRY(module_kind(request.kind()));
    HECTOR_TRY(kernel_.unload(kind, request.name(), mode, answer));
    return {};
  }

  Result<CreateReply> create_now(const CreateRequest& request) {
    CreateOptions options;
    options.template_name = request.template_();
    options.name = request.name();
    if (!request.arguments().empty()) options.arguments = request.arguments();
    options.properties.insert(request.properties().begin(), request.properties().end());
    options.is_successor = request.is_successor();
    if (request.has_state()) options.state = request.state();
    auto reference = HECTOR_TRY(kernel_.create_object(options));
    CreateReply reply;
    reply.set_reference(reference.text());
    return reply;
  }

  Result<Done> delete_now(const DeleteRequest& request) {
    Status done;
    if (request.kind() == "object") {
      done = kernel_.delete_object(request.name());
    } else if (request.kind() == "binding") {
      done = kernel_.bindings().unbind(std::strtoull(request.name().c_str(), nullptr, 16));
    } else {
      done = fail(Code::kInvalidArgument,
                  fmt::format("'{}' cannot be deleted; object and binding can", request.kind()));
    }
    if (!done) return fail(done.error());
    Done reply;
    reply.set_text(fmt::format("{} {} deleted", request.kind(), request.name()));
    return reply;
  }

  Status call_now(const CallRequest& request, Reply<CallReply> reply) {
    auto target = HECTOR_TRY(kernel_.capsule().resolve(request.target()));
    const auto* const operation = HECTOR_TRY(find_operation(request, *target->interface()));
    if (core_.rights.are_asked())
      target = HECTOR_TRY(for_client(std::move(target), *operation, reply.call()));
    const auto within =
        request.timeout_ms() == 0 ? kCallWithin : std::chrono::milliseconds(request.timeout_ms());
    const auto& clock = *core_.options.clock;
    const auto call = std::make_shared<ObjectCall>(
        ObjectCall::Request{.target = std::move(target),
                            .operation = operation,
                            .json = request.json().empty() ? "{}" : request.json(),
                            .deadline = clock.now() + within},
        clock, *core_.options.executor,
        [reply](Result<CallReply> answer) { reply(std::move(answer)); });
    reply.call().on_cancel(
        [call] { call->abandon(Error::cancelled("the caller cancelled the call")); });
    call->begin();
    return {};
  }

  /// What is called for a client is the client's act.
  Result<std::unique_ptr<Target>> for_client(std::unique_ptr<Target> target,
                                             const Operation& operation, const Call& call) {
    const Asker asker = asker_of(core_, call);
    const Reference& reference = target->reference();
    if (core_.references.is_own(reference)) {
      const OfferPtr offer = core_.offers.find_object(reference.object);
      if (!offer) return fail(Error::unavailable("it is retired"));
      return std::make_unique<LocalTarget>(core_, offer, asker.caller);
    }
    // There it would be this capsule that asks for other rights.
    const Caller caller = asker.caller.view();
    if (!CallRights::changes_rights(*target->interface(), operation) ||
        core_.call_rights.is_owner(caller))
      return target;
    const Called called{reference.capsule, reference.object, reference.interface_id,
                        operation.name};
    const auto answer = core_.rights.ask(CallRights::question(called, caller));
    if (!answer.is_allowed) return fail(CallRights::refusal(called, caller, answer.why));
    return target;
  }

  static Result<const Operation*> find_operation(const CallRequest& request,
                                                 const Interface& interface) {
    if (const auto* const found = interface.find(request.operation())) return found;
    std::vector<std::string> names;
    for (const auto& each : interface.operations()) names.push_back(each.name);
    return fail(Error::not_found(fmt::format(
        "{} ({}) has no operation '{}'{}; it has {}", request.target(), interface.id(),
        request.operation(), nearest_hint(request.operation(), names), fmt::join(names, ", "))));
  }

  KernelImpl& kernel_;
  Core& core_;
  Workers reads_;    ///< what asks
  Workers changes_;  ///< what loads, makes, binds and ends: it may take long
};

}  // namespace

std::unique_ptr<Servant> make_management_guard(std::unique_ptr<Servant> management,
                                               KernelImpl& kernel) {
  const auto& options = kernel.core().options;
  const auto is_own = [&kernel](const std::string& target) {
    if (target == kManagementName) return false;
    if (kernel.core().offers.find_object(target) != nullptr) return true;
    const auto services = kernel.providers().list();
    return std::any_of(services.begin(), services.end(),
                       [&](const auto& service) { return service.first == target; });
  };
  // The guard is entered on a protocol's thread, which may not wait for a disk.
  const auto record = [&kernel](AuditEvent event) {
    kernel.management_pools().changes.run([&kernel, event = std::move(event)] {
      static_cast<void>(kernel.core().options.audit(event));
    });
  };
  ManagementGuard::Options guard{.capsule = options.capsule,
                                 .clock = *options.clock,
                                 .log = *options.log,
                                 .record = {},
                                 .is_own = is_own,
                                 .roles = options.management_roles};
  if (options.audit) guard.record = record;
  return std::make_unique<ManagementGuard>(std::move(management), std::move(guard));
}

std::unique_ptr<Servant> make_management(KernelImpl& kernel) {
  return std::make_unique<Management>(kernel);
}

}  // namespace hector
