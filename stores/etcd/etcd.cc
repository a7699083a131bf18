// What: the etcd provider: a Store on a cluster's v3 API.
// Why: a store that outgrows one machine changes one line of configuration.
// Who: loaded by capsules whose configuration says `store: etcd://host:2379,host:2379/prefix`.
#include <fmt/format.h>

#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>

#include "engine/limits.h"
#include "etcd_core.h"
#include "hector/check.h"
#include "hector/plugin.h"

namespace hector::stores::etcd {

StoreEntry entry_of(const v1::KeyValue& kv, std::size_t prefix) {
  return {kv.key().substr(std::min(prefix, kv.key().size())),
          Bytes::copy(kv.value()),
          kv.create_revision(),
          kv.mod_revision(),
          kv.version(),
          kv.lease()};
}

bool was_never_sent(const grpc::Status& status) {
  const std::string& said = status.error_message();
  return said.find("failed to connect") != std::string::npos ||
         said.find("Connection refused") != std::string::npos;
}

Error error_of(const grpc::Status& status, Revision asked, LeaseId lease, Request kind) {
  const std::string& said = status.error_message();
  const auto says = [&](std::string_view text) { return said.find(text) != std::string::npos; };
  if (says("has been compacted")) return compacted(asked, asked + 1);
  if (says("future revision"))
    return Error::failed_precondition(fmt::format("the store is not yet at revision {}", asked));
  if (says("lease not found")) return lease_not_found(lease);
  if (says("database space exceeded"))
    return Error::resource_exhausted(
        "etcd: its database is full; nothing was written, compact and defragment it, or raise its "
        "quota");
  const auto code = status.error_code();
  if (code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
      code == grpc::StatusCode::CANCELLED || code == grpc::StatusCode::UNKNOWN) {
    if (kind == Request::kWrite && !was_never_sent(status))
      return Error::unavailable(fmt::format("OUTCOME_UNKNOWN: etcd gave no answer ({}); send it "
                                            "again under an idempotency key",
                                            said))
          .with_type(kOutcomeUnknown);
    return Error::unavailable(
        fmt::format("etcd cannot be reached ({}); nothing happened, try again", said));
  }
  return {code_from_number(static_cast<std::uint32_t>(code)), "etcd: " + said};
}

bool Core::pause(Paused& call, TimePoint until) {
  const std::lock_guard lock(mutex);
  if (is_closed) return false;
  const TimerId timer = executor->at(until, [this, &call] {
    {
      const std::lock_guard again(mutex);
      const auto erased = paused.erase(&call);
      HECTOR_CHECK(erased == 1, "a call is resumed that does not pause");
    }
    call.resume();
  });
  const bool is_new = paused.emplace(&call, timer).second;
  HECTOR_CHECK(is_new, "a call pauses twice");
  return true;
}

void Core::close() {
  std::vector<Paused*> ended;
  std::unique_lock lock(mutex);
  HECTOR_CHECK(!is_closed, "an etcd store is closed twice");
  is_closed = true;
  for (const auto& [call, timer] : paused) {
    if (executor->cancel(timer)) ended.push_back(call);  // else its timer resumes it now
  }
  for (auto* const call : ended) paused.erase(call);
  lock.unlock();
  for (auto* const call : ended) call->resume();
  lock.lock();
  landed.wait(lock, [this] { return in_flight == 0; });
}

namespace {

/// Longer than an election of etcd's (1 s by default), so that one attempt may outlast it.
constexpr Duration kAttempt = std::chrono::seconds(2);
/// Three attempts: each member of the usual cluster is asked once.
constexpr Duration kTogether = std::chrono::seconds(6);
/// Between two attempts: a member that is gone answers at once.
constexpr Duration kPauseBetween = std::chrono::milliseconds(50);

/// One unary call, sent again to another member where that is harmless, until its time is over.
/// Frees itself after its end.
template <class In, class Out>
class Unary final : public Paused {
 public:
  using Done = Callback<void(const grpc::Status&, Out&)>;
  /// Started once, by start().
  static Unary& make(Core& core, const char* method, bool may_repeat, Done done) {
    return *new Unary(core, method, may_repeat, std::move(done));
  }
  In request;
  void start() {
    const std::size_t member = core_.current.load();
    context_ = std::make_unique<grpc::ClientContext>();
    const auto left = std::min<Duration>(until_ - core_.clock->now(), kAttempt);
    context_->set_deadline(std::chrono::system_clock::now() +
                           std::max<Duration>(left, std::chrono::milliseconds(1)));
    reply_.Clear();
    stub_ = std::make_unique<grpc::TemplatedGenericStub<In, Out>>(core_.channel());
    stub_->UnaryCall(context_.get(), method_, {}, &request, &reply_,
                     [this, member](grpc::Status status) { ended(member, status); });
  }
  void resume() override {
    if (core_.is_closed) return finish();
    start();
  }

