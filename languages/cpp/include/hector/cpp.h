// What: C++ templates as plain classes: operations are member functions, messages are Protobuf
// classes, no macro.
// Why: what a person writes is the work; parsing, errors and hand-over without octets are here.
// Who: templates in C++.
//
// class Hello {
// public:
// Hello(hector::cpp::Capsule capsule, const std::string& arguments);
// hector::Result<Greeting> greet(const Name& name, hector::cpp::Call& call);
// };
// extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
// return hector::cpp::object_template<Hello>("hello.Hello", "hello.Greeter/1",
// {hector::cpp::operation<&Hello::greet>("greet")});
// }
//
// An operation's member function has one of these shapes:
// Result<Out> f(const In&, Call&)                     rpc
// Status      f(const In&, Call&)                     announce
// Status      f(const In&, Writer<Out>&, Call&)       stream, flow out
// Result<Out> f(Reader<In>&, Call&)                   stream, flow in
// Status      f(Reader<In>&, Writer<Out>&, Call&)     stream, flow both
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hector/hector.h"
#include "hector/result.h"

#define HECTOR_TEMPLATE_EXPORT __attribute__((visibility("default")))

namespace hector::cpp {

namespace detail {

inline hector_bytes view(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string text(hector_bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}
inline void take_text(void* context, const char* text, size_t size) {
  static_cast<std::string*>(context)->assign(text, size);
}

template <class Message>
void serialise(const void* object, void* out, uint8_t* (*allocate)(void*, size_t)) {
  const auto& message = *static_cast<const Message*>(object);
  const size_t size = message.ByteSizeLong();
  uint8_t* to = allocate(out, size);
  message.SerializeWithCachedSizesToArray(to);
}
template <class Message>
const hector_message_operations& borrowed() {
  static const hector_message_operations kOperations{Message::descriptor(), serialise<Message>,
                                                     nullptr};
  return kOperations;
}
template <class Message>
const hector_message_operations& owned() {
  static const hector_message_operations kOperations{
      Message::descriptor(), serialise<Message>,
      [](void* object) { delete static_cast<Message*>(object); }};
  return kOperations;
}

inline void fail(hector_call* call, const Error& error) {
  const hector_error out{sizeof(hector_error), static_cast<uint32_t>(error.code),
                         view(error.message), view(error.type), view(error.detail)};
  hector_call_fail(call, &out);
}

template <class Message>
bool parse(hector_bytes bytes, Message& message) {
  return message.ParseFromArray(bytes.data, static_cast<int>(bytes.size));
}

inline Error error_of(hector_call* call) {
  hector_error found{};
  hector_call_error(call, &found);
  return {
      code_from_number(found.code), text(found.message), text(found.type), text(found.detail), {}};
}

}  // namespace detail

/// A declared error (`throws:`): the caller gets the message itself.
template <class Message>
Error declared_error(Code code, std::string text, const Message& message) {
  return {code, std::move(text), message.GetTypeName(), message.SerializeAsString(), {}};
}

/// The call being handled. Valid during the member function.
class Call {
 public:
  Call(hector_call* call, hector_capsule* capsule) : call_(call), capsule_(capsule) {}
  /// The caller has cancelled the call or has run out of time: nobody waits for the answer. A loop
  /// that takes long asks now and then, and returns.
  [[nodiscard]] bool is_cancelled() const {
    return hector_call_is_cancelled(call_) != 0 || time_left() <= 0;
  }
  /// Nanoseconds left; INT64_MAX without a deadline.
  [[nodiscard]] int64_t time_left() const { return hector_call_time_left(call_, capsule_); }
  [[nodiscard]] std::optional<std::string> metadata(const std::string& key) const {
    std::pair<std::string, std::optional<std::string>> wanted{key, std::nullopt};
    hector_call_metadata(
        call_,
        [](void* context, hector_bytes k, hector_bytes value) {
          auto& [name, found] =
              *static_cast<std::pair<std::string, std::optional<std::string>>*>(context);
          if (detail::text(k) == name) found = detail::text(value);
        },
        &wanted);
    return wanted.second;
  }
  void add_initial(const std::string& key, const std::string& value) {
    hector_call_add_initial(call_, detail::view(key), detail::view(value));
  }
  void send_initial() { hector_call_send_initial(call_); }
  void add_trailing(const std::string& key, const std::string& value) {
    hector_call_add_trailing(call_, detail::view(key), detail::view(value));
  }
  [[nodiscard]] std::string principal() const { return get(hector_call_principal); }
  [[nodiscard]] std::string protocol() const { return get(hector_call_protocol); }
  [[nodiscard]] std::string traceparent() const { return get(hector_call_traceparent); }

