#include "zenoh_link.h"

#include <fmt/format.h>

#include <future>
#include <utility>

namespace hector::heros {

namespace {

std::string take(char* text) {
  std::string taken = text == nullptr ? "no reason was given" : text;
  hz_error_free(text);
  return taken;
}
Result<ZenohLink::Declared> declared(hz_handle* handle, const std::string& key, char* error) {
  if (handle == nullptr)
    return fail(Error::unavailable(fmt::format("zenoh refuses '{}': {}", key, take(error))));
  return ZenohLink::Declared(handle);
}

/// Callbacks of one query come one after the other. An asker of one answer is told at once: that no
/// other follows is a message of its own, which comes later.
struct Asked {
  ZenohLink::Answers which = ZenohLink::Answers::kFirst;
  std::vector<Answer> answers;
  ZenohLink::Done done;
};
void on_answer(void* context, int ok, hz_slice key, hz_slice payload) {
  auto& asked = *static_cast<Asked*>(context);
  if (!asked.done) return;
  asked.answers.push_back({ok != 0, std::string(view(key)), std::string(view(payload))});
  if (asked.which == ZenohLink::Answers::kFirst)
    std::exchange(asked.done, nullptr)(std::move(asked.answers));
}
void on_done(void* context) {
  const std::unique_ptr<Asked> asked(static_cast<Asked*>(context));
  if (asked->done) asked->done(std::move(asked->answers));
}

}  // namespace

Result<std::unique_ptr<ZenohLink>> ZenohLink::open(const std::string& config) {
  char* error = nullptr;
  auto made = std::make_unique<ZenohLink>();
  made->session_ = hz_open(config.c_str(), &error);
  if (made->session_ == nullptr)
    return fail(Error::unavailable("zenoh cannot start: " + take(error)));
  made->zid_ = take(hz_zid(made->session_));
  return made;
}

void ZenohLink::close() {
  const std::unique_lock lock(mutex_);
  if (session_ != nullptr) hz_close(std::exchange(session_, nullptr));
  handlers_.clear();
}

ZenohLink::Handler* ZenohLink::keep(Handler handler) {
  const std::lock_guard lock(handlers_mutex_);
  return handlers_.emplace_back(std::make_unique<Handler>(std::move(handler))).get();
}
void ZenohLink::sample(void* context, const hz_sample* sample) {
  static_cast<Handler*>(context)->on_sample(sample->alive != 0, view(sample->key),
                                            view(sample->payload), view(sample->attachment));
}
void ZenohLink::query(void* context, hz_query* query, hz_slice key, hz_slice payload, hz_slice,
                      hz_slice) {
  static_cast<Handler*>(context)->on_query(Query(query), view(key), view(payload));
}

Result<ZenohLink::Declared> ZenohLink::queryable(const std::string& key, OnQuery handler) {
  char* error = nullptr;
  auto* const kept = keep({std::move(handler), {}});
  const std::shared_lock lock(mutex_);
  return declared(
      session_ == nullptr ? nullptr : hz_queryable(session_, key.c_str(), query, kept, &error), key,
      error);
}
Result<ZenohLink::Declared> ZenohLink::subscriber(const std::string& key, OnSample handler) {
  char* error = nullptr;
  auto* const kept = keep({{}, std::move(handler)});
  const std::shared_lock lock(mutex_);
  return declared(
      session_ == nullptr ? nullptr : hz_subscriber(session_, key.c_str(), sample, kept, &error),
      key, error);
}
Result<ZenohLink::Declared> ZenohLink::presence(const std::string& key, OnSample handler) {
  char* error = nullptr;
  auto* const kept = keep({{}, std::move(handler)});
  const std::shared_lock lock(mutex_);
  return declared(session_ == nullptr
                      ? nullptr
                      : hz_liveliness_subscriber(session_, key.c_str(), sample, kept, &error),
                  key, error);
}
Result<ZenohLink::Declared> ZenohLink::token(const std::string& key) {
  char* error = nullptr;
  const std::shared_lock lock(mutex_);
  return declared(
      session_ == nullptr ? nullptr : hz_liveliness_token(session_, key.c_str(), &error), key,
      error);
}

void ZenohLink::ask(const std::string& key, const std::optional<std::string>& payload,
                    Answers which, Duration timeout, Done done) {
  const auto timeout_ms = std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  const std::shared_lock lock(mutex_);
  if (session_ == nullptr) return done({});
  char* error = nullptr;
  auto* const asked = new Asked{which, {}, std::move(done)};
  const std::string_view octets = payload ? std::string_view(*payload) : std::string_view();
  const bool is_asked =
      hz_ask(session_, key.c_str(), slice(octets), payload ? 1 : 0, which == Answers::kAll ? 1 : 0,
             static_cast<std::uint64_t>(timeout_ms), on_answer, on_done, asked, &error) != 0;
  if (!is_asked) hz_error_free(error);  // `done` has run, without answers
}

std::vector<Answer> ZenohLink::ask_and_wait(const std::string& key, Answers which,
                                            Duration timeout) {
  const auto said = std::make_shared<std::promise<std::vector<Answer>>>();
  ask(key, std::nullopt, which, timeout,
      [said](std::vector<Answer> answers) { said->set_value(std::move(answers)); });
  return said->get_future().get();
}

Status ZenohLink::put(const std::string& key, std::string_view payload,
                      std::string_view attachment) {
  char* error = nullptr;
  const std::shared_lock lock(mutex_);
  if (session_ == nullptr) return fail(Error::unavailable("the realm is closed"));
  if (hz_put(session_, key.c_str(), slice(payload), slice(attachment), &error) == 0)
    return fail(Error::unavailable(fmt::format("zenoh cannot publish '{}': {}", key, take(error))));
  return {};
}

}  // namespace hector::heros