 private:
  Unary(Core& core, const char* method, bool may_repeat, Done done)
      : in_flight_(core),
        core_(core),
        method_(method),
        may_repeat_(may_repeat),
        done_(std::move(done)),
        until_(core_.clock->now() + kTogether) {}
  ~Unary() override = default;
  void ended(std::size_t member, const grpc::Status& status) {
    const auto code = status.error_code();
    const bool is_lost =
        code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED;
    if (is_lost) core_.turn(member);
    status_ = status;
    const TimePoint again = core_.clock->now() + kPauseBetween;
    const bool may_repeat = is_lost && (may_repeat_ || was_never_sent(status)) && again < until_;
    if (may_repeat && core_.pause(*this, again)) return;
    finish();
  }
  void finish() {
    done_(status_, reply_);
    delete this;
  }
  const InFlight in_flight_;
  Core& core_;
  const char* const method_;
  const bool may_repeat_;
  Done done_;
  const TimePoint until_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::TemplatedGenericStub<In, Out>> stub_;
  grpc::Status status_;  ///< the last attempt's
  Out reply_;
};

/// One renewal: a stream with one message each way, as the API requires.
class KeepAlive final
    : public grpc::ClientBidiReactor<v1::LeaseRequest, v1::LeaseKeepAliveResponse> {
 public:
  KeepAlive(Core& core, LeaseId lease, Callback<void(Status)> done)
      : in_flight_(core),
        core_(core),
        lease_(lease),
        done_(std::move(done)),
        stub_(core.channel()) {
    out_.set_id(lease);
    context_.set_deadline(std::chrono::system_clock::now() + kAttempt);
    stub_.PrepareBidiStreamingCall(&context_, "/etcdserverpb.Lease/LeaseKeepAlive", {}, this);
    StartWriteLast(&out_, {});
    StartRead(&in_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    came_ = true;
    context_.TryCancel();
  }
  void OnDone(const grpc::Status& status) override {
    if (came_) {
      done_(in_.ttl() > 0 ? Status{} : fail(lease_not_found(lease_)));
    } else {
      core_.turn(core_.current);
      done_(fail(error_of(status, 0, lease_, Request::kRead)));
    }
    delete this;
  }

 private:
  const InFlight in_flight_;
  Core& core_;
  const LeaseId lease_;
  Callback<void(Status)> done_;
  grpc::TemplatedGenericStub<v1::LeaseRequest, v1::LeaseKeepAliveResponse> stub_;
  grpc::ClientContext context_;
  v1::LeaseRequest out_;
  v1::LeaseKeepAliveResponse in_;
  bool came_ = false;
};

void put_range(const KeyRange& range, const std::string& keys, auto& request) {
  request.set_key(keys + range.from);
  if (!range.is_one()) request.set_range_end(keys + range.to);
}

v1::Compare compare_of(const StoreCompare& compare, const std::string& keys) {
  v1::Compare out;
  out.set_key(keys + compare.key);
  constexpr v1::Compare::CompareResult kRelations[] = {v1::Compare::EQUAL, v1::Compare::NOT_EQUAL,
                                                       v1::Compare::LESS, v1::Compare::GREATER};
  static_assert(std::size(kRelations) ==
                static_cast<std::size_t>(StoreCompare::Relation::kGreater) + 1);
  out.set_result(kRelations[static_cast<int>(compare.relation)]);
  switch (compare.field) {
    case StoreCompare::Field::kValue:
      out.set_target(v1::Compare::VALUE), out.set_value(compare.value);
      break;
    case StoreCompare::Field::kModified:
      out.set_target(v1::Compare::MOD), out.set_mod_revision(compare.number);
      break;
    case StoreCompare::Field::kCreated:
      out.set_target(v1::Compare::CREATE), out.set_create_revision(compare.number);
      break;
    case StoreCompare::Field::kVersion:
      out.set_target(v1::Compare::VERSION), out.set_version(compare.number);
      break;
    case StoreCompare::Field::kLease:
      out.set_target(v1::Compare::LEASE), out.set_lease(compare.number);
      break;
  }
  return out;
}

void put_operation(const StoreOperation& operation, const std::string& keys, v1::RequestOp& out) {
  if (operation.kind == StoreOperation::Kind::kPut) {
    auto& put = *out.mutable_request_put();
    put.set_key(keys + operation.key);
    put.set_value(operation.value.data(), operation.value.size());
    put.set_lease(operation.lease);
  } else if (operation.kind == StoreOperation::Kind::kErase) {
    put_range(operation.range, keys, *out.mutable_request_delete_range());
  } else {
    put_range(operation.range, keys, *out.mutable_request_range());
  }
}

/// Of the first response of a transaction, a read; null where the server sent something else.
const v1::KeyValue* first_entry(const v1::TxnResponse& reply) {
  if (reply.responses_size() == 0 || reply.responses(0).response_range().kvs_size() == 0)
    return nullptr;
  return &reply.responses(0).response_range().kvs(0);
}

Error malformed() {
  return Error::internal("etcd: a transaction's answer does not have the form of its request");
}

class EtcdStore final : public Store {
 public:
  explicit EtcdStore(std::unique_ptr<Core> core) : core_(std::move(core)) {}
  ~EtcdStore() override {
    HECTOR_CHECK(relays_.empty(), "an etcd store ends before its watches");
    epoch_watch_.reset();
    core_->close();
  }
  [[nodiscard]] const Core& core() const { return *core_; }

  /// Finds the cluster, and its epoch or begins one. Blocks.
  Status start() {
    HECTOR_CHECK(epoch_watch_ == nullptr, "an etcd store starts twice");
    auto mine = core_->random->next() | 1;
    v1::TxnRequest request;
    auto& absent = *request.add_compare();
    absent.set_key(core_->prefix + "epoch");
    absent.set_target(v1::Compare::CREATE);
    absent.set_create_revision(0);
    auto& put = *request.add_success()->mutable_request_put();
    put.set_key(core_->prefix + "epoch");
    put.set_value(std::to_string(mine));
    request.add_failure()->mutable_request_range()->set_key(core_->prefix + "epoch");
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Status> ended;
    send<v1::TxnRequest, v1::TxnResponse>("/etcdserverpb.KV/Txn", request, true,
                                          [&](const grpc::Status& status, v1::TxnResponse& reply) {
                                            const std::lock_guard lock(mutex);
                                            ended = take_epoch(status, reply, mine);
                                            changed.notify_all();
                                          });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended.has_value(); });
    HECTOR_TRY(std::move(*ended));
    epoch_watch_ = make_watch(*core_, core_->prefix, {KeyRange::one("epoch")}, epochs_);
    return {};
  }

