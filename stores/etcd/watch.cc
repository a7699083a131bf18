// What: a watch that survives its stream: it continues after the last revision that was told.
// Why: a lost connection is no end of a watch (hector/store.h).
// Who: the etcd provider.
#include <fmt/format.h>

#include <mutex>

#include "engine/limits.h"
#include "etcd_core.h"
#include "hector/check.h"

namespace hector::stores::etcd {

namespace {

/// Between a broken stream and the next one; doubled each time, until a message comes.
constexpr Duration kPauseMin = std::chrono::milliseconds(20), kPauseMax = std::chrono::seconds(1);

class Watch final : public std::enable_shared_from_this<Watch> {
 public:
  Watch(Core& core, std::string keys, StoreWatchRequest request, StoreObserver& observer)
      : core_(core),
        keys_(std::move(keys)),
        request_(std::move(request)),
        observer_(&observer),
        next_(request_.from),
        pause_(kPauseMin) {}

  void open() {
    const std::lock_guard lock(mutex_);
    if (observer_ == nullptr || core_.is_closed) return;
    HECTOR_CHECK(stream_ == nullptr, "a watch has two streams");
    stream_ = new Stream(shared_from_this(), core_);
    stream_->start(request_, keys_, next_);
  }
  void cancel() {
    const std::lock_guard lock(mutex_);
    observer_ = nullptr;
    if (stream_ != nullptr) stream_->cancel();  // it may end, and free itself, in there
  }

  void came(const v1::WatchResponse& response) {
    const std::lock_guard lock(mutex_);
    if (observer_ == nullptr) return;
    core_.saw(response.header());
    pause_ = kPauseMin;
    if (response.canceled()) {
      if (response.compact_revision() != 0)
        return end(compacted(next_, response.compact_revision()));
      return;  // the stream ends, and another one begins
    }
    if (next_ == 0) next_ = response.header().revision() + 1;
    StoreChange change;
    for (const auto& event : response.events()) {
      if (event.kv().mod_revision() != change.revision) tell(change);
      change.revision = event.kv().mod_revision();
      StoreEvent told{
          event.type() == v1::Event::PUT ? StoreEvent::Kind::kPut : StoreEvent::Kind::kErase,
          entry_of(event.kv(), keys_.size()),
          {}};
      if (event.has_prev_kv()) told.previous = entry_of(event.prev_kv(), keys_.size());
      change.events.push_back(std::move(told));
    }
    tell(change);
    // The header has the store's revision, which a watch that catches up has not reached yet: only
    // a message of its own says that it has. A member that lags behind may say less than was told.
    const bool is_progress = response.events().empty() && !response.created() &&
                             response.header().revision() + 1 >= next_;
    if (is_progress && observer_ != nullptr) observer_->progress(response.header().revision());
  }
  void broke(std::size_t member) {
    core_.turn(member);
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(stream_ != nullptr, "a watch's stream ended twice");
    stream_ = nullptr;
    if (observer_ == nullptr || core_.is_closed) return;
    const Duration pause = std::exchange(pause_, std::min(pause_ * 2, kPauseMax));
    // A watch without observer touches no core: its store may have ended before this runs.
    core_.executor->at(core_.clock->now() + pause, [self = shared_from_this()] { self->open(); });
  }
  void end(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (auto* observer = std::exchange(observer_, nullptr)) observer->ended(error);
  }

 private:
  /// gRPC's from start() until OnDone, where it frees itself.
  class Stream final : public grpc::ClientBidiReactor<v1::WatchRequest, v1::WatchResponse> {
   public:
    Stream(std::shared_ptr<Watch> watch, Core& core)
        : in_flight_(core),
          watch_(std::move(watch)),
          member_(core.current.load()),
          stub_(core.channel()) {}
    void start(const StoreWatchRequest& request, const std::string& keys, Revision from) {
      // A member that is cut off from the cluster ends the watch instead of falling silent.
      context_.AddMetadata("hasleader", "true");
      auto& create = *out_.mutable_create_request();
      create.set_key(keys + request.range.from);
      if (!request.range.is_one()) create.set_range_end(keys + request.range.to);
      create.set_start_revision(from);
      create.set_progress_notify(true);
      create.set_prev_kv(request.with_previous);
      stub_.PrepareBidiStreamingCall(&context_, "/etcdserverpb.Watch/Watch", {}, this);
      StartWrite(&out_);
      StartRead(&in_);
      StartCall();
    }
    void cancel() { context_.TryCancel(); }
    void OnReadDone(bool ok) override {
      if (!ok) return;
      watch_->came(in_);
      if (in_.canceled()) return context_.TryCancel();
      in_.Clear();
      StartRead(&in_);
    }
    void OnDone(const grpc::Status&) override {
      watch_->broke(member_);
      delete this;
    }

   private:
    const InFlight in_flight_;
    const std::shared_ptr<Watch> watch_;
    const std::size_t member_;
    grpc::TemplatedGenericStub<v1::WatchRequest, v1::WatchResponse> stub_;
    grpc::ClientContext context_;
    v1::WatchRequest out_;
    v1::WatchResponse in_;
  };

  void tell(StoreChange& change) {
    if (!change.events.empty() && change.revision >= next_ && observer_ != nullptr) {
      next_ = change.revision + 1;  // none is told twice, also not by another member
      observer_->changed(change);
    }
    change.events.clear();
  }

  Core& core_;
  const std::string keys_;
  const StoreWatchRequest request_;
  std::recursive_mutex mutex_;  ///< an observer may end its watch in its own callback
  StoreObserver* observer_;
  Revision next_;
  Duration pause_;
  Stream* stream_ = nullptr;  ///< null between two of them; it sets this to null at its end
};

}  // namespace

std::unique_ptr<StoreWatch> make_watch(Core& core, std::string keys, StoreWatchRequest request,
                                       StoreObserver& observer) {
  /// Shares the watch with its stream, or with the timer of the next one.
  struct Handle final : StoreWatch {
    explicit Handle(std::shared_ptr<Watch> held) : watch(std::move(held)) {}
    ~Handle() override { watch->cancel(); }
    const std::shared_ptr<Watch> watch;
  };
  const std::uint64_t asked = request.epoch, is = core.epoch;
  auto watch = std::make_shared<Watch>(core, std::move(keys), std::move(request), observer);
  if (asked != 0 && asked != is)
    watch->end(other_epoch(asked, is));
  else
    watch->open();
  return std::make_unique<Handle>(std::move(watch));
}

}  // namespace hector::stores::etcd
