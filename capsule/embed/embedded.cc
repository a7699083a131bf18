// What: hector._capsule, a capsule inside a Python process.
// Why: foreign programs become Hector's by their import: their objects are Objects, and
// Objects are theirs. Who: hector.heros, hector.hermes, hector.roc.
#include <fmt/format.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "base/blocking_pool.h"
#include "hector/check.h"
#include "hector/protocol.h"
#include "objects/adoption.h"
#include "objects/audience.h"
#include "objects/messages.h"
#include "objects/read_all.h"
#include "process/capsule_process.h"
#include "values.h"

namespace hector::embedded {

using objects::Arguments;
using objects::Description;
using objects::Member;
using objects::MessageCodec;
using objects::Use;

namespace {

/// Python calls that may block at once; the GIL lets one of them run.
constexpr std::size_t kThreadsMax = 64;

/// A Python object that may be copied and given up without the GIL.
class Held {
 public:
  explicit Held(py::object object) : object_(new py::object(std::move(object)), release) {}
  /// Under the GIL.
  [[nodiscard]] const py::object& get() const { return *object_; }

 private:
  static void release(py::object* object) noexcept {
    const std::unique_ptr<py::object> owned(object);
    if (Py_IsInitialized() == 0) {
      object->release();
      return;
    }
    const py::gil_scoped_acquire gil;
    *object = py::object();
  }
  /// Owners: every copy. Python's own count needs the GIL.
  std::shared_ptr<py::object> object_;
};

/// CapsuleError(code, message, type); packages map it to their own.
[[noreturn]] void raise(const Error& error) {
  const py::object error_class = py::module_::import("hector._capsule").attr("CapsuleError");
  const auto text = [](const std::string& octets) {  // a peer's may be no UTF-8
    return py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
        octets.data(), static_cast<Py_ssize_t>(octets.size()), "backslashreplace"));
  };
  PyErr_SetObject(error_class.ptr(), py::make_tuple(std::string(code_name(error.code)),
                                                    text(error.message), text(error.type))
                                         .ptr());
  throw py::error_already_set();
}
/// Under the GIL. The text of an exception, however it is made: its __str__ may fail, and what it
/// gives may be more than UTF-8 can say. A call always gets its error.
std::string text_of(const py::object& exception, const std::string& name) {
  const auto text = py::reinterpret_steal<py::object>(PyObject_Str(exception.ptr()));
  const auto octets = py::reinterpret_steal<py::object>(
      text ? PyUnicode_AsEncodedString(text.ptr(), "utf-8", "backslashreplace") : nullptr);
  if (octets) return octets.cast<std::string>();
  PyErr_Clear();
  return fmt::format("({}, whose own text fails)", name);
}
/// Under the GIL.
Error error_of(py::error_already_set& raised) {
  const std::string_view full = reinterpret_cast<PyTypeObject*>(raised.type().ptr())->tp_name;
  const std::string name(full.substr(full.rfind('.') + 1));  // a C extension's has its module
  const std::string message = text_of(raised.value(), name);
  Code code = Code::kUnknown;
  const std::pair<PyObject*, Code> known[] = {{PyExc_PermissionError, Code::kPermissionDenied},
                                              {PyExc_TimeoutError, Code::kDeadlineExceeded},
                                              {PyExc_ConnectionError, Code::kUnavailable},
                                              {PyExc_NotImplementedError, Code::kUnimplemented},
                                              {PyExc_LookupError, Code::kNotFound},
                                              {PyExc_AttributeError, Code::kNotFound},
                                              {PyExc_ValueError, Code::kInvalidArgument},
                                              {PyExc_TypeError, Code::kInvalidArgument}};
  for (const auto& [exception, meant] : known) {
    if (raised.matches(exception)) {
      code = meant;
      break;
    }
  }
  return {code, message, name, {}, {}};
}

struct Hooks {
  Held encode, decode;
};

/// Who hears the events of a shared object. It may outlive it.
struct Events {
  std::unique_ptr<const MessageCodec> codec;
  InterfacePtr interface;
  struct Event {
    const Operation* operation = nullptr;
    objects::Audience audience;
  };
  std::map<std::string, Event> by_name;

