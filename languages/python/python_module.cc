// What: the module `_hector`: calls, capsules, targets and sessions as Python sees them.
// Why: the hector package stands on these few classes and functions.
// Who: hector/runtime.py, hector/interfaces.py, in a capsule with the python language.
#include <fmt/format.h>
#include <pybind11/embed.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <atomic>
#include <mutex>

#include "hector/awaited.h"
#include "hector/c_handles.h"
#include "hector/check.h"
#include "hector/types.h"
#include "python_handles.h"

namespace py = pybind11;

namespace hector::python {

namespace {

/// Where hector.errors keeps its error_from_parts for this module: an Object may take modules out
/// of sys.modules, and the exceptions it awaits are those of the hector package that it imported.
constexpr const char* kMakeError = "hector.error_from_parts";

/// (code, message, type, detail), as hector.errors has it.
py::tuple parts_of(const Error& error) {
  // The exception has the code beside its message.
  const std::string whole = error.text();
  const std::size_t head = code_name(error.code).size() + 2;
  HECTOR_CHECK(whole.size() >= head, "an error's text does not begin with its code");
  const std::string text = whole.substr(head);
  return py::make_tuple(
      static_cast<int>(error.code),
      py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
          text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace")),
      py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
          error.type.data(), static_cast<Py_ssize_t>(error.type.size()), "backslashreplace")),
      py::bytes(error.detail));
}

py::object exception_of(const Error& error) {
  const auto make =
      py::reinterpret_borrow<py::object>(static_cast<PyObject*>(py::get_shared_data(kMakeError)));
  return make(*parts_of(error));
}

[[noreturn]] void raise(const Error& error) {
  const py::object exception = exception_of(error);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  throw py::error_already_set();
}

py::bytes octets_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Deadline deadline_of(const Clock& clock, double seconds) {
  return seconds > 0
             ? clock.now() +
                   std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))
             : kNever;
}

/// The flow's next message; other Python threads run while this one waits.
Result<std::optional<Payload>> read_next(Stream& stream) {
  Awaited<Result<std::optional<Payload>>> next;
  const py::gil_scoped_release release;
  stream.read(next.callback());
  return next.wait();
}

/// Runs a prepared call while other Python threads run.
py::bytes wait_for(WaitedCall& call, CallTarget& target, const Clock& clock) {
  {
    const py::gil_scoped_release release;
    call.run(target, clock);
  }
  if (call.error) raise(*call.error);
  return octets_of(call.reply.bytes());
}

/// A flow has no one answer: to call it as an rpc would give an empty message and no error.
void refuse_flow(const Operation& operation) {
  if (operation.kind != Kind::kStream) return;
  raise(Error::unimplemented(fmt::format(
      "'{}' is a flow: it has no single answer, so call() cannot ask for it; read it with `hector "
      "call`, with a gRPC client, or offer it as an rpc that returns a list",
      operation.name)));
}
void refuse_flow(const Target& target, const std::string& operation) {
  if (const auto* const found = target.interface()->find(operation)) refuse_flow(*found);
}
std::uint32_t interaction_of(const Session& session, const std::string& name) {
  auto number = session.interaction(name);
  if (!number) raise(number.error());
  refuse_flow(session.operation(*number));
  return *number;
}