  void read(StoreRead read, Callback<void(Result<StorePage>)> done) override {
    if (auto fits = check(read, {}); !fits) return done(fail(fits.error()));
    if (read.epoch != 0 && read.epoch != core_->epoch)
      return done(fail(other_epoch(read.epoch, core_->epoch)));
    if (!read.after.empty())
      (read.reverse ? read.range.to : read.range.from) =
          read.reverse ? read.after : read.after + '\0';
    if (read.range.to <= read.range.from && read.revision != 0)
      return done(StorePage{{}, read.revision, {}});
    v1::RangeRequest request;
    put_range(read.range, core_->keys, request);
    if (read.range.to <= read.range.from)
      request.set_range_end(request.key());  // nothing, but at which revision
    request.set_revision(read.revision);
    request.set_limit(read.limit);
    if (read.reverse) request.set_sort_order(v1::RangeRequest::DESCEND);
    send<v1::RangeRequest, v1::RangeResponse>(
        "/etcdserverpb.KV/Range", request, true,
        [&core = *core_, read, done = std::move(done)](const grpc::Status& status,
                                                       v1::RangeResponse& reply) mutable {
          if (!status.ok()) return done(fail(error_of(status, read.revision, 0, Request::kRead)));
          core.saw(reply.header());
          if (reply.header().revision() < read.at_least)
            return done(fail(in_future(read.at_least, reply.header().revision())));
          StorePage page;
          page.revision = read.revision != 0 ? read.revision : reply.header().revision();
          for (const auto& kv : reply.kvs()) page.entries.push_back(entry_of(kv, core.keys.size()));
          if (reply.more() && !page.entries.empty()) page.next = page.entries.back().key;
          done(std::move(page));
        });
  }