  void emit(const std::string& event, const Value& value) {
    const auto found = by_name.find(event);
    if (found == by_name.end()) return;
    auto octets = codec->reply_of(*found->second.operation, value);
    if (octets)
      found->second.audience.tell([&](const auto&) { return std::optional(*octets); }, TimePoint());
  }
};

/// A plain Python object as an Object.
class SharedObject final : public Servant {
 public:
  SharedObject(BlockingPool& threads, Hooks hooks, Held handler, Description description,
               objects::WrittenInterface written, std::unique_ptr<const MessageCodec> codec,
               const InterfacePtr& interface)
      : threads_(threads),
        hooks_(std::move(hooks)),
        handler_(std::move(handler)),
        description_(std::move(description)),
        written_(std::move(written)) {
    events_->codec = std::move(codec);
    events_->interface = interface;
    for (const auto& operation : interface->operations()) {
      const auto& route = written_.route_of(operation.name);
      routes_.push_back(&route);
      HECTOR_CHECK(route.member < description_.members.size(),
                   "an operation leads to a member that the object has not");
      if (route.use == Use::kEvent)
        events_->by_name[description_.members[route.member].name].operation = &operation;
    }
  }
  ~SharedObject() override {
    for (auto& [name, event] : events_->by_name)
      event.audience.close({Code::kUnavailable, "the object is no longer shared"});
  }

  void invoke(Call& given) noexcept override {
    const auto& route = *routes_.at(given.operation->index);
    const auto& member = description_.members[route.member];
    if (route.use == Use::kEvent)
      return events_->by_name.at(member.name).audience.add(given, Value::map(), TimePoint());
    Result<Arguments> arguments = Arguments{};
    if (route.use == Use::kCall) {
      arguments = codec().arguments_of(*given.operation, given.request.bytes(), member.parameters);
    } else if (route.use == Use::kSet) {
      auto value = codec().value_of_request(*given.operation, given.request.bytes());
      if (!value) return given.fail(std::move(value.error()));
      arguments->positional.push_back(std::move(*value));
    }
    if (!arguments) return given.fail(std::move(arguments.error()));
    Call& call = given.defer();
    threads_.run([this, &call, &member, &route, arguments = std::move(*arguments)] {
      enter(call, member, route.use, arguments);
    });
  }
  [[nodiscard]] const std::shared_ptr<Events>& events() const { return events_; }

 private:
  [[nodiscard]] const MessageCodec& codec() const { return *events_->codec; }
  void enter(Call& call, const Member& member, Use use, const Arguments& arguments) const {
    Result<Value> result = Value::null();
    {
      const py::gil_scoped_acquire gil;
      try {
        py::list positional;
        py::dict keywords;
        for (const auto& each : arguments.positional)
          positional.append(from_value(each, hooks_.decode.get()));
        for (std::size_t i = 0; i + 1 < arguments.keywords.items.size(); i += 2)
          keywords[py::str(arguments.keywords.items[i].text)] =
              from_value(arguments.keywords.items[i + 1], hooks_.decode.get());
        result = to_value(handler_.get()(static_cast<int>(use), member.name, positional, keywords),
                          hooks_.encode.get());
      } catch (py::error_already_set& raised) {
        result = hector::fail(error_of(raised));
      } catch (const std::exception& error) {
        result = hector::fail(Code::kInternal, error.what());
      }
    }
    if (!result) return call.fail(std::move(result.error()));
    auto reply =
        use == Use::kSet ? Result<Bytes>(Bytes()) : codec().reply_of(*call.operation, *result);
    if (!reply)
      return call.fail({Code::kInternal,
                        fmt::format("what '{}' returned does not fit its annotation: {}",
                                    member.name, reply.error().message),
                        "TypeError",
                        {},
                        {}});
    call.complete(Payload(std::move(*reply)));
  }
  BlockingPool& threads_;
  const Hooks hooks_;
  const Held handler_;
  const Description description_;
  const objects::WrittenInterface written_;
  std::vector<const objects::Route*> routes_;
  const std::shared_ptr<Events> events_ = std::make_shared<Events>();
};