void bind_call(py::module_& module) {
  py::class_<PyCall, std::shared_ptr<PyCall>>(module, "Call")
      .def("request",
           [](PyCall& self) {
             Call* call = self.call_or_null();
             if (call == nullptr) return py::bytes();
             return octets_of(call->request.bytes());
           })
      .def("defer", &PyCall::defer)
      .def("tell_cancelled", &PyCall::tell_cancelled)
      .def_property_readonly("why_cancelled",
                             [](const PyCall& self) -> py::object {
                               const auto why = self.why_cancelled();
                               return why ? py::object(parts_of(*why)) : py::none();
                             })
      .def_property_readonly("time_left", &PyCall::time_left)
      .def("complete",
           [](PyCall& self, const std::string& reply) {
             Call* call = self.take();
             if (call == nullptr) return;
             const py::gil_scoped_release release;
             call->complete(Payload(Bytes::copy(reply)));
           })
      .def("fail",
           [](PyCall& self, int code, const std::string& message, const std::string& type,
              const std::string& detail) {
             Call* call = self.take();
             if (call == nullptr) return;
             const py::gil_scoped_release release;
             call->fail(Error{code_from_number(static_cast<std::uint32_t>(code)), message}
                            .with_type(type)
                            .with_detail(detail));
           })
      .def_property_readonly("is_cancelled", &PyCall::is_cancelled)
      .def_property_readonly("principal",
                             [](PyCall& self) {
                               return self.call_or_null() != nullptr &&
                                              self.call_or_null()->peer != nullptr
                                          ? self.call_or_null()->peer->principal
                                          : std::string();
                             })
      .def_property_readonly("protocol",
                             [](PyCall& self) {
                               return self.call_or_null() != nullptr &&
                                              self.call_or_null()->peer != nullptr
                                          ? self.call_or_null()->peer->protocol
                                          : std::string();
                             })
      .def_property_readonly("traceparent",
                             [](PyCall& self) {
                               return self.call_or_null() != nullptr &&
                                              self.call_or_null()->header.trace.is_set()
                                          ? self.call_or_null()->header.trace.traceparent()
                                          : std::string();
                             })
      .def_property_readonly("has_deadline",
                             [](PyCall& self) {
                               return self.call_or_null() != nullptr &&
                                      self.call_or_null()->header.deadline != kNever;
                             })
      .def_property_readonly("metadata",
                             [](PyCall& self) {
                               return self.call_or_null() == nullptr
                                          ? Metadata()
                                          : self.call_or_null()->header.metadata;
                             })
      .def("read",
           [](PyCall& self) -> py::object {
             if (self.stream() == nullptr) return py::none();
             auto message = read_next(*self.stream());
             if (!message) raise(message.error());
             if (!*message) return py::none();
             return octets_of((*message)->bytes());
           })
      .def("write", [](PyCall& self, const std::string& message) {
        if (self.stream() == nullptr) return false;
        Awaited<Status> accepted;
        const py::gil_scoped_release release;
        self.stream()->write(Payload(Bytes::copy(message)), accepted.callback());
        return accepted.wait().has_value();
      });
}

void bind_reach(py::module_& module) {
  py::class_<PyTarget>(module, "Target")
      .def("model",
           [](const PyTarget& self) { return py::bytes(self.target->interface()->model()); })
      .def("descriptors",
           [](const PyTarget& self) { return py::bytes(self.target->interface()->descriptors()); })
      .def("call",
           [](const PyTarget& self, const std::string& operation, const std::string& request,
              double timeout) {
             refuse_flow(*self.target, operation);
             WaitedCall call;
             call.header.operation_name = operation;
             call.header.deadline = deadline_of(*self.clock, timeout);
             call.request = Payload(Bytes::copy(request));
             return wait_for(call, *self.target, *self.clock);
           })
      .def("start",
           [](const PyTarget& self, const std::string& operation, const std::string& request,
              double timeout, const Inbox& inbox, std::uint64_t number) {
             refuse_flow(*self.target, operation);
             auto [started, call] = PyStarted::make(inbox, number);
             call->header.operation_name = operation;
             call->header.deadline = deadline_of(*self.clock, timeout);
             call->request = Payload(Bytes::copy(request));
             const py::gil_scoped_release release;
             self.target->start(*call);
             return started;
           });
  py::class_<PyCapsule>(module, "Capsule")
      .def("name", [](const PyCapsule& self) { return self.capsule->name(); })
      .def("object_name", [](const PyCapsule& self) { return self.capsule->object_name(); })
      .def("principal", [](const PyCapsule& self) { return self.capsule->principal(); })
      .def("log",
           [](const PyCapsule& self, const std::string& event, const std::string& detail) {
             self.capsule->log().write(
                 Level::kInfo, event,
                 {{"object", self.capsule->object_name()}, {"detail", detail}});
           })
      .def("advertise",
           [](const PyCapsule& self, const std::map<std::string, std::string>& properties) {
             Status done;
             {
               const py::gil_scoped_release release;
               done = self.capsule->advertise(properties);
             }
             if (!done) raise(done.error());
           })
      .def("resolve", [](const PyCapsule& self, const std::string& who) {
        auto target = [&] {
          const py::gil_scoped_release release;
          return self.capsule->resolve(who);
        }();
        if (!target) raise(target.error());
        return PyTarget{std::move(*target), &self.capsule->clock()};
      });
  py::class_<PySession>(module, "Session")
      .def("binding", [](const PySession& self) { return self.session->binding(); })
      .def("binding_type", [](const PySession& self) { return self.session->binding_type(); })
      .def("number", [](const PySession& self) { return self.session->number(); })
      .def("location",
           [](const PySession& self, const std::string& role, std::uint32_t number) {
             auto where = self.session->location(role, number);
             if (!where) raise(where.error());
             return *where;
           })
      .def("role", [](const PySession& self) { return self.session->role(); })
      .def("members",
           [](const PySession& self, const std::string& role) {
             auto members = self.session->members(role);
             if (!members) raise(members.error());
             std::vector<std::tuple<std::string, std::string, std::uint32_t>> list;
             for (const auto& member : *members)
               list.emplace_back(member.object, member.capsule, member.number);
             return list;
           })
      .def("call",
           [](const PySession& self, const std::string& interaction, std::uint32_t member,
              const std::string& request, double timeout) {
             const auto number = interaction_of(*self.session, interaction);
             WaitedCall call;
             call.header.deadline = deadline_of(*self.clock, timeout);
             call.request = Payload(Bytes::copy(request));
             try {
               return wait_for(call, self.session->call_target(number, member), *self.clock);
             } catch (const std::out_of_range&) {
               raise(Error::invalid_argument(fmt::format(
                   "the role that '{}' goes to has no member {}", interaction, member)));
             }
           })
      .def("multicast",
           [](const PySession& self, const std::string& interaction, const std::string& request,
              double timeout) {
             const auto number = interaction_of(*self.session, interaction);
             struct Told {
               std::vector<std::tuple<bool, std::optional<Error>, std::string>> members;
               std::string why;
             } told;
             std::uint32_t code = 0;
             {
               const py::gil_scoped_release release;
               hector_session* const handle = make_session_handle(self.session);
               code = hector_session_multicast_wait(
                   handle, number,
                   {reinterpret_cast<const std::uint8_t*>(request.data()), request.size()},
                   static_cast<std::int64_t>(timeout * 1e9), handle_of(*self.capsule),
                   [](void* context, std::uint32_t, int is_known, const hector_error* error,
                      hector_bytes reply) {
                     const auto text = [](hector_bytes bytes) {
                       return std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
                     };
                     std::optional<Error> failed;
                     if (error != nullptr)
                       failed = Error{code_from_number(error->code), text(error->message)}
                                    .with_type(text(error->type))
                                    .with_detail(text(error->detail));
                     static_cast<Told*>(context)->members.emplace_back(
                         is_known != 0, std::move(failed), text(reply));
                   },
                   [](void* context, const char* text, std::size_t size) {
                     static_cast<Told*>(context)->why.assign(text, size);
                   },
                   &told);
               hector_session_release(handle);
             }
             py::list members;
             for (const auto& [is_known, error, reply] : told.members) {
               members.append(py::make_tuple(is_known,
                                             error ? exception_of(*error) : py::object(py::none()),
                                             py::bytes(reply)));
             }
             return py::make_tuple(code == 0 ? py::object(py::none())
                                             : exception_of({code_from_number(code), told.why}),
                                   members);
           })
      .def("start", [](const PySession& self, const std::string& interaction, std::uint32_t member,
                       const std::string& request, double timeout, const Inbox& inbox,
                       std::uint64_t number) {
        const auto index = interaction_of(*self.session, interaction);
        auto [started, call] = PyStarted::make(inbox, number);
        call->header.deadline = deadline_of(*self.clock, timeout);
        call->request = Payload(Bytes::copy(request));
        const py::gil_scoped_release release;
        self.session->start(index, member, *call);
        return started;
      });
}