  void commit(StoreTransaction transaction, Callback<void(Result<StoreOutcome>)> done) override {
    if (auto fits = check(transaction, {}); !fits) return done(fail(fits.error()));
    if (transaction.idempotency_key.empty()) return commit_once(transaction, std::move(done));
    with_outcome_lease([this, transaction = std::move(transaction),
                        done = std::move(done)](Result<LeaseId> lease) mutable {
      if (!lease) return done(fail(lease.error()));
      commit_idempotent(transaction, *lease, std::move(done));
    });
  }

  std::unique_ptr<StoreWatch> watch(StoreWatchRequest request, StoreObserver& observer) override {
    auto relay = std::make_unique<EpochRelay>(*this, observer);
    relay->watch = make_watch(*core_, core_->keys, std::move(request), *relay);
    return relay;
  }

  void grant(Duration ttl, Callback<void(Result<LeaseId>)> done) override {
    if (auto fits = check_ttl(ttl); !fits) return done(fail(fits.error()));
    v1::LeaseGrantRequest request;
    request.set_ttl(std::chrono::ceil<std::chrono::seconds>(ttl).count());
    request.set_id(static_cast<std::int64_t>(core_->random->next() >> 1) | 1);
    send<v1::LeaseGrantRequest, v1::LeaseGrantResponse>(
        "/etcdserverpb.Lease/LeaseGrant", request, false,
        [done = std::move(done)](const grpc::Status& status,
                                 v1::LeaseGrantResponse& reply) mutable {
          if (!status.ok()) return done(fail(error_of(status, 0, 0, Request::kWrite)));
          done(reply.id());
        });
  }
  void keep_alive(LeaseId lease, Callback<void(Status)> done) override {
    new KeepAlive(*core_, lease, std::move(done));
  }
  void revoke(LeaseId lease, Callback<void(Status)> done) override {
    v1::LeaseRequest request;
    request.set_id(lease);
    send<v1::LeaseRequest, v1::HeaderResponse>(
        "/etcdserverpb.Lease/LeaseRevoke", request, true,
        [&core = *core_, lease, done = std::move(done)](const grpc::Status& status,
                                                        v1::HeaderResponse& reply) mutable {
          if (!status.ok()) return done(fail(error_of(status, 0, lease, Request::kWrite)));
          core.saw(reply.header());
          done({});
        });
  }
  void compact(Revision revision, Callback<void(Status)> done) override {
    v1::CompactionRequest request;
    request.set_revision(revision);
    send<v1::CompactionRequest, v1::HeaderResponse>(
        "/etcdserverpb.KV/Compact", request, true,
        [&core = *core_, revision, done = std::move(done)](const grpc::Status& status,
                                                           v1::HeaderResponse&) mutable {
          if (!status.ok()) return done(fail(error_of(status, revision, 0, Request::kWrite)));
          core.compacted = revision;
          done({});
        });
  }
  void begin_epoch(std::uint64_t epoch, Callback<void(Status)> done) override {
    v1::TxnRequest request;
    auto& put = *request.add_success()->mutable_request_put();
    put.set_key(core_->prefix + "epoch");
    put.set_value(std::to_string(epoch));
    send<v1::TxnRequest, v1::TxnResponse>(
        "/etcdserverpb.KV/Txn", request, true,
        [this, epoch, done = std::move(done)](const grpc::Status& status,
                                              v1::TxnResponse& reply) mutable {
          if (!status.ok()) return done(fail(error_of(status, 0, 0, Request::kWrite)));
          core_->saw(reply.header());
          epochs_.begin(epoch);
          done({});
        });
  }
  bool is_shared() const noexcept override { return true; }
  StoreLimits limits() const noexcept override { return {}; }
  StoreHealth health() override {
    const std::lock_guard lock(core_->mutex);
    return {
        "etcd",       true, core_->fault.empty(), core_->fault, core_->revision, core_->compacted,
        core_->epoch, 0};
  }

