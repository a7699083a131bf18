// What: Kernel, one capsule's kernel: modules in, Objects and Bindings made, everything taken down
// in order.
// Why: the composition root builds it and passes down what it needs; there is no other way to the
// inside.
// Who: the capsule, the command line, tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hector/capsule.h"
#include "hector/interceptor.h"
#include "hector/language.h"
#include "hector/protocol.h"
#include "hector/service.h"
#include "hector/store.h"

namespace hector {

/// The policy of this capsule's Objects: X-resource style keys, the most specific one counts.
struct PolicyEntry {
  std::string
      key;  ///< "*protocols", "diary.Meeting.attendee.protocols", "diary.Meeting.room.principals"
  std::vector<std::string> values;
};

/// Whether Policy decides who may play a role and call an operation.
enum class RightsMode : std::uint8_t {
  kNotAsked,  ///< who gets a reference may call it
  kRequired,  ///< what Policy does not permit is denied, also where it cannot be asked
};

enum class AuditOutcome : std::uint8_t { kBegun, kDone, kRefused, kFailed };

/// Who did, or was refused, what.
struct AuditEvent {
  std::string kind;       ///< "management", "binding"
  std::string principal;  ///< "uid:1000 (user:ann)"
  std::string action;     ///< "load protocol"
  std::string object;     ///< what it was done to
  AuditOutcome outcome = AuditOutcome::kBegun;
  std::vector<std::string> reasons = {};
};
/// The event is kept for good when it returns. Any thread that may block.
using AuditSink = std::function<Status(const AuditEvent&)>;

/// What a principal may ask of a capsule's management. Each may what those before it may.
enum class ManagementRight : std::uint8_t {
  kLook,         ///< list, describe, call the capsule's own Objects
  kOperate,      ///< create, delete and move Objects, make Bindings, call what is elsewhere
  kAdministrate  ///< everything: load and unload too
};
/// Of "viewer", "operator", "administrator".
std::optional<ManagementRight> management_right(std::string_view role) noexcept;

/// "operator:*": all that begin so; else the principal itself.
struct ManagementRole {
  ManagementRight right = ManagementRight::kLook;
  std::vector<std::string> principals;
  bool operator==(const ManagementRole&) const = default;
};

struct KernelOptions {
  std::string capsule;
  std::string principal;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Network* network = nullptr;
  Log* log = nullptr;
  Store* store = nullptr;  ///< for services; null: none
  /// ServiceContext::open_store.
  std::function<Result<std::unique_ptr<Store>>(const std::string& location)> open_store = {};
  /// The management Object is reached otherwise from now on: a protocol came or went. Empty: told
  /// to nobody.
  std::function<void(const Reference& management)> reached_otherwise = {};
  std::vector<PolicyEntry> policy;
  Duration default_deadline = std::chrono::seconds(30);
  Duration drain_grace = std::chrono::seconds(5);
  /// Who may ask the management Object over protocols that authenticate nobody: processes of this
  /// machine, over loopback, of this process's user and of root; or everybody.
  bool is_management_open = false;
  RightsMode rights = RightsMode::kNotAsked;
  /// Each administrative act and each Binding, before and after; what it does not take is not done.
  /// Empty: nothing is recorded.
  AuditSink audit = {};
  /// Of authenticated principals; the strongest that fits counts, and none is none. Empty:
  /// operators administrate, capsules of the own realm operate, everybody looks.
  std::vector<ManagementRole> management_roles = {};
  /// Who it is on channels, and whom it trusts there. Null: channels are plain.
  Credentials* credentials = nullptr;
};

/// What may change while a kernel runs; as in KernelOptions.
struct KernelSettings {
  std::vector<PolicyEntry> policy;
  Duration default_deadline = std::chrono::seconds(30);
  Duration drain_grace = std::chrono::seconds(5);
};

enum class ModuleKind { kProtocol, kLanguage, kService, kStore };
std::string_view module_kind_name(ModuleKind kind) noexcept;

/// What an unload may do. kForce: also what breaks others.
enum class Unload { kDryRun, kNow, kForce };
/// A line each: what happened, or what would.
using Effects = std::vector<std::string>;

/// Whether a protocol's channels prove and judge identities, where the capsule has one.
enum class Channels : std::uint8_t { kSecured, kPlain };

struct LoadOptions {
  std::vector<std::string> listen = {};  ///< a protocol's addresses; none: what its manifest says
  std::string settings = {};             ///< JSON
  Channels channels = Channels::kSecured;
  bool is_dry_run = false;
};

/// Loads a module when the management interface is asked to. Implemented by the capsule.
class ModuleLoader {
 public:
  virtual ~ModuleLoader() = default;
  virtual Result<std::vector<std::string>> load(ModuleKind kind, const std::string& name,
                                                const LoadOptions& options) = 0;
  /// The module's objects are gone: retire its library.
  virtual void retired(ModuleKind kind, const std::string& name) = 0;
};

struct CreateOptions {
  std::string template_name;
  std::string name;
  std::string arguments = "{}";
  std::map<std::string, std::string> properties;  ///< for the Trader; values as JSON scalars
  /// It takes over the name that an Object of another capsule has in Naming, and that one's state
  /// if there is one.
  bool is_successor = false;
  std::optional<std::string> state = std::nullopt;
};

/// Any thread, unless said otherwise. What a function blocks for is bounded by its deadline or
/// grace.
class Kernel {
 public:
  virtual ~Kernel() = default;
  static std::unique_ptr<Kernel> make(const KernelOptions& options);

