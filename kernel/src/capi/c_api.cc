#include "call/wait.h"
#include "hector/capsule.h"
#include "hector/check.h"
#include "hector/hector.h"
#include "hector/multicast.h"

using hector::Bytes;
using hector::Call;
using hector::Capsule;
using hector::Code;
using hector::Error;
using hector::Payload;
using hector::Result;
using hector::Session;
using hector::Status;
using hector::Stream;
using hector::Target;
using hector::TypedOperations;
using hector::WaitedCall;

static_assert(sizeof(hector_message_operations) == sizeof(TypedOperations));

namespace {

Call& of(hector_call* call) { return *reinterpret_cast<Call*>(call); }
const Call& of(const hector_call* call) { return *reinterpret_cast<const Call*>(call); }
WaitedCall& own(hector_call* call) { return static_cast<WaitedCall&>(of(call)); }
Capsule& of(hector_capsule* capsule) { return *reinterpret_cast<Capsule*>(capsule); }
const Capsule& of(const hector_capsule* capsule) {
  return *reinterpret_cast<const Capsule*>(capsule);
}
/// What a hector_session is. Owners of the session: its Binding, and those that retained this.
struct SessionHolder {
  std::shared_ptr<Session> session;
  std::atomic<int> holders{1};
};
Session& of(hector_session* session) { return *reinterpret_cast<SessionHolder*>(session)->session; }
const Session& of(const hector_session* session) {
  return *reinterpret_cast<const SessionHolder*>(session)->session;
}
Target& of(const hector_target* target) {
  return *const_cast<Target*>(reinterpret_cast<const Target*>(target));
}
const TypedOperations& of(const hector_message_operations* operations) {
  return *reinterpret_cast<const TypedOperations*>(operations);
}
std::string text(hector_bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}
hector_bytes view(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
hector_bytes view(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }
void tell(hector_text_fn take, void* context, const std::string& text) {
  if (take != nullptr) take(context, text.data(), text.size());
}

}  // namespace

extern "C" {

hector_call* hector_call_defer(hector_call* call) {
  return reinterpret_cast<hector_call*>(&of(call).defer());
}
void* hector_call_request_object(hector_call* call, const void* type) {
  return of(call).request.object(type);
}
hector_bytes hector_call_request(hector_call* call) { return view(of(call).request.bytes()); }
void hector_call_reply_bytes(hector_call* call, const uint8_t* data, size_t size) {
  of(call).complete(Payload(Bytes::copy(data, size)));
}
void hector_call_reply_object(hector_call* call, void* object,
                              const hector_message_operations* operations) {
  of(call).complete(Payload(object, of(operations)));
}
void hector_call_done(hector_call* call) { of(call).complete(); }
void hector_call_fail(hector_call* call, const hector_error* error) {
  of(call).fail({hector::code_from_number(error->code),
                 text(error->message),
                 text(error->type),
                 text(error->detail),
                 {}});
}
int hector_call_is_cancelled(const hector_call* call) { return of(call).is_cancelled() ? 1 : 0; }
int64_t hector_call_time_left(const hector_call* call, const hector_capsule* capsule) {
  const auto deadline = of(call).header.deadline;
  return deadline == hector::kNever ? INT64_MAX : (deadline - of(capsule).clock().now()).count();
}
void hector_call_metadata(const hector_call* call, hector_pair_fn each, void* context) {
  for (const auto& [key, value] : of(call).header.metadata) each(context, view(key), view(value));
}
void hector_call_add_initial(hector_call* call, hector_bytes key, hector_bytes value) {
  of(call).initial.emplace_back(text(key), text(value));
}
void hector_call_send_initial(hector_call* call) { of(call).send_initial(); }
void hector_call_add_trailing(hector_call* call, hector_bytes key, hector_bytes value) {
  of(call).trailing.emplace_back(text(key), text(value));
}
void hector_call_principal(const hector_call* call, hector_text_fn take, void* context) {
  tell(take, context, of(call).peer == nullptr ? std::string() : of(call).peer->principal);
}
void hector_call_protocol(const hector_call* call, hector_text_fn take, void* context) {
  tell(take, context, of(call).peer == nullptr ? std::string() : of(call).peer->protocol);
}
void hector_call_traceparent(const hector_call* call, hector_text_fn take, void* context) {
  tell(take, context,
       of(call).header.trace.is_set() ? of(call).header.trace.traceparent() : std::string());
}
hector_stream* hector_call_stream(hector_call* call) {
  return reinterpret_cast<hector_stream*>(of(call).stream.get());
}

int hector_stream_read_wait(hector_stream* stream, hector_text_fn take, void* context,
                            hector_text_fn failed) {
  hector::ServingWait<Result<std::optional<Payload>>> next;
  reinterpret_cast<Stream*>(stream)->read(next.callback());
  auto message = next.wait();
  if (!message) {
    tell(failed, context, message.error().text());
    return -1;
  }
  if (!*message) return 0;
  const Bytes& bytes = (*message)->bytes();
  take(context, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return 1;
}

int hector_stream_write_wait(hector_stream* stream, const uint8_t* data, size_t size) {
  hector::ServingWait<Status> accepted;
  reinterpret_cast<Stream*>(stream)->write(Payload(Bytes::copy(data, size)), accepted.callback());
  return accepted.wait() ? 1 : -1;
}

void hector_stream_close(hector_stream* stream) {
  reinterpret_cast<Stream*>(stream)->close_write();
}

hector_call* hector_call_new(void) {
  return reinterpret_cast<hector_call*>(static_cast<Call*>(new WaitedCall()));
}
void hector_call_free(hector_call* call) { delete &own(call); }
void hector_call_set_request_bytes(hector_call* call, const uint8_t* data, size_t size) {
  of(call).request = Payload(Bytes::copy(data, size));
}
void hector_call_set_request_object(hector_call* call, const void* object,
                                    const hector_message_operations* operations) {
  of(call).request = Payload(const_cast<void*>(object), of(operations));
}
void hector_call_set_timeout(hector_call* call, const hector_capsule* capsule,
                             int64_t nanoseconds) {
  of(call).header.deadline = of(capsule).clock().now() + std::chrono::nanoseconds(nanoseconds);
}
void hector_call_add_metadata(hector_call* call, hector_bytes key, hector_bytes value) {
  of(call).header.metadata.emplace_back(text(key), text(value));
}

uint32_t hector_target_call_wait(hector_target* target, uint32_t operation, hector_call* call,
                                 const hector_capsule* capsule) {
  of(call).header.operation = operation;
  own(call).run(of(target), of(capsule).clock());
  return hector_call_code(call);
}
uint32_t hector_session_call_wait(hector_session* session, uint32_t interaction, uint32_t member,
                                  hector_call* call, const hector_capsule* capsule) {
  own(call).run(of(session).call_target(interaction, member), of(capsule).clock());
  return hector_call_code(call);
}
uint32_t hector_session_multicast_wait(hector_session* session, uint32_t interaction,
                                       hector_bytes request, int64_t timeout_ns,
                                       const hector_capsule* capsule, hector_member_fn each,
                                       hector_text_fn failed, void* context) {
  const hector::Deadline deadline =
      timeout_ns > 0 ? of(capsule).clock().now() + std::chrono::nanoseconds(timeout_ns)
                     : hector::kNever;
  hector::ServingWait<hector::MulticastOutcome> waiting;
  hector::multicast(of(session), interaction, Bytes::copy(request.data, request.size), deadline,
                    waiting.callback());
  const auto outcome = waiting.wait();
  for (uint32_t m = 0; m < outcome.members.size(); ++m) {
    const auto& member = outcome.members[m];
    hector_error error{};
    if (member.error)
      error = {sizeof error, static_cast<uint32_t>(member.error->code), view(member.error->message),
               view(member.error->type), view(member.error->detail)};
    each(context, m, member.is_known ? 1 : 0, member.error ? &error : nullptr, view(member.reply));
  }
  if (!outcome.error) return 0;
  tell(failed, context, outcome.error->text());
  return static_cast<uint32_t>(outcome.error->code);
}
void hector_session_start(hector_session* session, uint32_t interaction, uint32_t member,
                          hector_call* call, void (*done)(void*, hector_call*), void* context) {
  auto& started = hector::CallbackCall::make(
      [done, context](Call& ended) { done(context, reinterpret_cast<hector_call*>(&ended)); });
  Call& given = of(call);
  started.header = std::move(given.header);
  started.request = std::move(given.request);
  started.request.own();
  hector_call_free(call);
  of(session).start(interaction, member, started);
}
uint32_t hector_call_code(const hector_call* call) {
  return of(call).error ? static_cast<uint32_t>(of(call).error->code) : 0;
}
void hector_call_error(const hector_call* call, hector_error* error) {
  const auto& found = of(call).error;
  if (!found) return;
  error->code = static_cast<uint32_t>(found->code);
  error->message = view(found->message);
  error->type = view(found->type);
  error->detail = view(found->detail);
}
void* hector_call_reply_object_of(hector_call* call, const void* type) {
  return of(call).reply.object(type);
}
hector_bytes hector_call_reply(hector_call* call) { return view(of(call).reply.bytes()); }

void hector_capsule_name(const hector_capsule* capsule, hector_text_fn take, void* context) {
  tell(take, context, of(capsule).name());
}
void hector_capsule_object_name(const hector_capsule* capsule, hector_text_fn take, void* context) {
  tell(take, context, of(capsule).object_name());
}
void hector_capsule_log(hector_capsule* capsule, uint32_t level, const char* event,
                        const char* detail) {
  of(capsule).log().write(static_cast<hector::Level>(level > 3 ? 3 : level), event,
                          {{"object", of(capsule).object_name()}, {"detail", detail}});
}
hector_target* hector_capsule_resolve(hector_capsule* capsule, const char* who,
                                      hector_text_fn failed, void* context) {
  auto target = of(capsule).resolve(who);
  if (!target) {
    tell(failed, context, target.error().text());
    return nullptr;
  }
  return reinterpret_cast<hector_target*>(target->release());
}
void hector_target_free(hector_target* target) { delete reinterpret_cast<Target*>(target); }
uint32_t hector_target_operation(const hector_target* target, const char* name) {
  const auto* operation = of(target).interface()->find(name);
  return operation == nullptr ? UINT32_MAX : operation->index;
}
uint32_t hector_capsule_advertise(hector_capsule* capsule, const char* property, const char* json) {
  const auto done = of(capsule).advertise({{property, json}});
  return done ? 0 : static_cast<uint32_t>(done.error().code);
}

uint64_t hector_session_binding(const hector_session* session) { return of(session).binding(); }
uint32_t hector_session_number(const hector_session* session) { return of(session).number(); }
void hector_session_role(const hector_session* session, hector_text_fn take, void* context) {
  tell(take, context, of(session).role());
}
int hector_session_members(const hector_session* session, const char* role, hector_party_fn each,
                           void* context) {
  const auto members = of(session).members(role);
  if (!members) return -1;
  for (const auto& member : *members)
    each(context, view(member.object), view(member.capsule), member.number);
  return static_cast<int>(members->size());
}
uint32_t hector_session_location(const hector_session* session, const char* role, uint32_t number,
                                 hector_text_fn take, void* context, hector_text_fn failed,
                                 void* failed_context) {
  const auto found = of(session).location(role, number);
  tell(found ? take : failed, found ? context : failed_context,
       found ? *found : found.error().text());
  return found ? 0 : static_cast<uint32_t>(found.error().code);
}
uint32_t hector_session_interaction(const hector_session* session, const char* name) {
  const auto found = of(session).interaction(name);
  return found ? *found : UINT32_MAX;
}
void hector_session_retain(hector_session* session) {
  const int before = reinterpret_cast<SessionHolder*>(session)->holders.fetch_add(1);
  HECTOR_CHECK(before > 0, "a session handle is retained after its last release");
}
void hector_session_release(hector_session* session) {
  auto* holder = reinterpret_cast<SessionHolder*>(session);
  const int before = holder->holders.fetch_sub(1);
  HECTOR_CHECK(before > 0, "a session handle is released more often than it was retained");
  if (before == 1) delete holder;
}

}  // extern "C"

namespace hector {

hector_session* make_session_handle(std::shared_ptr<Session> session) {
  HECTOR_CHECK(session != nullptr, "a handle is made of no session");
  auto* holder = new SessionHolder();
  holder->session = std::move(session);
  return reinterpret_cast<hector_session*>(holder);
}

}  // namespace hector