 private:
  std::string get(void (*function)(const hector_call*, hector_text_fn, void*)) const {
    std::string out;
    function(call_, detail::take_text, &out);
    return out;
  }
  hector_call* call_;
  hector_capsule* capsule_;
};

template <class Message>
class Reader {
 public:
  explicit Reader(hector_stream* stream) : stream_(stream) {}
  /// Waits. Nothing at the end; an error if the flow broke.
  Result<std::optional<Message>> read() {
    std::string bytes;
    const int got = hector_stream_read_wait(stream_, detail::take_text, &bytes, detail::take_text);
    if (got < 0) return hector::fail(Code::kCancelled, bytes);
    if (got == 0) return std::optional<Message>();
    Message message;
    if (!message.ParseFromString(bytes))
      return hector::fail(Code::kInvalidArgument, "the octets are not a " + message.GetTypeName());
    return std::optional<Message>(std::move(message));
  }

 private:
  hector_stream* stream_;
};

template <class Message>
class Writer {
 public:
  explicit Writer(hector_stream* stream) : stream_(stream) {}
  /// Waits for the peer's window. False: the flow is over.
  bool write(const Message& message) {
    const std::string bytes = message.SerializeAsString();
    return hector_stream_write_wait(stream_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                    bytes.size()) == 1;
  }