/// Any Object, as a Python program uses it; a copy is the same Object. One that was resolved
/// again does not end the calls and watches that still use this.
class Proxy {
 public:
  /// The errors of MessageCodec::of().
  static Result<Proxy> make(std::unique_ptr<Target> target) {
    auto codec = HECTOR_TRY(MessageCodec::of(*target->interface()));
    auto members = objects::shown_members(*target->interface());
    return Proxy(
        std::make_shared<const Parts>(std::move(target), std::move(codec), std::move(members)));
  }
  [[nodiscard]] Target& target() const { return *parts_->target; }
  [[nodiscard]] const Interface& interface() const { return *parts_->target->interface(); }
  [[nodiscard]] const MessageCodec& codec() const { return *parts_->codec; }
  [[nodiscard]] const std::vector<objects::ShownMember>& members() const { return parts_->members; }
  [[nodiscard]] const objects::ShownMember* find(const std::string& name) const {
    const auto found = std::find_if(members().begin(), members().end(),
                                    [&](const auto& each) { return each.member.name == name; });
    return found == members().end() ? nullptr : &*found;
  }

 private:
  struct Parts {
    Parts(std::unique_ptr<Target> to, std::unique_ptr<const MessageCodec> codes,
          std::vector<objects::ShownMember> shown)
        : target(std::move(to)), codec(std::move(codes)), members(std::move(shown)) {}
    const std::unique_ptr<Target> target;
    const std::unique_ptr<const MessageCodec> codec;
    const std::vector<objects::ShownMember> members;
  };
  explicit Proxy(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  /// Owners: the capsule's table, and each watch and call that uses it.
  std::shared_ptr<const Parts> parts_;
};

/// A flow that is read until it is closed.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(Proxy proxy, const Operation& operation, Hooks hooks, Held callback)
      : proxy_(std::move(proxy)),
        operation_(operation),
        hooks_(std::move(hooks)),
        callback_(std::move(callback)) {}
  void start(Bytes request) {
    HECTOR_CHECK(call_ == nullptr && !stream_, "a watch starts twice");
    auto& call = CallbackCall::make([self = shared_from_this()](Call& ended) {
      const std::lock_guard lock(self->mutex_);
      self->call_ = nullptr;
      if (ended.error && ended.error->code != Code::kCancelled) self->error_ = ended.error->message;
      self->over_ = true;
    });
    call.header.operation = operation_.index;
    call.kind = Kind::kStream;
    call.flow = operation_.flow;
    call.request = Payload(std::move(request));
    call.stream_out = &stream_;
    {
      const std::lock_guard lock(mutex_);
      call_ = &call;
    }
    proxy_.target().start(call);
    if (!stream_) return;
    objects::read_all(
        stream_,
        [self = shared_from_this()](Payload message, const std::function<void(bool)>& next) {
          self->tell(message.bytes());
          next(true);
        },
        [] {});
  }
  void close() {
    Call* call = nullptr;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      call = std::exchange(call_, nullptr);
    }
    if (call != nullptr) call->cancel({Code::kCancelled, "not watched any more"});
  }
  /// Why the flow ended; empty: it has not, or in order.
  std::string error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  bool is_over() {
    const std::lock_guard lock(mutex_);
    return over_;
  }

 private:
  void tell(const Bytes& message) {
    auto value = proxy_.codec().value_of_reply(operation_, message);
    if (!value || Py_IsInitialized() == 0) return;
    const py::gil_scoped_acquire gil;
    try {
      {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
      }
      callback_.get()(from_value(*value, hooks_.decode.get()));
    } catch (py::error_already_set& raised) {
      raised.discard_as_unraisable("a callback of an event");
    }
  }
  const Proxy proxy_;
  const Operation& operation_;
  const Hooks hooks_;
  const Held callback_;
  std::shared_ptr<Stream> stream_;
  std::mutex mutex_;
  Call* call_ = nullptr;
  bool closed_ = false, over_ = false;
  std::string error_;
};

