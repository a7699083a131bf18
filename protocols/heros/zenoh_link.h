// What: ZenohLink, one zenoh session as HEROS uses it: queries, answers, publications, presence.
// Why: the C ABI's callbacks and their contexts are owned in one place.
// Who: Realm and its parts.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "hector/clock.h"
#include "hector/result.h"
#include "wire.h"

namespace hector::heros {

/// A received query. Destroying it ends it; without a reply the asker takes the HERO for absent.
class Query {
 public:
  explicit Query(hz_query* query) : query_(query) {}
  Query(Query&& other) noexcept : query_(std::exchange(other.query_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (query_ != nullptr) hz_query_drop(query_);
  }
  [[nodiscard]] bool has_payload() const { return hz_query_has_payload(query_) != 0; }
  void reply(const std::string& key, const Value& value) const {
    hz_query_reply_at(query_, key.c_str(), slice(cbor_of(value)), slice(kCborEncoding));
  }
  void fail(const Error& error) const {
    hz_query_reply_error(query_, slice(cbor_of(write_error(error))), slice(kCborEncoding));
  }

 private:
  hz_query* query_;
};

struct Answer {
  bool ok = false;
  std::string key, payload;
};

/// Any thread. Handlers run on zenoh's threads and must not block.
class ZenohLink {
 public:
  using OnQuery = std::function<void(Query query, std::string_view key, std::string_view payload)>;
  using OnSample = std::function<void(bool is_alive, std::string_view key, std::string_view payload,
                                      std::string_view attachment)>;
  /// Undeclared when destroyed; its handler may still be running then.
  class Declared {
   public:
    Declared() = default;
    explicit Declared(hz_handle* handle) : handle_(handle) {}
    Declared(Declared&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Declared& operator=(Declared&& other) noexcept {
      std::swap(handle_, other.handle_);
      return *this;
    }
    ~Declared() {
      if (handle_ != nullptr) hz_undeclare(handle_);
    }

   private:
    hz_handle* handle_ = nullptr;
  };

  /// UNAVAILABLE.
  static Result<std::unique_ptr<ZenohLink>> open(const std::string& config);
  ~ZenohLink() { close(); }
  /// No handler runs afterwards. Every Declared has to be gone before.
  void close();

  Result<Declared> queryable(const std::string& key, OnQuery handler);
  Result<Declared> subscriber(const std::string& key, OnSample handler);
  Result<Declared> token(const std::string& key);
  /// The tokens that exist already are told first.
  Result<Declared> presence(const std::string& key, OnSample handler);
  enum class Answers : std::uint8_t { kFirst, kAll };
  using Done = std::function<void(std::vector<Answer>)>;
  /// `done` runs once: with all answers, or with the first one at once; with none where
  /// nobody is there, or after close().
  void ask(const std::string& key, const std::optional<std::string>& payload, Answers which,
           Duration timeout, Done done);
  /// Without a payload. Blocks until the answers have come, at most for the time-out.
  std::vector<Answer> ask_and_wait(const std::string& key, Answers which, Duration timeout);
  Status put(const std::string& key, std::string_view payload, std::string_view attachment);
  [[nodiscard]] const std::string& zid() const { return zid_; }

 private:
  struct Handler {
    OnQuery on_query;
    OnSample on_sample;
  };
  Handler* keep(Handler handler);
  static void sample(void* context, const hz_sample* sample);
  static void query(void* context, hz_query* query, hz_slice key, hz_slice payload,
                    hz_slice attachment, hz_slice encoding);

  std::shared_mutex mutex_;  ///< shared while the session is used
  hz_session* session_ = nullptr;
  std::string zid_;
  std::mutex handlers_mutex_;
  /// zenoh may read them until the session is closed.
  std::vector<std::unique_ptr<Handler>> handlers_;
};

}  // namespace hector::heros