 private:
  hector_stream* stream_;
};

namespace detail {

/// Of the exception that is being handled: UNKNOWN with its text, RESOURCE_EXHAUSTED where there
/// was no memory, INTERNAL for what has no text.
inline Error error_of_exception() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return Error::resource_exhausted("the Object asked for memory that the process does not have")
        .with_type("std::bad_alloc");
  } catch (const std::exception& error) {
    return {Code::kUnknown, error.what(), "std::exception", {}, {}};
  } catch (...) {
    return {Code::kInternal, "the Object threw what is no std::exception", "exception", {}, {}};
  }
}

/// Runs what returns a Status; 0, or its error told to `failed`.
template <class Work>
int guarded(hector_text_fn failed, void* context, Work work) {
  std::string why;
  try {
    const Status done = work();
    if (done) return 0;
    why = done.error().message;
  } catch (...) {
    why = error_of_exception().message;
  }
  failed(context, why.data(), why.size());
  return -1;
}

/// A call on its way out, freed at the end.
class OutCall {
 public:
  OutCall() : call_(hector_call_new()) {}
  ~OutCall() {
    if (call_ != nullptr) hector_call_free(call_);
  }
  OutCall(OutCall&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
  OutCall(const OutCall&) = delete;
  OutCall& operator=(const OutCall&) = delete;
  template <class In>
  void request(const In& message) {
    hector_call_set_request_object(call_, &message, &borrowed<In>());
  }
  hector_call* get() const { return call_; }
  hector_call* give() { return std::exchange(call_, nullptr); }
  template <class Out>
  Result<Out> reply() const {
    if (hector_call_code(call_) != 0) return hector::fail(error_of(call_));
    if constexpr (requires { Out::descriptor(); }) {
      if (void* object = hector_call_reply_object_of(call_, Out::descriptor()))
        return std::move(*static_cast<Out*>(object));
    }
    Out out;
    if (!parse(hector_call_reply(call_), out))
      return hector::fail(Code::kInternal, "the reply is not a " + out.GetTypeName());
    return out;
  }

 private:
  hector_call* call_;
};

}  // namespace detail

struct Member {
  std::string object, capsule;
  uint32_t number = 0;  ///< what call() and announce() are given for it
};

/// What an announcement is answered with: nothing.
struct NoReply {
  bool ParseFromArray(const void*, int) { return true; }
  [[nodiscard]] std::string GetTypeName() const { return "nothing"; }
};

/// What a multicast came to: whether its reliability was reached, and each member's answer, absent
/// where it was not waited for.
template <class Out>
struct Multicast {
  Status status;
  std::vector<std::optional<Result<Out>>> members;
};

/// An Object's part in one Binding; copies share it. After the Binding's end every call fails with
/// UNAVAILABLE.
class Session {
 public:
  Session(hector_session* session, hector_capsule* capsule) : session_(session), capsule_(capsule) {
    hector_session_retain(session_);
  }
  Session(const Session& other) : session_(other.session_), capsule_(other.capsule_) {
    hector_session_retain(session_);
  }
  Session& operator=(Session other) {
    std::swap(session_, other.session_);
    std::swap(capsule_, other.capsule_);
    return *this;
  }
  ~Session() { hector_session_release(session_); }
  [[nodiscard]] uint64_t binding() const { return hector_session_binding(session_); }
  /// This party's own, among the members of its role.
  [[nodiscard]] uint32_t number() const { return hector_session_number(session_); }
  [[nodiscard]] std::vector<Member> members(const std::string& role) const {
    std::vector<Member> list;
    hector_session_members(
        session_, role.c_str(),
        [](void* context, hector_bytes object, hector_bytes capsule, uint32_t number) {
          static_cast<std::vector<Member>*>(context)->push_back(
              {detail::text(object), detail::text(capsule), number});
        },
        &list);
    return list;
  }
  /// Where a partner is reached, "udp 127.0.0.1:4242"; FAILED_PRECONDITION where policy hides it.
  [[nodiscard]] Result<std::string> location(const std::string& role, uint32_t number) const {
    std::string where, why;
    const uint32_t code = hector_session_location(session_, role.c_str(), number, detail::take_text,
                                                  &where, detail::take_text, &why);
    if (code != 0) return hector::fail(code_from_number(code), why);
    return where;
  }
  /// An rpc to one member, waited for.
  template <class Out, class In>
  Result<Out> call(const std::string& interaction, uint32_t member, const In& request,
                   int64_t timeout_ns = 0) {
    detail::OutCall call;
    auto number = prepare(interaction, call, request, timeout_ns);
    if (!number) return hector::fail(number.error());
    hector_session_call_wait(session_, *number, member, call.get(), capsule_);
    return call.template reply<Out>();
  }
  /// A multicast, complete when its interaction's reliability says so. `Out` is the reply's
  /// message, google.protobuf.Empty's like for an announcement.
  template <class Out, class In>
  Multicast<Out> multicast(const std::string& interaction, const In& request,
                           int64_t timeout_ns = 0) {
    Multicast<Out> outcome;
    const uint32_t number = hector_session_interaction(session_, interaction.c_str());
    if (number == UINT32_MAX) {
      outcome.status =
          hector::fail(Code::kNotFound, "this role starts no interaction '" + interaction + "'");
      return outcome;
    }
    struct Told {
      Multicast<Out>* outcome;
      std::string why;
    } told{&outcome, {}};
    const std::string octets = request.SerializeAsString();
    const uint32_t code = hector_session_multicast_wait(
        session_, number, {reinterpret_cast<const uint8_t*>(octets.data()), octets.size()},
        timeout_ns, capsule_,
        [](void* context, uint32_t, int is_known, const hector_error* error, hector_bytes reply) {
          auto& result = static_cast<Told*>(context)->outcome->members.emplace_back();
          Out out;
          if (is_known == 0) return;
          if (error != nullptr) {
            result = hector::fail(Error{code_from_number(error->code),
                                        detail::text(error->message),
                                        detail::text(error->type),
                                        detail::text(error->detail),
                                        {}});
          } else if (detail::parse(reply, out)) {
            result = std::move(out);
          } else {
            result = hector::fail(Code::kInternal, "the reply is not a " + out.GetTypeName());
          }
        },
        [](void* context, const char* text, size_t size) {
          static_cast<Told*>(context)->why.assign(text, size);
        },
        &told);
    if (code != 0) outcome.status = hector::fail(code_from_number(code), told.why);
    return outcome;
  }
  /// An announcement to one member; an error only if it could not be handed over.
  template <class In>
  Status announce(const std::string& interaction, uint32_t member, const In& request) {
    detail::OutCall call;
    auto number = prepare(interaction, call, request, 0);
    if (!number) return hector::fail(number.error());
    if (hector_session_call_wait(session_, *number, member, call.get(), capsule_) != 0)
      return hector::fail(detail::error_of(call.get()));
    return {};
  }

