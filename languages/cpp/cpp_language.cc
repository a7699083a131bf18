// What: the cpp language: loads shared objects that export hector_template_v1 and runs their
// Objects.
// Why: compiled Objects in any language with a C ABI.
// Who: loaded by capsules whose configuration lists `cpp`.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "hector/c_handles.h"
#include "hector/check.h"
#include "hector/plugin.h"
#include "library_copy.h"

namespace {

using namespace hector;

void take_text(void* context, const char* text, size_t size) {
  static_cast<std::string*>(context)->assign(text, size);
}

/// A template's description at today's size: fields beyond its own size are zero, fields that this
/// version does not know are left out. False: it is smaller than the first version, or of another
/// HECTOR_C_ABI.
bool copy_description(const hector_template& from, hector_template& to) {
  if (from.abi != HECTOR_C_ABI || from.size < HECTOR_TEMPLATE_SIZE_MIN) return false;
  to = {};
  std::memcpy(&to, &from, std::min<std::size_t>(from.size, sizeof to));
  to.size = sizeof to;
  return true;
}

class CppServant final : public Servant {
 public:
  CppServant(const hector_template& code, void* instance, std::vector<std::uint32_t> numbers)
      : code_(code), instance_(instance), numbers_(std::move(numbers)) {}
  ~CppServant() override {
    for (auto& [session, handle] : sessions_) hector_session_release(handle);
    code_.destroy(instance_);
  }
  void invoke(Call& call) noexcept override {
    HECTOR_CHECK(call.operation != nullptr && call.operation->index < numbers_.size(),
                 "a call is of no operation of this Object's Interface");
    code_.invoke(instance_, numbers_[call.operation->index], handle_of(call));
  }
  void bound(Session& session) noexcept override {
    if (code_.bound == nullptr) return;
    auto* handle = make_session_handle(session.shared());
    const bool is_new = sessions_.emplace(&session, handle).second;
    HECTOR_CHECK(is_new, "an Object is bound twice by one session");
    code_.bound(instance_, handle);
  }
  void unbound(Session& session) noexcept override {
    const auto found = sessions_.find(&session);
    if (found == sessions_.end()) return;
    if (code_.unbound != nullptr) code_.unbound(instance_, found->second);
    hector_session_release(found->second);
    sessions_.erase(found);
  }
  bool has_state() const noexcept override {
    return code_.save != nullptr && code_.restore != nullptr;
  }
  Result<Bytes> save() noexcept override {
    std::string state, why;
    if (code_.save(instance_, take_text, &state, take_text, &why) != 0)
      return fail(Code::kUnknown, fmt::format("its state could not be saved: {}", why));
    return Bytes::take(std::move(state));
  }
  Status restore(const Bytes& state) noexcept override {
    std::string why;
    if (code_.restore(instance_, {state.data(), state.size()}, take_text, &why) != 0)
      return fail(Code::kFailedPrecondition,
                  fmt::format("it does not take its predecessor's state: {}", why));
    return {};
  }

 private:
  const hector_template& code_;
  void* instance_;
  std::vector<std::uint32_t> numbers_;  ///< from the Interface's operations to the template's
  std::map<Session*, hector_session*> sessions_;
};

class CppTemplate final : public TemplateCode {
 public:
  /// `code` is a copy of today's size: what the template does not have is null in it.
  CppTemplate(const hector_template& code, const std::string& digest) : code_(code) {
    info_.digest = digest;
    info_.name = code.name;
    info_.version = code.version == nullptr ? "" : code.version;
    info_.interface_id = code.interface_id;
    info_.thread = code.thread == 0 ? ThreadModel::kPrivate : ThreadModel::kPooled;
    info_.parallel = code.parallel != 0;
    info_.type_yaml = code.type_yaml == nullptr ? "" : code.type_yaml;
    info_.type_model =
        std::string(reinterpret_cast<const char*>(code.type_model.data), code.type_model.size);
    info_.description = code.description == nullptr ? "" : code.description;
  }
  const TemplateInfo& info() const noexcept override { return info_; }

  Result<std::unique_ptr<Servant>> instantiate(Capsule& capsule, InterfacePtr interface,
                                               const std::string& arguments) override {
    std::vector<std::uint32_t> numbers;
    for (const auto& operation : interface->operations()) {
      std::uint32_t number = 0;
      while (code_.operations[number] != nullptr && operation.name != code_.operations[number])
        ++number;
      if (code_.operations[number] == nullptr) {
        return fail(Code::kFailedPrecondition,
                    fmt::format("template {} has no method for operation '{}' of {}", info_.name,
                                operation.name, interface->id()));
      }
      numbers.push_back(number);
    }
    std::string why;
    void* instance = code_.create(handle_of(capsule), arguments.c_str(), take_text, &why);
    if (instance == nullptr)
      return fail(Code::kInvalidArgument,
                  fmt::format("an Object of {} could not be made: {}", info_.name, why));
    return std::unique_ptr<Servant>(
        std::make_unique<CppServant>(code_, instance, std::move(numbers)));
  }

 private:
  const hector_template code_;
  TemplateInfo info_;
};

class CppLanguage final : public Language {
 public:
  const std::vector<std::string>& formats() const noexcept override { return formats_; }

  Result<std::unique_ptr<TemplateCode>> load(const std::string& path) override {
    const auto library = HECTOR_TRY(libraries_.load(path));
    if (!library.conflicts.empty())
      return fail(Error::invalid_argument(
                      fmt::format("template {} brings messages that differ from those in this "
                                  "capsule; give its .proto another name and package, build it "
                                  "with the same .proto, or load it into another capsule",
                                  path))
                      .with_reasons(library.conflicts));
    using Entry = const hector_template* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(library.handle, "hector_template_v1"));
    if (entry == nullptr)
      return fail(Code::kInvalidArgument,
                  fmt::format("{} exports no hector_template_v1: it is no template", path));
    const hector_template* described = entry();
    hector_template code;
    if (described == nullptr || !copy_description(*described, code)) {
      return fail(Error::invalid_argument(fmt::format(
          "template {} was built for another C API than version {}: its description has {} octets "
          "of version {}, at least {} are needed; build it again with this hector.h",
          path, HECTOR_C_ABI, described == nullptr ? 0 : described->size,
          described == nullptr ? 0 : described->abi, HECTOR_TEMPLATE_SIZE_MIN)));
    }
    return std::unique_ptr<TemplateCode>(std::make_unique<CppTemplate>(code, library.digest));
  }

 private:
  /// Beside this plugin.
  static std::string probe() {
    Dl_info here{};
    HECTOR_CHECK(dladdr(reinterpret_cast<const void*>(&copy_description), &here) != 0,
                 "this plugin's own code is in no file");
    return (std::filesystem::path(here.dli_fname).parent_path() / "hector-probe").string();
  }
  std::vector<std::string> formats_{".so"};
  cpp_language::LibraryCopies libraries_{probe()};
};

Language* make(const LanguageContext&) { return new CppLanguage(); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "cpp",
    .make_language = make,
};
