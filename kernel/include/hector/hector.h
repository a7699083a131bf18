/* What: the C API: what a language binding in any language stands on, and what compiled templates
 * export.
 * Why: no C++ type and no exception crosses it, so templates of other compilers and languages load.
 * Who: languages/cpp's headers, language plugins, compiled templates.
 *
 * Structs begin with their size. They grow at their end only, and HECTOR_C_ABI stays as it is then:
 * each side reads and writes the fields that lie within the size it is given. Handles are opaque.
 * Text is UTF-8. Memory that a function returns belongs to its handle unless it says otherwise.
 * Functions may be called on any thread; those named *_wait block and may only be called on threads
 * that may block: an Object with a private thread, or main. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HECTOR_C_ABI 1

typedef struct hector_call hector_call;
typedef struct hector_capsule hector_capsule;
typedef struct hector_session hector_session;
typedef struct hector_target hector_target;
typedef struct hector_stream hector_stream;

typedef struct hector_bytes {
  const uint8_t* data;
  size_t size;
} hector_bytes;

/* A failure. code: gRPC's canonical numbers. type, detail: of a declared error, else empty. */
typedef struct hector_error {
  uint32_t size;
  uint32_t code;
  hector_bytes message;
  hector_bytes type;
  hector_bytes detail;
} hector_error;

/* How typed objects are handed over without octets in between; one static instance for each message
 * type. */
typedef struct hector_message_operations {
  const void* type;
  void (*serialise)(const void* object, void* out, uint8_t* (*allocate)(void* out, size_t size));
  void (*release)(void* object); /* null: the object is only borrowed until the call returns */
} hector_message_operations;

/* Receives text from the kernel during the call that is given it. */
typedef void (*hector_text_fn)(void* context, const char* text, size_t size);
typedef void (*hector_pair_fn)(void* context, hector_bytes key, hector_bytes value);
typedef void (*hector_party_fn)(void* context, hector_bytes object, hector_bytes capsule,
                                uint32_t number);

/* --- handling a call: each handler ends it once, by reply, done or fail
 * ------------------------------------------------------------- */
/* Takes a call that will be ended after invoke() has returned; use what it returns from then on. */
hector_call* hector_call_defer(hector_call* call);
/* The request as an object of this type, or null: then it is octets. Valid until the call ends. */
void* hector_call_request_object(hector_call* call, const void* type);
hector_bytes hector_call_request(hector_call* call);
void hector_call_reply_bytes(hector_call* call, const uint8_t* data, size_t size);
/* Takes the object. */
void hector_call_reply_object(hector_call* call, void* object,
                              const hector_message_operations* operations);
void hector_call_done(hector_call* call);
void hector_call_fail(hector_call* call, const hector_error* error);
int hector_call_is_cancelled(const hector_call* call);
/* Nanoseconds until the deadline; INT64_MAX if there is none. */
int64_t hector_call_time_left(const hector_call* call, const hector_capsule* capsule);
void hector_call_metadata(const hector_call* call, hector_pair_fn each, void* context);
void hector_call_add_initial(hector_call* call, hector_bytes key, hector_bytes value);
void hector_call_send_initial(hector_call* call);
void hector_call_add_trailing(hector_call* call, hector_bytes key, hector_bytes value);
void hector_call_principal(const hector_call* call, hector_text_fn take, void* context);
void hector_call_protocol(const hector_call* call, hector_text_fn take, void* context);
void hector_call_traceparent(const hector_call* call, hector_text_fn take, void* context);
/* The flow of a stream operation; valid until the call ends. */
hector_stream* hector_call_stream(hector_call* call);

/* --- flows: 1 a message, 0 the end, -1 a failure (described to `failed`, which may be null)
 * ------------------------------------------ */
int hector_stream_read_wait(hector_stream* stream, hector_text_fn take, void* context,
                            hector_text_fn failed);
int hector_stream_write_wait(hector_stream* stream, const uint8_t* data, size_t size);
void hector_stream_close(hector_stream* stream);

/* --- calling: made, started, read, freed by the caller
 * -------------------------------------------------------------------------------- */
hector_call* hector_call_new(void);
void hector_call_free(hector_call* call);
void hector_call_set_request_bytes(hector_call* call, const uint8_t* data, size_t size);
/* Borrowed until the call ends. */
void hector_call_set_request_object(hector_call* call, const void* object,
                                    const hector_message_operations* operations);
void hector_call_set_timeout(hector_call* call, const hector_capsule* capsule, int64_t nanoseconds);
void hector_call_add_metadata(hector_call* call, hector_bytes key, hector_bytes value);
/* Starts it and returns when it is over. 0: hector_call_reply… has the answer; else the error's
 * code. */
uint32_t hector_target_call_wait(hector_target* target, uint32_t operation, hector_call* call,
                                 const hector_capsule* capsule);
uint32_t hector_session_call_wait(hector_session* session, uint32_t interaction, uint32_t member,
                                  hector_call* call, const hector_capsule* capsule);
