// What: what a language plugin implements: Language, TemplateCode, Servant.
// Why: the kernel creates and enters Objects of every language through these.
// Who: languages/*; service plugins implement Servant directly.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hector/capsule.h"
#include "hector/code_module.h"

namespace hector {

/// The code side of an Object.
class Servant {
 public:
  virtual ~Servant() = default;
  /// Handles one call: ends it now or later. Entered by one thread at a time, unless the template
  /// is parallel.
  virtual void invoke(Call& call) noexcept = 0;
  /// The Object plays a role of a Binding until unbound() has returned; Session::shared() keeps the
  /// session for callbacks that run later. Entered like invoke().
  virtual void bound(Session& session) noexcept { static_cast<void>(session); }
  virtual void unbound(Session& session) noexcept { static_cast<void>(session); }
  /// Whether save() and restore() are implemented.
  [[nodiscard]] virtual bool has_state() const noexcept { return false; }
  /// The state that a successor continues from. Entered like invoke(); no call is in flight.
  virtual Result<Bytes> save() noexcept {
    return fail(Code::kUnimplemented, "this template hands over no state");
  }
  /// The successor's side, before bound().
  virtual Status restore(const Bytes& state) noexcept {
    static_cast<void>(state);
    return fail(Code::kUnimplemented, "this template takes over no state");
  }
};

/// kPrivate: the Object has its own thread and may block. kPooled: it runs where the call arrives
/// and must not block.
enum class ThreadModel { kPrivate, kPooled };

struct TemplateInfo {
  std::string name;  ///< "diary.Calendar.cpp"
  std::string version;
  std::string interface_id;
  ThreadModel thread = ThreadModel::kPrivate;
  /// Objects of the template are entered by several threads at once.
  bool parallel = false;
  /// A type file's YAML, if the template brings its Interface itself; with the folder its
  /// `messages` are found in.
  std::string type_yaml;
  /// A serialised hector.type.v1.Interface, the other way to bring it.
  std::string type_model;
  std::string description;
  /// SHA-256 of all code of the template that runs, in hexadecimal: two builds differ in it. Empty
  /// where the language cannot tell: a module that the template imports may change as well.
  std::string digest;
};

/// A loaded Template. Destroyed after its Servants.
class TemplateCode {
 public:
  virtual ~TemplateCode() = default;
  [[nodiscard]] virtual const TemplateInfo& info() const noexcept = 0;
  /// `arguments` is a JSON object, as given to `create object`. The Interface is the compiled one
  /// of info().
  virtual Result<std::unique_ptr<Servant>> instantiate(Capsule& capsule, InterfacePtr interface,
                                                       const std::string& arguments) = 0;
};

struct LanguageContext {
  std::string capsule;
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Log* log = nullptr;
  /// An Interface known to this capsule, by id; NOT_FOUND otherwise.
  std::function<Result<InterfacePtr>(const std::string& id)> interface;
  /// Code published under this name for this language. NOT_FOUND; UNIMPLEMENTED where this capsule
  /// has no Type service; the others are TypeService's. Blocks.
  std::function<Result<CodeModule>(const std::string& language, const std::string& name,
                                   const std::string& abi)>
      fetch_module;
  std::string settings;
};

class Language {
 public:
  virtual ~Language() = default;
  /// File name endings it runs: ".py", ".pyc", ".so".
  [[nodiscard]] virtual const std::vector<std::string>& formats() const noexcept = 0;
  /// INVALID_ARGUMENT with the language's own message if the code is not a template.
  virtual Result<std::unique_ptr<TemplateCode>> load(const std::string& path) = 0;
};

}  // namespace hector