 private:
  template <class In>
  Result<uint32_t> prepare(const std::string& interaction, detail::OutCall& call, const In& request,
                           int64_t timeout_ns) {
    const uint32_t number = hector_session_interaction(session_, interaction.c_str());
    if (number == UINT32_MAX)
      return hector::fail(Code::kNotFound, "this role starts no interaction '" + interaction + "'");
    call.request(request);
    if (timeout_ns > 0) hector_call_set_timeout(call.get(), capsule_, timeout_ns);
    return number;
  }
  hector_session* session_;
  hector_capsule* capsule_;
};

/// All that the Object can reach. Copies are the same handle.
class Capsule {
 public:
  explicit Capsule(hector_capsule* capsule) : capsule_(capsule) {}
  [[nodiscard]] std::string name() const { return get(hector_capsule_name); }
  [[nodiscard]] std::string object_name() const { return get(hector_capsule_object_name); }
  void log(const std::string& event, const std::string& detail) {
    hector_capsule_log(capsule_, 1, event.c_str(), detail.c_str());
  }
  Status advertise(const std::string& property, const std::string& json) {
    if (const uint32_t code = hector_capsule_advertise(capsule_, property.c_str(), json.c_str()))
      return hector::fail(code_from_number(code), "the Trader refused '" + property + "'");
    return {};
  }
  /// An rpc to any Object by name or reference, without a Binding type.
  template <class Out, class In>
  Result<Out> call(const std::string& who, const std::string& operation, const In& request) {
    std::string why;
    std::unique_ptr<hector_target, void (*)(hector_target*)> target(
        hector_capsule_resolve(capsule_, who.c_str(), detail::take_text, &why), hector_target_free);
    if (!target) return hector::fail(Code::kNotFound, why);
    const uint32_t number = hector_target_operation(target.get(), operation.c_str());
    if (number == UINT32_MAX)
      return hector::fail(Code::kUnimplemented,
                          "'" + who + "' has no operation '" + operation + "'");
    detail::OutCall call;
    call.request(request);
    hector_target_call_wait(target.get(), number, call.get(), capsule_);
    return call.template reply<Out>();
  }
  /// An announcement to any Object by name or reference.
  template <class In>
  Status announce(const std::string& who, const std::string& operation, const In& request) {
    auto told = call<NoReply>(who, operation, request);
    if (!told) return hector::fail(told.error());
    return {};
  }
  [[nodiscard]] hector_capsule* handle() const { return capsule_; }

