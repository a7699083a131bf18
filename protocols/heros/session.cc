#include "session.h"

#include <fmt/format.h>

#include <utility>

namespace hector::heros {

namespace {

std::string take(char* text) {
  std::string taken = text == nullptr ? "no reason was given" : text;
  hz_error_free(text);
  return taken;
}
Result<Session::Declared> declared(hz_handle* handle, const std::string& key, char* error) {
  if (handle == nullptr)
    return fail(Code::kUnavailable, fmt::format("zenoh refuses '{}': {}", key, take(error)));
  return Session::Declared(handle);
}

/// Callbacks of one query come one after the other. Who asks one is told at once: that no other
/// answer follows comes in a message of its own, later.
struct Asked {
  bool all = false;
  std::vector<Answer> answers;
  std::function<void(std::vector<Answer>)> done;
};
void on_answer(void* context, int ok, hz_slice key, hz_slice payload) {
  auto& asked = *static_cast<Asked*>(context);
  if (!asked.done) return;
  asked.answers.push_back({ok != 0, std::string(view(key)), std::string(view(payload))});
  if (!asked.all) std::exchange(asked.done, nullptr)(std::move(asked.answers));
}
void on_done(void* context) {
  const std::unique_ptr<Asked> asked(static_cast<Asked*>(context));
  if (asked->done) asked->done(std::move(asked->answers));
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const std::string& config) {
  char* error = nullptr;
  auto made = std::make_unique<Session>();
  made->session_ = hz_open(config.c_str(), &error);
  if (made->session_ == nullptr)
    return fail(Code::kUnavailable, "zenoh cannot start: " + take(error));
  made->zid_ = take(hz_zid(made->session_));
  return made;
}

void Session::close() {
  const std::unique_lock lock(mutex_);
  if (session_ != nullptr) hz_close(std::exchange(session_, nullptr));
  handlers_.clear();
}

Session::Handler* Session::keep(Handler handler) {
  const std::lock_guard lock(handlers_mutex_);
  return handlers_.emplace_back(std::make_unique<Handler>(std::move(handler))).get();
}
void Session::sample(void* context, int alive, hz_slice key, hz_slice payload,
                     hz_slice attachment) {
  static_cast<Handler*>(context)->on_sample(alive != 0, view(key), view(payload), view(attachment));
}
void Session::query(void* context, hz_query* query, hz_slice key, hz_slice payload, hz_slice,
                    hz_slice) {
  static_cast<Handler*>(context)->on_query(Query(query), view(key), view(payload));
}

Result<Session::Declared> Session::queryable(const std::string& key, OnQuery handler) {
  char* error = nullptr;
  auto* const kept = keep({std::move(handler), {}});
  const std::shared_lock lock(mutex_);
  return declared(
      session_ == nullptr ? nullptr : hz_queryable(session_, key.c_str(), query, kept, &error), key,
      error);
}
Result<Session::Declared> Session::subscriber(const std::string& key, OnSample handler) {
  char* error = nullptr;
  auto* const kept = keep({{}, std::move(handler)});
  const std::shared_lock lock(mutex_);
  return declared(
      session_ == nullptr ? nullptr : hz_subscriber(session_, key.c_str(), sample, kept, &error),
      key, error);
}
Result<Session::Declared> Session::presence(const std::string& key, OnSample handler) {
  char* error = nullptr;
  auto* const kept = keep({{}, std::move(handler)});
  const std::shared_lock lock(mutex_);
  return declared(session_ == nullptr
                      ? nullptr
                      : hz_liveliness_subscriber(session_, key.c_str(), sample, kept, &error),
                  key, error);
}
Result<Session::Declared> Session::token(const std::string& key) {
  char* error = nullptr;
  const std::shared_lock lock(mutex_);
  return declared(
      session_ == nullptr ? nullptr : hz_liveliness_token(session_, key.c_str(), &error), key,
      error);
}

void Session::ask(const std::string& key, const std::optional<std::string>& payload, bool all,
                  Duration timeout, std::function<void(std::vector<Answer>)> done) {
  const auto timeout_ms = std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  const std::shared_lock lock(mutex_);
  if (session_ == nullptr) return done({});
  char* error = nullptr;
  auto* const asked = new Asked{all, {}, std::move(done)};
  if (hz_ask(session_, key.c_str(),
             slice(payload ? std::string_view(*payload) : std::string_view()), payload ? 1 : 0,
             all ? 1 : 0, static_cast<std::uint64_t>(timeout_ms), on_answer, on_done, asked,
             &error) == 0) {
    static_cast<void>(take(error));  // `done` has run, without answers
  }
}

Status Session::put(const std::string& key, std::string_view payload, std::string_view attachment) {
  char* error = nullptr;
  const std::shared_lock lock(mutex_);
  if (session_ == nullptr) return fail(Code::kUnavailable, "the realm is closed");
  if (hz_put(session_, key.c_str(), slice(payload), slice(attachment), &error) == 0)
    return fail(Code::kUnavailable, take(error));
  return {};
}

}  // namespace hector::heros