class EmbeddedCapsule {
 public:
  using Module = std::tuple<std::string, std::vector<std::string>,
                            std::string>;  ///< name, where to listen, settings as JSON
  EmbeddedCapsule(const std::string& name, const std::string& plugins,
                  const std::vector<Module>& protocols, py::object encode, py::object decode,
                  const std::string& log_level)
      : hooks_{Held(std::move(encode)), Held(std::move(decode))} {
    Configuration configuration;
    configuration.capsule = name;
    configuration.log_level = log_level == "debug"     ? Level::kDebug
                              : log_level == "info"    ? Level::kInfo
                              : log_level == "warning" ? Level::kWarning
                                                       : Level::kError;
    configuration.drain_grace = std::chrono::milliseconds(500);
    for (const auto& [protocol, listen, settings] : protocols)
      configuration.protocols.push_back({protocol, listen, settings});
    Status started;
    {
      const py::gil_scoped_release released;
      process_ = std::make_unique<CapsuleProcess>(std::move(configuration),
                                                  std::vector<std::string>{plugins});
      started = process_->start();
    }
    if (!started) raise(started.error());
    hosting_ = process_->kernel().protocol_context("{}").hosting;
    HECTOR_CHECK(hosting_ != nullptr, "a kernel hosts nothing");
    hosting_->on_change(this, [this] { change(); });
  }
  // NOLINTNEXTLINE(bugprone-exception-escape): pybind11 throws where the GIL itself is lost
  ~EmbeddedCapsule() { stop(); }
  void stop() {
    const py::gil_scoped_release released;
    if (process_) hosting_->on_change(this, nullptr);
    change();
    if (process_) process_->stop();
    threads_.stop();
    const std::unique_lock lock(life_);  // calls have ended; who still asks is told that it is over
    proxies_.clear();
    process_.reset();
  }

