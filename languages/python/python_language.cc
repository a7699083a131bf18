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

/// Holds the interpreter's lock. As py::gil_scoped_acquire, which may throw: what must not throw
/// takes this one.
class Locked {
 public:
  Locked() noexcept : state_(PyGILState_Ensure()) {}
  ~Locked() { PyGILState_Release(state_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  const PyGILState_STATE state_;
};

/// Gives the lock up meanwhile.
class Unlocked {
 public:
  Unlocked() noexcept {
    HECTOR_CHECK(PyGILState_Check() == 1,
                 "the interpreter's lock is given up where it is not held");
    thread_ = PyEval_SaveThread();
  }
  ~Unlocked() { PyEval_RestoreThread(thread_); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* thread_;
};

/// Owns a Python object on behalf of C++; releases it with the interpreter's lock held.
class PyOwned {
 public:
  /// With the interpreter's lock held.
  explicit PyOwned(py::object object) : object_(new py::object(std::move(object))) {
    check_locked();
  }
  ~PyOwned() {
    const Locked locked;
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

/// The functions of hector.runtime that this plugin calls, held since the start: an Object may take
/// modules out of sys.modules, or change what it finds in them.
class Runtime {
 public:
  /// With the interpreter's lock held, as everything here.
  explicit Runtime(const py::object& module) : functions_(module.attr("entries")()) {}
  template <class... Arguments>
  py::object call(const char* function, Arguments&&... arguments) const {
    return functions_.get()[function](std::forward<Arguments>(arguments)...);
  }
  /// Runs what calls Python; what that raised, or pybind11 threw, as an error.
  template <class Work>
  [[nodiscard]] Status attempt(Work&& work) const noexcept {
    try {
      work();
      return {};
    } catch (...) {
      return hector::fail(thrown());
    }
  }
  /// As attempt(), where nobody waits for an answer: the traceback is in the log, as that of
  /// `what`.
  template <class Work>
  void run(const char* what, Work&& work) const noexcept {
    try {
      work();
    } catch (...) {
      report(what);
    }
  }
  /// What a handler, a constructor, … raised.
  [[nodiscard]] Error error_of(py::error_already_set& error) const {
    return said(error, "parts_of");
  }
  /// Why a template file does not load.
  [[nodiscard]] Error refusal_of(py::error_already_set& error, const std::string& path) const {
    return said(error, "refusal", path);
  }

 private:
  // Of the exception that is being handled:
  [[nodiscard]] Error thrown() const noexcept {
    try {
      throw;
    } catch (py::error_already_set& raised) {
      return said_or_lost(raised);
    } catch (const std::exception& other) {
      return Error::internal(other.what());
    } catch (...) {
      return Error::internal("what was thrown into Python is no exception");
    }
  }
  static void report(const char* what) noexcept {
    try {
      try {
        throw;
      } catch (py::error_already_set& raised) {
        raised.discard_as_unraisable(what);
      }
    } catch (...) {  // it has no such member, or cannot be told
    }
  }
  [[nodiscard]] Error said_or_lost(py::error_already_set& raised) const noexcept {
    try {
      return error_of(raised);
    } catch (...) {
      return Error::internal("a Python exception that cannot be told");
    }
  }

  template <class... Arguments>
  Error said(py::error_already_set& error, const char* function, Arguments&&... arguments) const {
    try {
      const py::tuple found = call(function, error.value(), std::forward<Arguments>(arguments)...);
      return Error{code_from_number(found[0].cast<std::uint32_t>()), found[1].cast<std::string>()}
          .with_type(found[2].cast<std::string>())
          .with_detail(found[3].cast<std::string>());
    } catch (const std::exception&) {
      return Error::internal("a Python exception that cannot be told");
    }
  }
  PyOwned functions_;
};
using RuntimePtr = std::shared_ptr<const Runtime>;  // the language, its templates, their Objects
using PyLogPtr = std::shared_ptr<python::PyLog>;    // the language; Python, for as long as it likes

class PythonServant final : public Servant {
 public:
  PythonServant(py::object object, Capsule& capsule, RuntimePtr runtime)
      : object_(std::move(object)), capsule_(capsule), runtime_(std::move(runtime)) {}
  void invoke(Call& call) noexcept override {
    const Locked locked;
    HECTOR_CHECK(call.operation != nullptr, "a call comes without its operation");
    const auto handle = std::make_shared<PyCall>(call, capsule_.clock());
    auto done = runtime_->attempt(
        [&] { runtime_->call("invoke", object_.get(), call.operation->name, handle); });
    if (!done) return end(*handle, std::move(done.error()));
    if (!handle->is_deferred()) end(*handle, Error::internal("the Object gave no answer"));
  }
  bool has_state() const noexcept override {
    const Locked locked;
    bool has = false;
    const auto asked =
        runtime_->attempt([&] { has = py::bool_(runtime_->call("has_state", object_.get())); });
    return asked && has;
  }
  Result<Bytes> save() noexcept override {
    const Locked locked;
    std::string state;
    HECTOR_TRY(runtime_->attempt(
        [&] { state = runtime_->call("save", object_.get()).cast<std::string>(); }));
    return Bytes::take(std::move(state));
  }
  Status restore(const Bytes& state) noexcept override {
    const Locked locked;
    return runtime_->attempt(
        [&] { runtime_->call("restore", object_.get(), py::bytes(state.str())); });
  }
  void bound(Session& session) noexcept override { tell("bound", session); }
  void unbound(Session& session) noexcept override { tell("unbound", session); }

 private:
  static void end(PyCall& handle, Error error) noexcept {
    Call* const left = handle.take();
    if (left == nullptr) return;
    const Unlocked unlocked;
    left->fail(std::move(error));
  }
  /// What it raises is in the log: nobody waits for an answer.
  void tell(const char* what, Session& session) noexcept {
    const Locked locked;
    runtime_->run(what, [&] {
      runtime_->call(what, object_.get(),
                     PySession{session.shared(), &capsule_.clock(), &capsule_});
    });
  }
  PyOwned object_;
  Capsule& capsule_;
  const RuntimePtr runtime_;
};

class PythonTemplate final : public TemplateCode {
 public:
  PythonTemplate(py::object description, RuntimePtr runtime, PyLogPtr log)
      : runtime_(std::move(runtime)), log_(std::move(log)) {
    info_.name = description.attr("name").cast<std::string>();
    info_.version = description.attr("version").cast<std::string>();
    info_.interface_id = description.attr("interface").cast<std::string>();
    info_.type_model = description.attr("model").cast<std::string>();
    info_.description = description.attr("doc").cast<std::string>();
    info_.thread = ThreadModel::kPrivate;
    description_ = std::make_unique<PyOwned>(std::move(description));
  }
  ~PythonTemplate() override {
    const Locked locked;
    runtime_->run("hector: the end of a template",
                  [&] { runtime_->call("unload", description_->get()); });
  }
  const TemplateInfo& info() const noexcept override { return info_; }

  Result<std::unique_ptr<Servant>> instantiate(Capsule& capsule, InterfacePtr,
                                               const std::string& arguments) override {
    const py::gil_scoped_acquire acquire;
    try {
      py::object made =
          runtime_->call("make", description_->get(), PyCapsule{&capsule}, arguments, log_);
      return std::unique_ptr<Servant>(
          std::make_unique<PythonServant>(std::move(made), capsule, runtime_));
    } catch (py::error_already_set& error) {
      Error why = runtime_->error_of(error);
      const bool is_named = why.type.empty() || why.message.starts_with(why.type);
      why.message = fmt::format("an Object of {} could not be made: {}{}{}", info_.name,
                                is_named ? "" : why.type, is_named ? "" : ": ", why.message);
      return fail(std::move(why));
    }
  }

 private:
  const RuntimePtr runtime_;
  const PyLogPtr log_;
  TemplateInfo info_;
  std::unique_ptr<PyOwned> description_;
};

class PythonLanguage final : public Language {
 public:
  explicit PythonLanguage(LanguageContext context) : context_(std::move(context)) {}
  ~PythonLanguage() override {
    log_->close();
    if (!runtime_) return;
    const Locked locked;
    runtime_->run("hector: the end of the language", [&] {
      runtime_->call("end", source_ ? source_->get() : py::object(py::none()), log_);
    });
  }
  const std::vector<std::string>& formats() const noexcept override { return formats_; }

  Status start() {
    HECTOR_TRY(start_interpreter());
    const py::gil_scoped_acquire acquire;
    try {
      py::list path = py::module_::import("sys").attr("path");
      if (!path.contains(own_folder())) path.insert(0, own_folder());
      runtime_ = std::make_shared<const Runtime>(py::module_::import("hector.runtime"));
      add_source();
      runtime_->call("start", source_->get(), log_);
    } catch (py::error_already_set& error) {
      return fail(
          Error::unavailable(fmt::format("the hector package does not load: {}", error.what())));
    }
    return {};
  }

  Result<std::unique_ptr<TemplateCode>> load(const std::string& path) override {
    HECTOR_CHECK(runtime_ != nullptr, "a template is loaded before the language has started");
    const py::gil_scoped_acquire acquire;
    try {
      py::object description = runtime_->call("load", path, log_);
      return std::unique_ptr<TemplateCode>(
          std::make_unique<PythonTemplate>(std::move(description), runtime_, log_));
    } catch (py::error_already_set& error) {
      return fail(Error::invalid_argument(fmt::format("template {} does not load: {}", path,
                                                      runtime_->refusal_of(error, path).message)));
    }
  }

 private:
  /// Once in a process. Text is UTF-8 whatever the locale says: a capsule that a service manager
  /// starts has none.
  static Status start_interpreter() {
    if (Py_IsInitialized() != 0) return {};
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status) == 0) {
      PyConfig config;
      PyConfig_InitIsolatedConfig(&config);
      config.install_signal_handlers = 0;
      PyConfig_SetString(&config, &config.program_name, kExecutable);
      PyConfig_SetString(&config, &config.executable, kExecutable);
      status = Py_InitializeFromConfig(&config);
      PyConfig_Clear(&config);
    }
    if (PyStatus_Exception(status) != 0)
      return fail(Error::unavailable(
          fmt::format("CPython does not start: {}",
                      status.err_msg == nullptr ? "no reason was given" : status.err_msg)));
    // From here on every thread takes the lock when it needs it; the interpreter never ends.
    PyEval_SaveThread();
    return {};
  }
  /// Makes `import` ask this capsule's Type service.
  void add_source() {
    const py::object module = py::module_::import("types").attr("SimpleNamespace");
    const py::object bad = py::module_::import("hector.modules").attr("BadModule");
    const auto fetch_from = context_.fetch_module;
    HECTOR_CHECK(fetch_from != nullptr, "a language without a way to fetch modules");
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
    source_ = std::make_unique<PyOwned>(std::move(fetch));
  }
  /// Of the plugin's library: the hector package is beside it.
  static std::string own_folder() {
    Dl_info info{};
    // An address within this library.
    static const int kHere = 0;
    HECTOR_CHECK(dladdr(&kHere, &info) != 0, "the plugin does not know where its library lies");
    return std::filesystem::path(info.dli_fname).parent_path().string();
  }
  LanguageContext context_;
  const PyLogPtr log_ = std::make_shared<python::PyLog>(*context_.log);
  RuntimePtr runtime_;
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