void bind_loop(py::module_& module) {
  py::class_<Inbox>(module, "Inbox")
      .def(py::init([] {
        Inbox made;
        if (made.descriptor() >= 0) return made;
        PyErr_SetFromErrno(PyExc_OSError);
        throw py::error_already_set();
      }))
      .def_property_readonly("descriptor", &Inbox::descriptor)
      .def("take", &Inbox::take);
  py::class_<PyStarted, std::shared_ptr<PyStarted>>(module, "Started")
      .def("cancel", &PyStarted::cancel, py::call_guard<py::gil_scoped_release>())
      .def("outcome", [](const PyStarted& self) {
        const auto& outcome = self.outcome();
        return outcome.error ? py::make_tuple(py::none(), parts_of(*outcome.error))
                             : py::make_tuple(octets_of(outcome.reply), py::none());
      });
  py::class_<PyLog, std::shared_ptr<PyLog>>(module, "Log")
      .def(
          "write",
          [](PyLog& self, int level, const std::string& event, const std::string& object,
             const std::string& operation, const std::string& trace, const std::string& text) {
            self.write(static_cast<Level>(level), event, {object, operation, trace}, text);
          },
          py::call_guard<py::gil_scoped_release>());
}

}  // namespace

PYBIND11_EMBEDDED_MODULE(_hector, module) {
  module.doc() = "The kernel's side of the hector package.";
  bind_call(module);
  bind_reach(module);
  bind_loop(module);
  module.def("make_errors_by", [](const py::function& make) {
    py::set_shared_data(kMakeError, make.inc_ref().ptr());
  });
  module.def("type_descriptors", [] { return py::bytes(type_model_descriptors()); });
  module.def("read_types", [](const std::string& path) {
    auto types = load_type_models(path);
    if (!types) raise(types.error());
    py::list list;
    for (const auto& type : *types)
      list.append(py::make_tuple(type->name(), type->kind() == "binding",
                                 py::bytes(type->canonical()), py::bytes(type->descriptors())));
    return list;
  });
}

}  // namespace hector::python