 private:
  std::string get(void (*function)(const hector_capsule*, hector_text_fn, void*)) const {
    std::string out;
    function(capsule_, detail::take_text, &out);
    return out;
  }
  hector_capsule* capsule_;
};

namespace detail {

/// Gives `work` the request: the caller's own object where both ends are here, else a parsed one.
template <class In, class Work>
void with_request(hector_call* call, Work&& work) {
  if (const void* object = hector_call_request_object(call, In::descriptor()))
    return work(*static_cast<const In*>(object));
  In message;
  if (!parse(hector_call_request(call), message))
    return fail(call, {Code::kInvalidArgument, "the octets are not a " + message.GetTypeName()});
  work(message);
}

template <class Out>
void end(hector_call* call, Result<Out>&& result) {
  if (!result) return fail(call, result.error());
  hector_call_reply_object(call, new Out(std::move(*result)), &owned<Out>());
}
inline void end(hector_call* call, Status&& result) {
  if (!result) return fail(call, result.error());
  hector_call_done(call);
}

template <class Signature>
struct Dispatch;
template <class T, class Out, class In>
struct Dispatch<Result<Out> (T::*)(const In&, Call&)> {
  template <auto function>
  static void run(T& object, hector_call* call, hector_capsule* capsule) {
    Call handled(call, capsule);
    with_request<In>(call,
                     [&](const In& request) { end(call, (object.*function)(request, handled)); });
  }
};
template <class T, class Out, class In>
struct Dispatch<Status (T::*)(const In&, Writer<Out>&, Call&)> {
  template <auto function>
  static void run(T& object, hector_call* call, hector_capsule* capsule) {
    Call handled(call, capsule);
    with_request<In>(call, [&](const In& request) {
      Writer<Out> writer(hector_call_stream(call));
      end(call, (object.*function)(request, writer, handled));
    });
  }
};
template <class T, class Out, class In>
struct Dispatch<Result<Out> (T::*)(Reader<In>&, Call&)> {
  template <auto function>
  static void run(T& object, hector_call* call, hector_capsule* capsule) {
    Call handled(call, capsule);
    Reader<In> reader(hector_call_stream(call));
    end(call, (object.*function)(reader, handled));
  }
};
template <class T, class Out, class In>
struct Dispatch<Status (T::*)(Reader<In>&, Writer<Out>&, Call&)> {
  template <auto function>
  static void run(T& object, hector_call* call, hector_capsule* capsule) {
    Call handled(call, capsule);
    Reader<In> reader(hector_call_stream(call));
    Writer<Out> writer(hector_call_stream(call));
    end(call, (object.*function)(reader, writer, handled));
  }
};

/// One member function as an operation; a derived class may have its own.
template <auto function, class T>
void run(T& object, hector_call* call, hector_capsule* capsule) {
  Dispatch<decltype(function)>::template run<function>(object, call, capsule);
}

template <class Function>
struct ClassOf;
template <class T, class R, class... A>
struct ClassOf<R (T::*)(A...)> {
  using type = T;
};

}  // namespace detail

template <class T>
struct Operation {
  const char* name;
  void (*run)(T& object, hector_call* call, hector_capsule* capsule);
};

template <auto function>
auto operation(const char* name) {
  using T = typename detail::ClassOf<decltype(function)>::type;
  return Operation<T>{name, &detail::Dispatch<decltype(function)>::template run<function>};
}

struct TemplateOptions {
  const char* version = "1";
  const char* type_yaml = nullptr;
  std::string_view type_model = {};  ///< a serialised hector.type.v1.Interface
  const char* description = nullptr;
  bool pooled = false;    ///< runs where calls arrive and never blocks
  bool parallel = false;  ///< entered by several threads at once
};

/// The entry's value. T is made from (Capsule, const std::string& arguments), from a Capsule, or
/// from nothing; exceptions of its constructor refuse the Object. If T has bound(Session) and
/// unbound(Session), it is told of its roles. If it has `std::string save()` and `hector::Status
/// restore(const std::string&)`, its state goes to whoever is bound in its place.
template <class T>
const hector_template* object_template(const char* name, const char* interface_id,
                                       std::vector<Operation<T>> operations,
                                       TemplateOptions options = {}) {
  struct Instance {
    hector_capsule* capsule;
    T object;
  };
  static std::vector<Operation<T>> table;
  static std::vector<const char*> names;
  static hector_template description;
  if (description.size != 0) return &description;
  table = std::move(operations);
  for (const auto& each : table) names.push_back(each.name);
  names.push_back(nullptr);
  description.size = sizeof(hector_template);
  description.abi = HECTOR_C_ABI;
  description.name = name;
  description.version = options.version;
  description.interface_id = interface_id;
  description.type_yaml = options.type_yaml;
  description.type_model = {reinterpret_cast<const uint8_t*>(options.type_model.data()),
                            options.type_model.size()};
  description.description = options.description;
  description.thread = options.pooled ? 1 : 0;
  description.parallel = options.parallel ? 1 : 0;
  description.operations = names.data();
  description.create = [](hector_capsule* capsule, const char* arguments, hector_text_fn failed,
                          void* context) -> void* {
    try {
      if constexpr (std::is_constructible_v<T, Capsule, std::string>) {
        return new Instance{capsule, T(Capsule(capsule), std::string(arguments))};
      } else if constexpr (std::is_constructible_v<T, Capsule>) {
        return new Instance{capsule, T(Capsule(capsule))};
      } else {
        return new Instance{capsule, T()};
      }
    } catch (...) {
      const std::string why = detail::error_of_exception().message;
      failed(context, why.data(), why.size());
      return nullptr;
    }
  };
  description.destroy = [](void* instance) { delete static_cast<Instance*>(instance); };
  description.invoke = [](void* instance, uint32_t number, hector_call* call) {
    auto& made = *static_cast<Instance*>(instance);
    try {
      table[number].run(made.object, call, made.capsule);
    } catch (...) {
      detail::fail(call, detail::error_of_exception());
    }
  };
  if constexpr (requires(T & object, Session session) { object.bound(session); }) {
    description.bound = [](void* instance, hector_session* session) {
      auto& made = *static_cast<Instance*>(instance);
      made.object.bound(Session(session, made.capsule));
    };
    description.unbound = [](void* instance, hector_session* session) {
      auto& made = *static_cast<Instance*>(instance);
      made.object.unbound(Session(session, made.capsule));
    };
  }
  if constexpr (requires(T & object, std::string state) {
                  state = object.save();
                  object.restore(state);
                }) {
    description.save = [](void* instance, hector_text_fn take, void* context, hector_text_fn failed,
                          void* failed_context) {
      return detail::guarded(failed, failed_context, [&]() -> Status {
        const std::string state = static_cast<Instance*>(instance)->object.save();
        take(context, state.data(), state.size());
        return {};
      });
    };
    description.restore = [](void* instance, hector_bytes state, hector_text_fn failed,
                             void* failed_context) {
      return detail::guarded(failed, failed_context, [&] {
        return static_cast<Instance*>(instance)->object.restore(detail::text(state));
      });
    };
  }
  return &description;
}

/// The same for a class that derives from what `hector type gen` made of its Interface, and brings
/// that along.
template <class T>
const hector_template* object_template(const char* name, TemplateOptions options = {}) {
  options.type_model = T::model();
  return object_template<T>(name, T::kInterface, T::template operations<T>(), options);
}

}  // namespace hector::cpp