  using PyParameter = std::tuple<std::string, std::string, int, bool, py::object>;
  using PyMember = std::tuple<std::string, std::string, std::vector<PyParameter>, std::string,
                              bool>;  ///< kind, name, parameters, type, writable
  void share(const std::string& name, const std::string& class_name,
             const std::string& interface_name, const std::vector<PyMember>& members,
             py::object handler, const std::map<std::string, std::string>& properties) {
    Description description;
    description.class_name = class_name;
    for (const auto& [kind, member_name, parameters, type, is_writable] : members) {
      Member member{kind == "method"      ? Member::Kind::kMethod
                    : kind == "attribute" ? Member::Kind::kAttribute
                                          : Member::Kind::kEvent,
                    member_name,
                    {},
                    type,
                    true,
                    is_writable};
      for (const auto& [parameter, annotation, parameter_kind, has_default, fallback] :
           parameters) {
        member.parameters.push_back(
            {parameter, annotation, static_cast<objects::ParameterKind>(parameter_kind),
             has_default ? std::optional(to_value(fallback, hooks_.encode.get())) : std::nullopt});
      }
      description.members.push_back(std::move(member));
    }
    const Held held(std::move(handler));
    const py::gil_scoped_release released;
    auto shared = share_as(name, interface_name, description, held, properties);
    if (shared) return;
    const py::gil_scoped_acquire gil;
    raise(shared.error());
  }
  void emit(const std::string& name, const std::string& event, const py::object& value) {
    const Value converted = to_value(value, hooks_.encode.get());
    const py::gil_scoped_release released;
    std::shared_ptr<Events> events;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = shared_.find(name); found != shared_.end()) events = found->second;
    }
    if (events)
      events->emit(event, converted);  // a callback of this process may run now, and call again
  }
  void dismiss(const std::string& name) {
    const py::gil_scoped_release released;
    {
      const std::lock_guard lock(mutex_);
      shared_.erase(name);
    }
    const std::shared_lock lock(life_);
    if (process_) static_cast<void>(hosting_->dismiss(name));
  }

  /// Name, Interface, and properties as JSON.
  std::vector<std::tuple<std::string, std::string, std::map<std::string, std::string>>> names() {
    const py::gil_scoped_release released;
    std::vector<std::tuple<std::string, std::string, std::map<std::string, std::string>>> list;
    const std::shared_lock lock(life_);
    if (!process_) return list;
    for (auto& each : hosting_->residents(nullptr))
      list.emplace_back(each.name, each.interface->id(), std::move(each.properties));
    return list;
  }
  /// Waits until Objects have come or gone since `seen` was returned, or for `timeout_s`; how often
  /// they have.
  std::uint64_t wait_for_change(std::uint64_t seen, double timeout_s) {
    const py::gil_scoped_release released;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::duration<double>(timeout_s),
                      [&] { return changes_ != seen; });
    return changes_;
  }
  /// Kind, name, parameters (name, type, kind, optional, default), type, writable; none where there
  /// is no such Object.
  py::object members(const std::string& name) {
    Result<Proxy> proxy = over();
    {
      const py::gil_scoped_release released;
      const std::shared_lock lock(life_);
      proxy = proxy_of(name);
    }
    if (!proxy) return py::none();
    py::list list;
    for (const auto& each : proxy->members()) {
      py::list parameters;
      for (const auto& parameter : each.member.parameters)
        parameters.append(
            py::make_tuple(parameter.name, parameter.type, static_cast<int>(parameter.kind),
                           parameter.fallback.has_value(),
                           parameter.fallback ? from_value(*parameter.fallback, hooks_.decode.get())
                                              : py::none()));
      list.append(py::make_tuple(each.member.kind == Member::Kind::kMethod      ? "method"
                                 : each.member.kind == Member::Kind::kAttribute ? "attribute"
                                                                                : "event",
                                 each.member.name, parameters, each.member.type,
                                 each.member.is_writable));
    }
    return list;
  }
  py::object call(const std::string& name, int use, const std::string& member,
                  const py::list& positional, const py::dict& keywords, double timeout_s) {
    Arguments arguments;
    for (const auto& each : positional)
      arguments.positional.push_back(to_value(each, hooks_.encode.get()));
    for (const auto& [key, each] : keywords)
      arguments.keywords.put(key.cast<std::string>(), to_value(each, hooks_.encode.get()));
    Result<Value> result = Value::null();
    {
      const py::gil_scoped_release released;
      const std::shared_lock lock(life_);
      result = call_now(name, static_cast<Use>(use), member, arguments, timeout_s);
    }
    if (!result) raise(result.error());
    return from_value(*result, hooks_.decode.get());
  }
  std::shared_ptr<Watch> watch(const std::string& name, const std::string& event,
                               py::object callback, const py::dict& fields) {
    Arguments arguments;
    for (const auto& [key, each] : fields)
      arguments.keywords.put(key.cast<std::string>(), to_value(each, hooks_.encode.get()));
    const Held held(std::move(callback));
    std::shared_ptr<Watch> made;
    Status done;
    {
      const py::gil_scoped_release released;
      const std::shared_lock lock(life_);
      auto proxy = proxy_of(name);
      const auto* const operation = proxy ? proxy->interface().find(event) : nullptr;
      if (!proxy) {
        done = hector::fail(proxy.error());
      } else if (operation == nullptr || operation->kind != Kind::kStream) {
        done =
            hector::fail(Code::kUnimplemented, fmt::format("'{}' has no event '{}'", name, event));
      } else if (auto request =
                     proxy->codec().request_of(*operation, with_all(*proxy, *operation, arguments));
                 !request) {
        done = hector::fail(request.error());
      } else {
        made = std::make_shared<Watch>(*proxy, *operation, hooks_, held);
        made->start(std::move(*request));
      }
    }
    if (!done) raise(done.error());
    return made;
  }

 private:
  /// What is not said of a request's fields is what Protobuf has for it.
  static Arguments with_all(const Proxy& proxy, const Operation& operation, Arguments arguments) {
    for (const auto& field : proxy.codec().input_fields(operation)) {
      if (field.is_optional || arguments.keywords.find(field.name) != nullptr) continue;
      arguments.keywords.put(field.name, field.type == "str"     ? Value::of("")
                                         : field.type == "float" ? Value::of(0.0)
                                         : field.type == "int"   ? Value::of(0)
                                         : field.type == "bool"  ? Value::of(false)
                                                                 : Value::null());
    }
    return arguments;
  }

  Status share_as(const std::string& name, const std::string& interface_name,
                  const Description& description, const Held& handler,
                  const std::map<std::string, std::string>& properties) {
    const std::shared_lock life(life_);
    if (!process_) return over();
    std::shared_ptr<Events> made;
    auto adopted = objects::adopt(
        *hosting_, this, {name, interface_name, properties, "python object"}, description,
        [&](const auto& written, auto codec, const InterfacePtr& interface) {
          auto servant = std::make_unique<SharedObject>(threads_, hooks_, handler, description,
                                                        written, std::move(codec), interface);
          made = servant->events();
          return servant;
        });
    if (!adopted) return hector::fail(adopted.error());
    const std::lock_guard lock(mutex_);
    shared_[name] = made;
    return {};
  }

  static tl::unexpected<Error> over() {
    return hector::fail(Code::kUnavailable, "this capsule was stopped");
  }

  /// While `life_` is held.
  Result<Proxy> proxy_of(const std::string& name) {
    if (!process_) return over();
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = proxies_.find(name); found != proxies_.end()) return found->second;
    }
    auto target = HECTOR_TRY(process_->kernel().capsule().resolve(name));
    auto made = HECTOR_TRY(Proxy::make(std::move(target)));
    const std::lock_guard lock(mutex_);
    proxies_.insert_or_assign(name, made);
    return made;
  }
  void forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    proxies_.erase(name);
  }
  void change() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    changed_.notify_all();
  }

  Result<Value> call_now(const std::string& name, Use use, const std::string& member,
                         const Arguments& arguments, double timeout_s) {
    auto proxy = proxy_of(name);
    if (!proxy) return hector::fail(proxy.error());
    const auto* const shown = proxy->find(member);
    const Operation* operation = shown == nullptr   ? proxy->interface().find(member)
                                 : use == Use::kGet ? shown->get
                                 : use == Use::kSet ? shown->set
                                                    : shown->call;
    if (operation == nullptr)
      return hector::fail(Error{Code::kUnimplemented,
                                fmt::format("'{}' has no {} '{}'", name,
                                            use == Use::kCall ? "method" : "attribute", member),
                                "AttributeError",
                                {},
                                {}});
    const bool is_set = use == Use::kSet && !arguments.positional.empty();
    auto request = is_set ? proxy->codec().request_of_value(*operation, arguments.positional[0])
                          : proxy->codec().request_of(*operation, arguments);
    if (!request) return hector::fail(request.error());
    const Clock& clock = process_->kernel().capsule().clock();
    WaitedCall call;
    call.header.operation = operation->index;
    call.kind = operation->kind;
    call.header.deadline = clock.now() + std::chrono::duration_cast<Duration>(
                                             std::chrono::duration<double>(timeout_s));
    call.request = Payload(std::move(*request));
    call.run(proxy->target(), clock);
    if (call.error) {
      if (call.error->code == Code::kUnavailable) forget(name);
      return hector::fail(std::move(*call.error));
    }
    return operation->kind == Kind::kAnnounce
               ? Result<Value>(Value::null())
               : proxy->codec().value_of_reply(*operation, call.reply.bytes());
  }

  const Hooks hooks_;
  BlockingPool threads_{kThreadsMax};
  std::unique_ptr<CapsuleProcess> process_;
  Hosting* hosting_ = nullptr;
  std::shared_mutex life_;  ///< shared while the capsule is used; it ends under it
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t changes_ = 0;
  std::map<std::string, std::shared_ptr<Events>> shared_;
  std::map<std::string, Proxy> proxies_;
};

}  // namespace

