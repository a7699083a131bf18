// What: the python language: CPython in the capsule, templates from .py and .pyc.
// Why: Objects in Python beside those in C++.
// Who: loaded by capsules whose configuration lists `python`.
#include <dlfcn.h>
#include <fmt/format.h>
#include <pybind11/embed.h>
#include <pybind11/stl.h>

#include <filesystem>
#include <map>

#include "hector/check.h"
#include "hector/plugin.h"
#include "python_handles.h"

namespace py = pybind11;

namespace {

using namespace hector;
using python::PyCall;
using python::PyCapsule;
using python::PySession;

/// Debian's interpreter, whatever PATH says: it determines where the standard library and
/// dist-packages are.
constexpr const wchar_t* kExecutable = L"/usr/bin/python3.11";

Error error_of(py::error_already_set& error) {
  try {
    const py::object parts = py::module_::import("hector.errors").attr("parts_from_exception");
    const py::tuple found = parts(error.value());
    return Error{code_from_number(found[0].cast<std::uint32_t>()), found[1].cast<std::string>()}
        .with_type(found[2].cast<std::string>())
        .with_detail(found[3].cast<std::string>());
  } catch (py::error_already_set&) {
    return {Code::kUnknown, error.what()};
  }
}

/// Owns a Python object on behalf of C++; releases it with the interpreter's lock held.
class PyOwned {
 public:
  /// With the interpreter's lock held.
  explicit PyOwned(py::object object) : object_(new py::object(std::move(object))) {
    check_locked();
  }
  ~PyOwned() {
    const py::gil_scoped_acquire acquire;
    delete object_;
  }
  PyOwned(const PyOwned&) = delete;
  PyOwned& operator=(const PyOwned&) = delete;
  /// With the interpreter's lock held.
  [[nodiscard]] py::object& get() const {
    check_locked();
    return *object_;
  }

 private:
  static void check_locked() {
    HECTOR_CHECK(PyGILState_Check() == 1, "a Python object is used without the interpreter's lock");
  }
  py::object* object_;
};

class PythonServant final : public Servant {
 public:
  PythonServant(py::object object, Capsule& capsule, Log& log)
      : object_(std::move(object)), capsule_(capsule), log_(log) {}
  void invoke(Call& call) noexcept override {
    const py::gil_scoped_acquire acquire;
    const auto handle = std::make_shared<PyCall>(call);
    try {
      object_.get().attr("invoke")(call.operation->name, handle);
    } catch (py::error_already_set& error) {
      if (Call* left = handle->take()) left->fail(error_of(error));
    } catch (const std::exception& error) {
      if (Call* left = handle->take()) left->fail({Code::kUnknown, error.what()});
    }
  }
  bool has_state() const noexcept override {
    const py::gil_scoped_acquire acquire;
    return py::bool_(object_.get().attr("has_state")());
  }
  Result<Bytes> save() noexcept override {
    const py::gil_scoped_acquire acquire;
    try {
      return Bytes::take(object_.get().attr("save")().cast<std::string>());
    } catch (py::error_already_set& error) {
      return fail(error_of(error));
    }
  }
  Status restore(const Bytes& state) noexcept override {
    const py::gil_scoped_acquire acquire;
    try {
      object_.get().attr("restore")(py::bytes(state.str()));
      return {};
    } catch (py::error_already_set& error) {
      return fail(error_of(error));
    }
  }
  void bound(const std::shared_ptr<Session>& session) noexcept override { tell("bound", session); }
  void unbound(Session& session) noexcept override {
    tell("unbound", std::shared_ptr<Session>(std::shared_ptr<void>(), &session));
  }

 private:
  void tell(const char* what, const std::shared_ptr<Session>& session) noexcept {
    const py::gil_scoped_acquire acquire;
    try {
      object_.get().attr(what)(PySession{session, &capsule_.clock(), &capsule_});
    } catch (const std::exception& error) {
      log_.write(Level::kError, "Python Object raised an exception",
                 {{"object", capsule_.object_name()}, {"in", what}, {"error", error.what()}});
    }
  }
  PyOwned object_;
  Capsule& capsule_;
  Log& log_;
};

class PythonTemplate final : public TemplateCode {
 public:
  PythonTemplate(py::object description, Log& log) : log_(log) {
    info_.name = description.attr("name").cast<std::string>();
    info_.version = description.attr("version").cast<std::string>();
    info_.interface_id = description.attr("interface").cast<std::string>();
    info_.type_model = description.attr("model").cast<std::string>();
    info_.description = description.attr("doc").cast<std::string>();
    info_.thread = ThreadModel::kPrivate;
    description_ = std::make_unique<PyOwned>(std::move(description));
  }
  const TemplateInfo& info() const noexcept override { return info_; }

