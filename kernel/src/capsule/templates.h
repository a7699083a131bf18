// What: Templates, the languages this capsule runs and the templates loaded with them.
// Why: what runs a file, which templates a language holds and which Objects hold a template is
// answered at one place; a template cannot go while an Object is being made of it.
// Who: KernelImpl; ObjectLifecycle makes Objects from them; management lists them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "capsule/object_registry.h"
#include "hector/kernel.h"
#include "types/registry/repository.h"

namespace hector {

/// One build of a template. Unchanged while it is loaded.
struct LoadedTemplate {
  std::unique_ptr<TemplateCode> code;
  std::string language;
  std::string path;
  types::CompiledPtr interface;
  std::string digest;  ///< SHA-256 of its code, in hexadecimal
  /// Enough of it to tell builds apart by eye.
  [[nodiscard]] std::string build() const { return digest.substr(0, 12); }
};

/// Any thread. Lock order: its mutex, then the ObjectRegistry's. Code of languages and templates
/// runs outside of it, but for destructors of unused templates.
class Templates {
 public:
  /// All of it outlives the Templates.
  Templates(types::Repository& types, ObjectRegistry& objects, Log& log)
      : types_(types), objects_(objects), log_(log) {}

  /// ALREADY_EXISTS.
  Status add_language(const std::string& name, std::unique_ptr<Language> language);
  struct Loaded {
    std::string name;
    Effects effects;  ///< empty where a new template was loaded
  };
  /// A new build of a template that is loaded takes its place: Objects are made of it from then on,
  /// and the effects name those that stay what they are. The same build again changes nothing,
  /// where its language knows it (TemplateInfo::digest).
  /// NOT_FOUND: no such file; INVALID_ARGUMENT: no loaded language runs it, or its type is
  /// malformed. Others are the language's.
  Result<Loaded> load(const std::string& path);
  /// FAILED_PRECONDITION names the Objects that hold it.
  Result<Effects> unload(const std::string& name, Unload mode);
  /// With its templates. FAILED_PRECONDITION names those that have Objects.
  Result<Effects> unload_language(const std::string& name, Unload mode);

  struct Reserved {
    const LoadedTemplate& from;
    ObjectRecord& record;
  };
  /// Takes the name for an Object of this template, which stays loaded as long as the record lives.
  /// NOT_FOUND with the nearest name; ALREADY_EXISTS as ObjectRegistry::reserve().
  Result<Reserved> reserve(const std::string& template_name, const std::string& object,
                           std::unique_ptr<const MadeWith> made);

  /// Name and formats.
  [[nodiscard]] std::map<std::string, std::string> languages() const;
  struct Listed {
    std::string name;
    std::string language;
    std::string path;
    std::string interface_id;
    std::string build;
    std::size_t objects = 0;
    bool is_replaced = false;  ///< a newer build has its name; its Objects are left
  };
  [[nodiscard]] std::vector<Listed> list() const;
  /// At the end of the capsule, when no Object is left but those that are kept.
  void clear();

 private:
  struct Runner {
    Language* language = nullptr;
    std::string name;
  };
  Result<Runner> runner_of(const std::string& path) const;
  /// With the lock held: the builds of this name that were replaced and still have Objects.
  void forget_unused();
  Effects take_place(std::unique_ptr<LoadedTemplate>& slot, std::unique_ptr<LoadedTemplate> loaded);
  template <class Visit>
  void each_build(Visit visit) const;
  Result<types::CompiledPtr> interface_of(const TemplateInfo& info, const std::string& path);

  types::Repository& types_;
  ObjectRegistry& objects_;
  Log& log_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Language>> languages_;
  std::map<std::string, std::unique_ptr<LoadedTemplate>> templates_;
  std::vector<std::unique_ptr<LoadedTemplate>> replaced_;  ///< builds that still have Objects
};

}  // namespace hector