/* What one member of a multicast answered: is_known 0 if it was not waited for; error null if it
 * answered well. Valid during the call. */
typedef void (*hector_member_fn)(void* context, uint32_t member, int is_known,
                                 const hector_error* error, hector_bytes reply);
/* A multicast, complete when its interaction's reliability says so: 0, or the code of why it could
   not be (described to `failed`). `each` is given every member's result before it returns.
   timeout_ns 0: the default deadline. */
uint32_t hector_session_multicast_wait(hector_session* session, uint32_t interaction,
                                       hector_bytes request, int64_t timeout_ns,
                                       const hector_capsule* capsule, hector_member_fn each,
                                       hector_text_fn failed, void* context);
/* Starts it; `done` runs when it is over, on any thread, and frees it. */
void hector_session_start(hector_session* session, uint32_t interaction, uint32_t member,
                          hector_call* call, void (*done)(void* context, hector_call* call),
                          void* context);
uint32_t hector_call_code(const hector_call* call);
void hector_call_error(const hector_call* call, hector_error* error);
void* hector_call_reply_object_of(hector_call* call, const void* type);
hector_bytes hector_call_reply(hector_call* call);

/* --- what an Object can reach
 * --------------------------------------------------------------------------------------------
 */
void hector_capsule_name(const hector_capsule* capsule, hector_text_fn take, void* context);
void hector_capsule_object_name(const hector_capsule* capsule, hector_text_fn take, void* context);
void hector_capsule_log(hector_capsule* capsule, uint32_t level, const char* event,
                        const char* detail);
/* Null: described to `failed`. The caller owns it and frees it with hector_target_free; a call that
 * was started on it does not need it any more. */
hector_target* hector_capsule_resolve(hector_capsule* capsule, const char* who,
                                      hector_text_fn failed, void* context);
void hector_target_free(hector_target* target);
/* The operation's number, UINT32_MAX if there is none of this name. */
uint32_t hector_target_operation(const hector_target* target, const char* name);
/* 0, or the code of the failure. `json` is a scalar. */
uint32_t hector_capsule_advertise(hector_capsule* capsule, const char* property, const char* json);

uint64_t hector_session_binding(const hector_session* session);
/* This party's own, among the members of its role. */
uint32_t hector_session_number(const hector_session* session);
void hector_session_role(const hector_session* session, hector_text_fn take, void* context);
/* How many members there are now, or -1 if the type has no such role; each is named by Object and
 * capsule. Its number is what calls to it are given; a member that leaves leaves it to the next who
 * joins. */
int hector_session_members(const hector_session* session, const char* role, hector_party_fn each,
                           void* context);
/* Where a partner is reached: 0, or the code of why it is not told (described to `failed`). */
uint32_t hector_session_location(const hector_session* session, const char* role, uint32_t number,
                                 hector_text_fn take, void* context, hector_text_fn failed,
                                 void* failed_context);
uint32_t hector_session_interaction(const hector_session* session, const char* name);
/* A session stays valid, with every call on it failing after its end, until it is released as often
 * as it was retained. */
void hector_session_retain(hector_session* session);
void hector_session_release(hector_session* session);

/* --- a compiled template exports: const hector_template* hector_template_v1(void)
 * -------------------------------------------------------- */
typedef struct hector_template {
  uint32_t size; /* sizeof(hector_template) */
  uint32_t abi;  /* HECTOR_C_ABI */
  const char* name;
  const char* version;
  const char* interface_id;
  const char* type_yaml;         /* null: the Interface is known otherwise */
  const char* description;       /* may be null */
  uint32_t thread;               /* 0 private, 1 pooled */
  uint32_t parallel;             /* 1: entered by several threads at once */
  const char* const* operations; /* names, in the numbers that invoke() is given; ends with null */
  /* Null: described to `failed`. */
  void* (*create)(hector_capsule* capsule, const char* arguments_json, hector_text_fn failed,
                  void* context);
  void (*destroy)(void* instance);
  void (*invoke)(void* instance, uint32_t operation, hector_call* call);
  void (*bound)(void* instance, hector_session* session);   /* may be null */
  void (*unbound)(void* instance, hector_session* session); /* may be null */
  /* What a successor needs to go on in its place, and the successor's side of it: 0, or described
   * to `failed`. Both null: it has no state. */
  int (*save)(void* instance, hector_text_fn take, void* context, hector_text_fn failed,
              void* failed_context);
  int (*restore)(void* instance, hector_bytes state, hector_text_fn failed, void* failed_context);
  hector_bytes type_model; /* a serialised hector.type.v1.Interface; empty: the Interface is known
                              otherwise */
} hector_template;

/* The smallest hector_template that loads: its first version ended before `save`. Whatever was
 * appended later is absent (zero) in a template that was built before. */
#define HECTOR_TEMPLATE_SIZE_MIN offsetof(hector_template, save)

#ifdef __cplusplus
}
#endif