  Result<std::unique_ptr<Servant>> instantiate(Capsule& capsule, InterfacePtr,
                                               const std::string& arguments) override {
    const py::gil_scoped_acquire acquire;
    try {
      const py::object make = py::module_::import("hector.runtime").attr("Object");
      py::object made = make(description_->get(), PyCapsule{&capsule}, arguments);
      return std::unique_ptr<Servant>(
          std::make_unique<PythonServant>(std::move(made), capsule, log_));
    } catch (py::error_already_set& error) {
      Error why = error_of(error);
      why.message = fmt::format("an Object of {} could not be made: {}: {}", info_.name, why.type,
                                why.message);
      return fail(std::move(why));
    }
  }

 private:
  Log& log_;
  TemplateInfo info_;
  std::unique_ptr<PyOwned> description_;
};

class PythonLanguage final : public Language {
 public:
  explicit PythonLanguage(LanguageContext context) : context_(std::move(context)) {}
  ~PythonLanguage() override {
    if (!source_) return;
    const py::gil_scoped_acquire acquire;
    try {
      py::module_::import("hector.modules").attr("finder")().attr("remove")(source_->get());
    } catch (py::error_already_set&) {  // the interpreter is ending
    }
  }
  const std::vector<std::string>& formats() const noexcept override { return formats_; }

  Status start() {
    if (Py_IsInitialized() == 0) {
      PyConfig config;
      PyConfig_InitIsolatedConfig(&config);
      config.install_signal_handlers = 0;
      PyConfig_SetString(&config, &config.program_name, kExecutable);
      PyConfig_SetString(&config, &config.executable, kExecutable);
      const PyStatus status = Py_InitializeFromConfig(&config);
      PyConfig_Clear(&config);
      if (PyStatus_Exception(status) != 0)
        return fail(Error::unavailable(
            fmt::format("CPython does not start: {}",
                        status.err_msg == nullptr ? "no reason was given" : status.err_msg)));
      // From here on every thread takes the lock when it needs it; the interpreter never ends.
      PyEval_SaveThread();
    }
    const py::gil_scoped_acquire acquire;
    try {
      py::module_::import("sys").attr("path").attr("insert")(0, own_folder());
      py::module_::import("hector.runtime");
      add_source();
    } catch (py::error_already_set& error) {
      return fail(
          Error::unavailable(fmt::format("the hector package does not load: {}", error.what())));
    }
    return {};
  }

  Result<std::unique_ptr<TemplateCode>> load(const std::string& path) override {
    const py::gil_scoped_acquire acquire;
    try {
      py::object description = py::module_::import("hector.runtime").attr("load")(path);
      return std::unique_ptr<TemplateCode>(
          std::make_unique<PythonTemplate>(std::move(description), *context_.log));
    } catch (py::error_already_set& error) {
      return fail(Error::invalid_argument(
          fmt::format("template {} does not load: {}", path, error.what())));
    }
  }

 private:
  /// Makes `import` ask this capsule's Type service.
  void add_source() {
    const py::object module = py::module_::import("types").attr("SimpleNamespace");
    const py::object bad = py::module_::import("hector.modules").attr("BadModule");
    const auto fetch_from = context_.fetch_module;
    auto fetch = py::cpp_function(
        [fetch_from, module, bad](const std::string& name, const std::string& abi) -> py::object {
          Result<CodeModule> found = fail(Error::unavailable(""));
          {
            const py::gil_scoped_release release;
            found = fetch_from("python", name, abi);
          }
          using namespace pybind11::literals;
          if (found)
            return module("content"_a = py::bytes(found->content), "digest"_a = found->digest,
                          "media"_a = found->media, "is_package"_a = found->is_package);
          if (found.error().code == Code::kNotFound || found.error().code == Code::kUnimplemented)
            return py::none();
          PyErr_SetString(found.error().type == kBadModule ? bad.ptr() : PyExc_OSError,
                          found.error().message.c_str());
          throw py::error_already_set();
        });
    py::module_::import("hector.modules").attr("finder")().attr("add")(fetch);
    source_ = std::make_unique<PyOwned>(std::move(fetch));
  }
  /// Of the plugin's library: the hector package is beside it.
  static std::string own_folder() {
    Dl_info info{};
    static const int kHere = 0;
    dladdr(&kHere, &info);
    return std::filesystem::path(info.dli_fname).parent_path().string();
  }
  LanguageContext context_;
  std::unique_ptr<PyOwned> source_;
  std::vector<std::string> formats_{".py", ".pyc"};
};

Language* make(const LanguageContext& context) {
  auto language = std::make_unique<PythonLanguage>(context);
  if (auto started = language->start(); !started) {
    context.log->write(Level::kError, "python cannot start", {{"error", started.error().message}});
    return nullptr;
  }
  return language.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "python",
    .make_language = make,
};
