// What: the C ABI of the Rust library in rust/: sessions, queryables, queries, publications,
// subscriptions, liveliness.
// Why: plugins are C++ and zenoh is Rust; no Rust type and no panic may cross.
// Who: the protocols that stand on zenoh; one copy of it in the process serves them.
//
// Slices are valid during the call they are given to. Callbacks run on zenoh's threads, some
// possibly while the call that undeclares them runs; their context must stay valid until hz_close
// has returned. Where a function takes `error`, a failure leaves a message there, freed with
// hz_error_free.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
struct hz_session;
struct hz_handle;
struct hz_query;
struct hz_key;
struct hz_slice {
  const std::uint8_t* data;
  std::size_t size;
};
/// The query is owned by who gets it: hz_query_drop ends it, after any replies.
using hz_query_fn = void (*)(void* context, hz_query* query, hz_slice key, hz_slice payload,
                             hz_slice attachment, hz_slice encoding);
struct hz_sample {
  int alive;  ///< 1 a value, 0 a deletion
  hz_slice key, payload, attachment;
  hz_slice encoding;  ///< "zenoh/bytes" where the publisher said none
  hz_slice source;    ///< the zenoh session that published or stamped it; may be empty
};
using hz_sample_fn = void (*)(void* context, const hz_sample* sample);
/// ok: 1 payload and attachment of a reply; 0 payload and encoding of an error reply.
using hz_reply_fn = void (*)(void* context, int ok, hz_slice payload, hz_slice attachment);
/// ok: 1 a reply with its key; 0 an error reply, without.
using hz_answer_fn = void (*)(void* context, int ok, hz_slice key, hz_slice payload);
using hz_done_fn = void (*)(void* context);

void hz_error_free(char* error);
/// `config`: JSON5. Blocks until its connections are made or given up. Null on failure.
hz_session* hz_open(const char* config, char** error);
void hz_close(hz_session* session);
void hz_undeclare(hz_handle* handle);
hz_handle* hz_queryable(const hz_session* session, const char* key, hz_query_fn on_query,
                        void* context, char** error);
int hz_query_reply(const hz_query* query, hz_slice payload, hz_slice attachment);
int hz_query_reply_error(const hz_query* query, hz_slice payload, hz_slice encoding);
/// 0 where there was no payload: an empty one is one.
int hz_query_has_payload(const hz_query* query);
/// A reply under a key of its own, which the query's has to match.
int hz_query_reply_at(const hz_query* query, const char* key, hz_slice payload, hz_slice encoding);
void hz_query_drop(hz_query* query);
/// A key that is used often: the other side knows it by a number from then on. Valid as long as the
/// session.
hz_key* hz_declare_key(const hz_session* session, const char* key, char** error);
void hz_key_free(hz_key* key);
/// `on_done` runs exactly once, also where 0 is returned, after the last reply. `declared` goes
/// before `key` if it is not null.
int hz_get(const hz_session* session, const char* key, const hz_key* declared, hz_slice payload,
           hz_slice attachment, std::uint64_t timeout_ms, hz_reply_fn on_reply, hz_done_fn on_done,
           void* context, char** error);
/// As hz_get, for foreign servers: no attachment; `to_all`: everyone who matches, else the best.
int hz_ask(const hz_session* session, const char* key, hz_slice payload, int has_payload,
           int to_all, std::uint64_t timeout_ms, hz_answer_fn on_answer, hz_done_fn on_done,
           void* context, char** error);
/// Freed with hz_error_free.
char* hz_zid(const hz_session* session);
/// The sessions that this one is connected to, separated by spaces. Freed with hz_error_free.
char* hz_neighbours(const hz_session* session);
int hz_put(const hz_session* session, const char* key, hz_slice payload, hz_slice attachment,
           char** error);
hz_handle* hz_subscriber(const hz_session* session, const char* key, hz_sample_fn on_sample,
                         void* context, char** error);
hz_handle* hz_liveliness_token(const hz_session* session, const char* key, char** error);
/// Tokens that exist already are told at once.
hz_handle* hz_liveliness_subscriber(const hz_session* session, const char* key,
                                    hz_sample_fn on_sample, void* context, char** error);
}