  [[nodiscard]] virtual ProtocolContext protocol_context(const std::string& settings) = 0;
  [[nodiscard]] virtual LanguageContext language_context(const std::string& settings) = 0;
  [[nodiscard]] virtual ServiceContext service_context(const std::string& settings) = 0;
  virtual void set_loader(ModuleLoader* loader) = 0;
  /// Calls and Bindings that begin from now on are under these; channels that exist keep what was
  /// chosen for them.
  virtual void reconfigure(KernelSettings settings) = 0;

  /// Listens on each address and adds a profile to every Offer. Nothing is kept if one address
  /// fails.
  virtual Status add_protocol(const std::string& name, std::unique_ptr<Protocol> protocol,
                              const std::vector<std::string>& listen) = 0;
  virtual Status add_language(const std::string& name, std::unique_ptr<Language> language) = 0;
  /// The embedded provider; an Object of the service's name.
  virtual Status add_service(const std::string& name, std::unique_ptr<Service> service) = 0;
  /// The service of another capsule, reached through an implicit Binding. `find` says where that
  /// capsule is now, for when it cannot be reached any more.
  virtual Status join_service(const std::string& name, const Reference& reference,
                              std::function<Result<Reference>()> find = {}) = 0;
  /// What would move and end, or what did. FAILED_PRECONDITION with what would break, and for whom;
  /// Objects keep their code's language loaded also with kForce. `decided` gets the effects before
  /// anything closes: the answer to who asked may go over what is unloaded.
  virtual Result<Effects> unload(ModuleKind kind, const std::string& name, Unload mode,
                                 const std::function<void(const Effects&)>& decided = {}) = 0;

  virtual Result<std::vector<std::string>> load_types(const std::string& path) = 0;
  /// The template's name.
  virtual Result<std::string> load_template(const std::string& path) = 0;
  virtual Result<Effects> unload_template(const std::string& name, Unload mode) = 0;
  virtual Result<Reference> create_object(const CreateOptions& options) = 0;
  virtual Status delete_object(const std::string& name) = 0;
  /// For Objects that tests and tools bring themselves.
  virtual Result<Reference> adopt_object(const std::string& name, InterfacePtr interface,
                                         std::unique_ptr<Servant> servant, ThreadModel thread,
                                         bool parallel) = 0;
  [[nodiscard]] virtual Result<InterfacePtr> interface(const std::string& id) = 0;

  /// For policies to name: `"diary.Meeting.room.interceptors": [NAME, NAME:ARGUMENT]`.
  /// ALREADY_EXISTS if the name is taken; `metrics`, `trace` and `allow` are the kernel's own.
  /// Channels that exist keep the list they have.
  virtual Status add_interceptor(const std::string& name, InterceptorFactory factory) = 0;

  /// One announcement to an Object of this name in every capsule that listens to the group; best
  /// effort. UNIMPLEMENTED where the protocol has no multicast.
  virtual Status announce_to_group(const std::string& protocol, const std::string& group,
                                   const std::string& object, const std::string& interface_name,
                                   const std::string& operation, Payload message) = 0;

  /// The capsule's own handle: what a program that is no Object uses.
  [[nodiscard]] virtual Capsule& capsule() = 0;
  [[nodiscard]] virtual Reference management() = 0;
  /// Ends everything in order: Bindings, Objects, services, protocols. Idempotent.
  virtual void drain() = 0;
};

/// Ends the call that this thread is handling, for code that will never return to it. False: it
/// handles none, or that one has ended.
bool fail_call_of_this_thread(Error reason) noexcept;

/// Writes which Object, template and operation this thread is inside of, for a record of its end:
/// "in Object 'ana' (diary.Calendar.cpp), operation 'hold'". How many octets, at most `size`; cut
/// where there is no room. Async-signal-safe.
std::size_t describe_this_thread(char* text, std::size_t size) noexcept;

}  // namespace hector