 private:
  Status take_epoch(const grpc::Status& status, const v1::TxnResponse& reply, std::uint64_t mine) {
    if (!status.ok()) return fail(error_of(status, 0, 0, Request::kRead));
    core_->saw(reply.header());
    const auto* const found = first_entry(reply);
    if (!reply.succeeded() && found == nullptr) return fail(malformed());
    core_->epoch = reply.succeeded() ? mine : std::strtoull(found->value().c_str(), nullptr, 10);
    return {};
  }

  /// The user's observer, which is also told when the epoch ends.
  class EpochRelay final : public StoreWatch, public StoreObserver {
   public:
    EpochRelay(EtcdStore& store, StoreObserver& observer) : store_(store), observer_(observer) {
      const std::lock_guard lock(store_.relays_mutex_);
      store_.relays_.push_back(this);
    }
    ~EpochRelay() override {
      {
        const std::lock_guard lock(store_.relays_mutex_);
        const auto erased = std::erase(store_.relays_, this);
        HECTOR_CHECK(erased == 1, "a watch ends that its store does not have");
      }
      watch.reset();
    }
    void changed(const StoreChange& change) noexcept override {
      const std::lock_guard lock(mutex_);
      if (!is_over_) observer_.changed(change);
    }
    void progress(Revision revision) noexcept override {
      const std::lock_guard lock(mutex_);
      if (!is_over_) observer_.progress(revision);
    }
    void ended(const Error& error) noexcept override {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(is_over_, true)) observer_.ended(error);
    }
    std::unique_ptr<StoreWatch> watch;

   private:
    EtcdStore& store_;
    StoreObserver& observer_;
    std::recursive_mutex mutex_;
    bool is_over_ = false;
  };
  class Epochs final : public StoreObserver {
   public:
    explicit Epochs(EtcdStore& store) : store_(store) {}
    void changed(const StoreChange& change) noexcept override {
      for (const auto& event : change.events) {
        if (event.kind == StoreEvent::Kind::kPut)
          begin(std::strtoull(event.entry.value.str().c_str(), nullptr, 10));
      }
    }
    void ended(const Error&) noexcept override {}
    void begin(std::uint64_t epoch) {
      const std::uint64_t before = store_.core_->epoch.exchange(epoch);
      if (before == epoch) return;
      const std::lock_guard lock(store_.relays_mutex_);
      for (auto* relay : store_.relays_) relay->ended(other_epoch(before, epoch));
    }

   private:
    EtcdStore& store_;
  };

  template <class In, class Out>
  void send(const char* method, In request, bool may_repeat, typename Unary<In, Out>::Done done) {
    auto& call = Unary<In, Out>::make(*core_, method, may_repeat, std::move(done));
    call.request = std::move(request);
    call.start();
  }