PYBIND11_MODULE(_capsule, module) {
  module.doc() = "A capsule inside this process.";
  module.attr("CapsuleError") = py::reinterpret_steal<py::object>(
      PyErr_NewException("hector._capsule.CapsuleError", PyExc_Exception, nullptr));
  py::class_<Tag>(module, "Tag")
      .def(py::init<std::uint64_t, py::object>())
      .def_readonly("tag", &Tag::tag)
      .def_readonly("value", &Tag::value);
  py::class_<Watch, std::shared_ptr<Watch>>(module, "Watch")
      .def("close", &Watch::close, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("error", &Watch::error)
      .def_property_readonly("is_over", &Watch::is_over);
  py::class_<EmbeddedCapsule>(module, "Capsule")
      .def(py::init<const std::string&, const std::string&,
                    const std::vector<EmbeddedCapsule::Module>&, py::object, py::object,
                    const std::string&>(),
           py::arg("name"), py::arg("plugins"), py::arg("protocols"), py::arg("encode"),
           py::arg("decode"), py::arg("log_level") = "warning")
      .def("stop", &EmbeddedCapsule::stop)
      .def("share", &EmbeddedCapsule::share)
      .def("emit", &EmbeddedCapsule::emit)
      .def("dismiss", &EmbeddedCapsule::dismiss)
      .def("names", &EmbeddedCapsule::names)
      .def("wait_for_change", &EmbeddedCapsule::wait_for_change)
      .def("members", &EmbeddedCapsule::members)
      .def("call", &EmbeddedCapsule::call)
      .def("watch", &EmbeddedCapsule::watch);
}

}  // namespace hector::embedded