  StoreOutcome outcome_of(const v1::TxnResponse& reply) const {
    StoreOutcome outcome;
    outcome.succeeded = reply.succeeded();
    outcome.revision = core_->revision;
    for (const auto& response : reply.responses()) {
      if (!response.has_response_range()) continue;
      StorePage page;
      page.revision = outcome.revision;
      for (const auto& kv : response.response_range().kvs())
        page.entries.push_back(entry_of(kv, core_->keys.size()));
      outcome.reads.push_back(std::move(page));
    }
    return outcome;
  }
  v1::TxnRequest model_of(const StoreTransaction& transaction) const {
    v1::TxnRequest request;
    for (const auto& compare : transaction.compares)
      *request.add_compare() = compare_of(compare, core_->keys);
    for (const auto& operation : transaction.then)
      put_operation(operation, core_->keys, *request.add_success());
    for (const auto& operation : transaction.otherwise)
      put_operation(operation, core_->keys, *request.add_failure());
    return request;
  }
  LeaseId lease_in(const StoreTransaction& transaction) const {
    for (const auto* branch : {&transaction.then, &transaction.otherwise}) {
      for (const auto& operation : *branch) {
        if (operation.lease != 0) return operation.lease;
      }
    }
    return 0;
  }

  void commit_once(const StoreTransaction& transaction, Callback<void(Result<StoreOutcome>)> done) {
    send<v1::TxnRequest, v1::TxnResponse>(
        "/etcdserverpb.KV/Txn", model_of(transaction), false,
        [this, lease = lease_in(transaction), &core = *core_, done = std::move(done)](
            const grpc::Status& status, v1::TxnResponse& reply) mutable {
          if (!status.ok()) return done(fail(error_of(status, 0, lease, Request::kWrite)));
          core.saw(reply.header());
          auto outcome = outcome_of(reply);
          outcome.revision = reply.header().revision();
          done(std::move(outcome));
        });
  }

  /// Without a record of the key: the transaction, which also writes the record. With one: the
  /// record, whose revision is the outcome's.
  void commit_idempotent(const StoreTransaction& transaction, LeaseId lease,
                         Callback<void(Result<StoreOutcome>)> done) {
    const std::string record = core_->prefix + "o/" + transaction.idempotency_key;
    v1::TxnRequest request;
    auto& absent = *request.add_compare();
    absent.set_key(record);
    absent.set_target(v1::Compare::CREATE);
    absent.set_create_revision(0);
    auto& inner = *request.add_success()->mutable_request_txn();
    inner = model_of(transaction);
    for (const bool succeeded : {true, false}) {
      auto& put = *(succeeded ? inner.add_success() : inner.add_failure())->mutable_request_put();
      put.set_key(record);
      put.set_value(succeeded ? "+" : "-");
      put.set_lease(lease);
    }
    request.add_failure()->mutable_request_range()->set_key(record);
    send<v1::TxnRequest, v1::TxnResponse>(
        "/etcdserverpb.KV/Txn", request, true,
        [this, lease = lease_in(transaction), &core = *core_, done = std::move(done)](
            const grpc::Status& status, v1::TxnResponse& reply) mutable {
          if (!status.ok()) return done(fail(error_of(status, 0, lease, Request::kWrite)));
          core.saw(reply.header());
          StoreOutcome outcome;
          if (reply.succeeded() && reply.responses_size() > 0) {
            outcome = outcome_of(reply.responses(0).response_txn());
            outcome.revision = reply.header().revision();
          } else if (const auto* const kept = first_entry(reply); kept != nullptr) {
            outcome.replayed = true;
            outcome.succeeded = kept->value() == "+";
            outcome.revision = kept->mod_revision();
          } else {
            return done(fail(malformed()));
          }
          done(std::move(outcome));
        });
  }

  /// Outcomes are attached to a lease of twice their time; a new one is granted when half of it has
  /// passed.
  void with_outcome_lease(Callback<void(Result<LeaseId>)> use) {
    const TimePoint now = core_->clock->now();
    {
      std::unique_lock lock(lease_mutex_);
      if (outcome_lease_ != 0 && now < outcome_lease_until_) {
        const LeaseId lease = outcome_lease_;
        lock.unlock();
        return use(lease);
      }
    }
    grant(kIdempotencyKept * 2, [this, now, use = std::move(use)](Result<LeaseId> lease) mutable {
      if (lease) {
        const std::lock_guard lock(lease_mutex_);
        outcome_lease_ = *lease;
        outcome_lease_until_ = now + kIdempotencyKept;
      }
      use(std::move(lease));
    });
  }

  const std::unique_ptr<Core> core_;
  Epochs epochs_{*this};
  std::unique_ptr<StoreWatch> epoch_watch_;
  std::mutex relays_mutex_;
  std::vector<EpochRelay*> relays_;
  std::mutex lease_mutex_;
  LeaseId outcome_lease_ = 0;
  TimePoint outcome_lease_until_;
};

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// "//host:port,host:port/prefix?ca=…&certificate=…&key=…"
Result<std::unique_ptr<Core>> core_of(const StoreContext& context) {
  auto core = std::make_unique<Core>();
  core->clock = context.clock, core->random = context.random, core->executor = context.executor,
  core->log = context.log;
  std::string rest = context.location;
  if (rest.rfind("//", 0) != 0)
    return fail(Error::invalid_argument(fmt::format(
        "a store in etcd is 'etcd://host:port,host:port/prefix', not 'etcd:{}'", rest)));
  rest.erase(0, 2);
  std::map<std::string, std::string> parameters;
  if (const auto question = rest.find('?'); question != std::string::npos) {
    std::stringstream list(rest.substr(question + 1));
    for (std::string each; std::getline(list, each, '&');) {
      const auto equals = each.find('=');
      const std::string name = each.substr(0, equals);
      if (name != "ca" && name != "certificate" && name != "key")
        return fail(Error::invalid_argument(fmt::format(
            "a store in etcd has the parameters ca, certificate and key (files), not '{}'", name)));
      parameters[name] = equals == std::string::npos ? "" : content(each.substr(equals + 1));
      if (parameters[name].empty())
        return fail(Error::invalid_argument(fmt::format("the file of '{}' cannot be read", each)));
    }
    rest.erase(question);
  }
  const auto slash = rest.find('/');
  core->prefix =
      (slash == std::string::npos || slash + 1 == rest.size() ? "hector" : rest.substr(slash + 1)) +
      "/";
  core->keys = core->prefix + "k/";
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // a revision is never split
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  const auto credentials =
      parameters.empty()
          ? grpc::InsecureChannelCredentials()
          : grpc::SslCredentials({parameters["ca"], parameters["key"], parameters["certificate"]});
  std::stringstream hosts(rest.substr(0, slash));
  for (std::string host; std::getline(hosts, host, ',');) {
    if (host.empty()) continue;
    core->channels.push_back(grpc::CreateCustomChannel(
        host.find(':') == std::string::npos ? host + ":2379" : host, credentials, arguments));
  }
  if (core->channels.empty())
    return fail(Error::invalid_argument("a store in etcd needs at least one host"));
  return core;
}

Store* make(const StoreContext& context) {
  auto core = core_of(context);
  if (core) {
    auto store = std::make_unique<EtcdStore>(std::move(*core));
    auto started = store->start();
    // The process keeps one channel for ever: if gRPC's last one ended on gRPC's own thread, that
    // thread would wait for itself (1.51).
    [[maybe_unused]] static const auto* for_life = new auto(store->core().channels);
    if (started) return store.release();
    core = fail(started.error());
  }
  if (context.why != nullptr) *context.why = core.error();
  return nullptr;
}

}  // namespace
}  // namespace hector::stores::etcd

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "etcd",
    .make_store = hector::stores::etcd::make,
};
