// What: ProtocolKit, what every protocol plugin must do.
// Why: the kernel promises the same over all of them.
// Who: ctest runs it for each folder in protocols/; `protocol_kit NAME` by hand.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>

#include "base/testing/waiting.h"
#include "hector/check.h"
#include "kits/kit_capsule.h"

namespace hector::kits {

std::string plugin;  // NOLINT: the program's argument

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kExpectedServer = "/capsule:server";  ///< of an address: who must answer

/// Handles kit.Echo/1 with octets as they come.
class EchoServant final : public Servant {
 public:
  explicit EchoServant(Executor& executor, const Clock& clock)
      : executor_(executor), clock_(clock) {}

  void invoke(Call& call) noexcept override {
    const std::string& name = call.operation->name;
    {
      const std::lock_guard lock(mutex_);
      seen_ = {call.header.metadata, call.header.trace, call.header.deadline,
               call.peer == nullptr ? Peer{} : *call.peer};
    }
    if (name == "echo") return call.complete(Payload(call.request.bytes()));
    if (name == "fails")
      return call.fail({Code::kAborted,
                        "it had to be",
                        "kit.Data",
                        call.request.bytes().str(),
                        {"first reason", "second reason"}});
    if (name == "note") {
      const std::lock_guard lock(mutex_);
      notes_.push_back(call.request.bytes().str());
      changed_.notify_all();
      return call.complete();
    }
    if (name == "waits") return waits(call.defer());
    Call& flow = call.defer();
    if (name == "count") return count(flow, 0, std::stoi(flow.request.bytes().str()));
    if (name == "sum") return sum(flow, std::make_shared<std::size_t>(0));
    chat(flow);
  }

  struct Seen {
    Metadata metadata;
    TraceContext trace;
    Deadline deadline = kNever;
    Peer peer;
  };
  Seen seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::vector<std::string> notes(std::size_t at_least) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(10), [&] { return notes_.size() >= at_least; });
    return notes_;
  }
  std::atomic<int> cancelled{0};
  std::atomic<int> written{0};
  std::atomic<int> waiting{0};

 private:
  /// Answers after as many milliseconds as the request says, or never if it says so; ends early
  /// when cancelled.
  void waits(Call& call) {
    const std::string text = call.request.bytes().str();
    auto done = std::make_shared<std::atomic<bool>>(false);
    ++waiting;
    call.on_cancel([this, done, &call] {
      if (done->exchange(true)) return;
      ++cancelled;
      call.fail(call.why_cancelled());
    });
    if (text == "never") return;
    executor_.at(clock_.now() + milliseconds(std::stoi(text)), [done, &call] {
      if (!done->exchange(true)) call.complete(Payload(Bytes::copy("waited")));
    });
  }
  void count(Call& call, int from, int to) {
    if (from == to) return call.complete();
    if (call.is_cancelled()) {
      ++cancelled;
      return call.fail(call.why_cancelled());
    }
    call.stream->write(Payload(Bytes::copy(std::to_string(from) + std::string(2'000, '.'))),
                       [this, &call, from, to](const Status& status) {
                         if (!status) {
                           ++cancelled;
                           return call.fail(status.error());
                         }
                         ++written;
                         executor_.post([this, &call, from, to] { count(call, from + 1, to); });
                       });
  }
  void sum(Call& call, std::shared_ptr<std::size_t> total) {
    call.stream->read([this, &call, total](Result<std::optional<Payload>> message) {
      if (!message) return call.fail(message.error());
      if (!*message) return call.complete(Payload(Bytes::copy(std::to_string(*total))));
      *total += (*message)->bytes().size();
      executor_.post([this, &call, total] { sum(call, total); });
    });
  }
  void chat(Call& call) {
    call.stream->read([this, &call](Result<std::optional<Payload>> message) {
      if (!message) return call.fail(message.error());
      if (!*message) return call.complete();
      call.stream->write(Payload((*message)->bytes()), [this, &call](const Status& status) {
        if (!status) return call.fail(status.error());
        executor_.post([this, &call] { chat(call); });
      });
    });
  }

  Executor& executor_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
  std::vector<std::string> notes_;
};

/// Starts nothing by itself; keeps its session.
class SenderServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override {
    call.fail({Code::kUnimplemented, "a sender handles nothing"});
  }
  void bound(Session& session) noexcept override {
    const std::lock_guard lock(mutex_);
    session_ = session.shared();
    changed_.notify_all();
  }
  void unbound(Session&) noexcept override {
    const std::lock_guard lock(mutex_);
    session_.reset();
    changed_.notify_all();
  }
  std::shared_ptr<Session> session() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(5), [&] { return session_ != nullptr; });
    return session_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Session> session_;
};

struct Server {
  explicit Server(const std::string& name = "server") : capsule(name) {}
  Status start() {
    if (auto types = capsule.kernel().load_types(source_path("tests/kits/kit.hector.yaml")); !types)
      return fail(types.error());
    auto made = std::make_unique<EchoServant>(capsule.executor(), capsule.clock());
    servant = made.get();
    auto reference_made =
        capsule.kernel().adopt_object("echo", *capsule.kernel().interface("kit.Echo/1"),
                                      std::move(made), ThreadModel::kPooled, true);
    if (!reference_made) return fail(reference_made.error());
    if (auto loaded = capsule.load(ModuleKind::kProtocol, plugin); !loaded) return loaded;
    return {};
  }
  Reference reference() {
    Reference made = capsule.kernel().management();
    made.object = "echo";
    made.offer = 0;
    made.interface_id = "kit.Echo/1";
    made.identity = (*capsule.kernel().interface("kit.Echo/1"))->identity();
    return made;
  }
  KitCapsule capsule;
  EchoServant* servant = nullptr;
};

/// Where the server listens on one.
std::optional<std::string> socket_file(const Reference& reference) {
  const std::string& address = reference.profiles.front().address;
  const std::size_t path = address.find(":/");
  if (path == std::string::npos || access(address.c_str() + path + 1, F_OK) != 0)
    return std::nullopt;
  return address.substr(path + 1);
}

bool is_world() {
  Server server("probe");
  if (auto started = server.start(); !started) return false;
  const auto profiles = server.capsule.kernel().management().profiles;
  return std::none_of(profiles.begin(), profiles.end(),
                      [](const auto& each) { return each.protocol == plugin; });
}

/// What holds for protocols that show Objects to a world of their own and bring that one's in.
class WorldKit : public testing::Test {
 protected:
  void SetUp() override {
    const auto started = server_.start();
    ASSERT_TRUE(started) << started.error().text();
  }
  Result<std::string> echo(const std::string& object) {
    auto target = server_.capsule.kernel().capsule().resolve(object);
    if (!target) return fail(target.error());
    WaitedCall made;
    made.header.operation_name = "echo";
    made.request = Payload(Bytes::copy("hello"));
    made.run(**target, server_.capsule.clock());
    if (made.error) return fail(*made.error);
    return made.reply.bytes().str();
  }
  Server server_;
};

TEST_F(WorldKit, ObjectsComeAndGoWhileItLooks) {
  auto& kernel = server_.capsule.kernel();
  for (int i = 0; i < 50; ++i) {
    const std::string name = "guest-" + std::to_string(i % 5);
    ASSERT_TRUE(kernel.adopt_object(
        name, *kernel.interface("kit.Echo/1"),
        std::make_unique<EchoServant>(server_.capsule.executor(), server_.capsule.clock()),
        ThreadModel::kPooled, true));
    EXPECT_EQ(*echo(name), "hello");
    ASSERT_TRUE(kernel.delete_object(name));
  }
  EXPECT_EQ(*echo("echo"), "hello");
}

TEST_F(WorldKit, IsUnloadedAndLoadedAgainBesideItsCapsulesWork) {
  auto& kernel = server_.capsule.kernel();
  for (int i = 0; i < 3; ++i) {
    const auto dry = kernel.unload(ModuleKind::kProtocol, plugin, Unload::kDryRun);
    ASSERT_TRUE(dry) << dry.error().text();
    const auto gone = kernel.unload(ModuleKind::kProtocol, plugin, Unload::kNow);
    ASSERT_TRUE(gone) << gone.error().text();
    EXPECT_EQ(kernel.unload(ModuleKind::kProtocol, plugin, Unload::kNow).error().code,
              Code::kNotFound);
    EXPECT_EQ(*echo("echo"), "hello");
    const auto again = server_.capsule.load(ModuleKind::kProtocol, plugin);
    ASSERT_TRUE(again) << again.error().text();
  }
}

TEST_F(WorldKit, IsLoadedOnce) {
  EXPECT_EQ(server_.capsule.load(ModuleKind::kProtocol, plugin).error().code, Code::kAlreadyExists);
}

class ProtocolKit : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.start());
    ASSERT_TRUE(client_.kernel().load_types(source_path("tests/kits/kit.hector.yaml")));
    const auto loaded = client_.load(ModuleKind::kProtocol, plugin);
    ASSERT_TRUE(loaded) << loaded.error().text();
    auto target = client_.kernel().capsule().resolve(server_.reference().text());
    ASSERT_TRUE(target) << target.error().text();
    target_ = std::move(*target);
  }

  /// One call, waited for.
  Result<std::string> call(const std::string& operation, const std::string& octets,
                           Duration within = seconds(20)) {
    return call(*target_, operation, octets, within);
  }
  Result<std::string> call(Target& target, const std::string& operation, const std::string& octets,
                           Duration within) {
    WaitedCall made;
    made.header.operation_name = operation;
    made.header.deadline = client_.clock().now() + within;
    made.request = Payload(Bytes::copy(octets));
    made.run(target, client_.clock());
    if (made.error) return fail(*made.error);
    return made.reply.bytes().str();
  }

  Server server_;
  KitCapsule client_{"client"};
  std::unique_ptr<Target> target_;
};

/// Ends of many calls, counted.
class Ends {
 public:
  void one(const Call& call) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (call.error)
      ++by_code_[call.error->code];
    else
      ++ok_;
    changed_.notify_all();
  }
  bool wait(std::size_t count, Duration within) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return count_ >= count; });
  }
  std::size_t ok() {
    const std::lock_guard lock(mutex_);
    return ok_;
  }
  std::map<Code, std::size_t> by_code() {
    const std::lock_guard lock(mutex_);
    return by_code_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0, ok_ = 0;
  std::map<Code, std::size_t> by_code_;
};

Call& start_call(Target& target, const Clock& clock, const std::string& operation,
                 const std::string& octets, Duration within, Ends& ends,
                 std::shared_ptr<Stream>* stream = nullptr) {
  auto& made = CallbackCall::make([&ends](Call& ended) { ends.one(ended); });
  made.header.operation_name = operation;
  made.header.deadline = clock.now() + within;
  made.request = Payload(Bytes::copy(octets));
  made.stream_out = stream;
  target.start(made);
  return made;
}

TEST_F(ProtocolKit, CarriesARequestAndItsReply) {
  EXPECT_EQ(*call("echo", "hello"), "hello");
  for (int i = 0; i < 200; ++i) ASSERT_EQ(*call("echo", std::to_string(i)), std::to_string(i));
}

TEST_F(ProtocolKit, CarriesEmptyAndFourMebibyteMessages) {
  EXPECT_EQ(*call("echo", ""), "");
  std::string large(4 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < large.size(); i += 4'096) large[i] = static_cast<char>(i >> 12);
  const auto reply = call("echo", large);
  ASSERT_TRUE(reply) << reply.error().text();
  EXPECT_TRUE(*reply == large);
}

TEST_F(ProtocolKit, RefusesAMessageOverTheLimitNamingBothSizes) {
  const auto reply = call("echo", std::string(17 * 1024 * 1024, 'x'));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kInvalidArgument);
  EXPECT_THAT(reply.error().message, testing::HasSubstr("16777216"));
  EXPECT_THAT(reply.error().message, testing::HasSubstr("17825792"));
  EXPECT_EQ(*call("echo", "still"), "still");
}

TEST_F(ProtocolKit, CarriesErrorsWithCodeTypeDetailAndReasons) {
  const auto reply = call("fails", "the detail");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kAborted);
  EXPECT_EQ(reply.error().message, "it had to be");
  EXPECT_EQ(reply.error().type, "kit.Data");
  EXPECT_EQ(reply.error().detail, "the detail");
  EXPECT_THAT(reply.error().reasons, testing::ElementsAre("first reason", "second reason"));
}

TEST_F(ProtocolKit, NamesTheNearestOperationAndObject) {
  Reference wrong = server_.reference();
  wrong.object = "ecko";
  auto target = client_.kernel().capsule().resolve(wrong.text());
  ASSERT_TRUE(target);
  const auto reply = call(**target, "echo", "x", seconds(5));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kNotFound);
  EXPECT_THAT(reply.error().message, testing::HasSubstr("did you mean 'echo'"));
}

TEST_F(ProtocolKit, CarriesMetadataTraceContextDeadlineAndPrincipal) {
  WaitedCall made;
  made.header.operation_name = "echo";
  made.header.deadline = client_.clock().now() + seconds(9);
  made.header.metadata = {{"colour", "green"}};
  made.header.trace =
      *TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  made.run(*target_, client_.clock());
  ASSERT_FALSE(made.error) << made.error->text();
  const auto seen = server_.servant->seen();
  EXPECT_THAT(seen.metadata, testing::Contains(testing::Pair("colour", "green")));
  EXPECT_EQ(seen.trace.traceparent(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(seen.peer.principal, "capsule:client");
  EXPECT_EQ(seen.peer.protocol, plugin);
  // The system knows who opens a socket file. What comes over a network has to prove it: of a
  // protocol whose addresses say who must answer.
  const auto& address = server_.reference().profiles.front().address;
  const bool is_proved =
      socket_file(server_.reference()) || address.find(kExpectedServer) != std::string::npos;
  EXPECT_EQ(seen.peer.security, is_proved ? Security::kPrivacy : Security::kNone);
  const auto left = seen.deadline - server_.capsule.clock().now();
  EXPECT_GT(left, seconds(5));
  EXPECT_LT(left, seconds(10));
}

TEST_F(ProtocolKit, EndsACallAtItsDeadline) {
  const auto before = client_.clock().now();
  const auto reply = call("waits", "never", milliseconds(150));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kDeadlineExceeded);
  EXPECT_LT(client_.clock().now() - before, seconds(3));
  Ends ends;  // and where nobody waits
  start_call(*target_, client_.clock(), "waits", "never", milliseconds(150), ends);
  ASSERT_TRUE(ends.wait(1, seconds(5)));
  EXPECT_EQ(ends.by_code()[Code::kDeadlineExceeded], 1U);
}

TEST_F(ProtocolKit, CancellationReachesTheCallee) {
  Ends ends;
  Call& started = start_call(*target_, client_.clock(), "waits", "never", seconds(20), ends);
  ASSERT_TRUE(waiting::until([&] { return server_.servant->waiting == 1; }));
  started.cancel({Code::kCancelled, "changed my mind"});
  ASSERT_TRUE(ends.wait(1, seconds(5)));
  EXPECT_EQ(ends.by_code()[Code::kCancelled], 1U);
  EXPECT_TRUE(waiting::until([&] { return server_.servant->cancelled == 1; }));
}

TEST_F(ProtocolKit, KeepsAThousandCallsInFlight) {
  Ends ends;
  for (int i = 0; i < 1'000; ++i)
    start_call(*target_, client_.clock(), "waits", "200", seconds(20), ends);
  ASSERT_TRUE(ends.wait(1'000, seconds(25)));
  EXPECT_EQ(ends.ok(), 1'000U) << ends.by_code().size();
}

TEST_F(ProtocolKit, KeepsTheOrderWithinASession) {
  auto made = std::make_unique<SenderServant>();
  auto* sender = made.get();
  ASSERT_TRUE(client_.kernel().adopt_object("sender", *client_.kernel().interface("kit.Sender/1"),
                                            std::move(made), ThreadModel::kPooled, true));
  auto bound = client_.kernel().capsule().bind(
      {"kit.Pair/1", {{"sender", "sender"}, {"receiver", server_.reference().text()}}});
  ASSERT_TRUE(bound) << bound.error().text();
  const auto session = sender->session();
  ASSERT_TRUE(session);
  const auto note = *session->interaction("note");
  Ends ends;
  constexpr int kMessages = 500;
  for (int i = 0; i < kMessages; ++i) {
    auto& message = CallbackCall::make([&ends](Call& ended) { ends.one(ended); });
    message.request = Payload(Bytes::copy(std::to_string(i)));
    session->start(note, 0, message);
  }
  ASSERT_TRUE(ends.wait(kMessages, seconds(20)));
  EXPECT_EQ(ends.ok(), static_cast<std::size_t>(kMessages));
  const auto notes = server_.servant->notes(kMessages);
  ASSERT_EQ(notes.size(), static_cast<std::size_t>(kMessages));
  for (int i = 0; i < kMessages; ++i)
    ASSERT_EQ(notes[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_TRUE(client_.kernel().capsule().unbind(*bound));
}

TEST_F(ProtocolKit, ACallThatEndsMayBeTheLastThatHeldItsChannel) {
  target_.reset();
  for (int i = 0; i < 10; ++i) {
    auto found = client_.kernel().capsule().resolve(server_.reference().text());
    ASSERT_TRUE(found);
    std::shared_ptr<Target> target = std::move(*found);  // owners: this test, and the call
    Ends ends;
    auto& call = CallbackCall::make([&ends, held = target](Call& ended) mutable {
      held.reset();
      ends.one(ended);
    });
    call.header.operation_name = "echo";
    call.request = Payload(Bytes::copy("x"));
    Target& raw = *target;
    std::weak_ptr<Target> gone = target;
    raw.start(call);
    target.reset();
    ASSERT_TRUE(ends.wait(1, seconds(10)));
    EXPECT_EQ(ends.ok(), 1U);
    EXPECT_TRUE(gone.expired());
  }
}

TEST_F(ProtocolKit, ACallInFlightDoesNotNeedItsTarget) {
  auto target = client_.kernel().capsule().resolve(server_.reference().text());
  ASSERT_TRUE(target);
  Ends ends;
  constexpr int kCalls = 20;
  for (int i = 0; i < kCalls; ++i)
    start_call(**target, client_.clock(), "echo", "x", seconds(10), ends);
  target->reset();
  ASSERT_TRUE(ends.wait(kCalls, seconds(10)));
  EXPECT_EQ(ends.ok(), static_cast<std::size_t>(kCalls));
}

TEST_F(ProtocolKit, TheMonitorRefusesWhatIsOutOfOrderNamingWhatIsAllowed) {
  auto made = std::make_unique<SenderServant>();
  auto* sender = made.get();
  ASSERT_TRUE(client_.kernel().adopt_object("sender", *client_.kernel().interface("kit.Sender/1"),
                                            std::move(made), ThreadModel::kPooled, true));
  auto bound = client_.kernel().capsule().bind(
      {"kit.Strict/1", {{"sender", "sender"}, {"receiver", server_.reference().text()}}});
  ASSERT_TRUE(bound) << bound.error().text();
  const auto session = sender->session();
  ASSERT_TRUE(session);
  WaitedCall early;
  early.run(session->call_target(*session->interaction("note"), 0), client_.clock());
  ASSERT_TRUE(early.error);
  EXPECT_EQ(early.error->code, Code::kFailedPrecondition);
  EXPECT_THAT(early.error->message, testing::HasSubstr("allowed now: echo"));
  WaitedCall echo;
  echo.run(session->call_target(*session->interaction("echo"), 0), client_.clock());
  EXPECT_FALSE(echo.error);
  WaitedCall note;
  note.run(session->call_target(*session->interaction("note"), 0), client_.clock());
  EXPECT_FALSE(note.error);
}

// --- flows
// ----------------------------------------------------------------------------------------------

struct Flows {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> messages;
  bool over = false;
  std::optional<Error> broken;
  void read_on(const std::shared_ptr<Stream>& stream, Executor& executor) {
    stream->read([this, stream, &executor](Result<std::optional<Payload>> message) {
      {
        const std::lock_guard lock(mutex);
        if (!message || !*message) {
          if (!message) broken = message.error();
          over = true;
          changed.notify_all();
          return;
        }
        messages.push_back((*message)->bytes().str());
        changed.notify_all();
      }
      executor.post([this, stream, &executor] { read_on(stream, executor); });
    });
  }
  bool wait_over() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, seconds(20), [&] { return over; });
  }
};

Status write_and_wait(Stream& stream, const std::string& octets) {
  auto promise = std::make_shared<std::promise<Status>>();
  stream.write(Payload(Bytes::copy(octets)),
               [promise](Status status) { promise->set_value(std::move(status)); });
  auto future = promise->get_future();
  if (future.wait_for(seconds(10)) != std::future_status::ready)
    return fail(Code::kDeadlineExceeded, "not accepted");
  return future.get();
}

TEST_F(ProtocolKit, AFlowOutArrivesInOrderAndStopsForASlowReader) {
  Ends ends;
  constexpr int kMessages =
      12'000;  // 24 MB: more than any window, HTTP/2's as it grows with delay included
  std::shared_ptr<Stream> stream;
  Call& started = start_call(*target_, client_.clock(), "count", std::to_string(kMessages),
                             seconds(60), ends, &stream);
  static_cast<void>(started);
  ASSERT_TRUE(stream);
  waiting::spend(milliseconds(500), "nobody reads");
  EXPECT_LT(server_.servant->written, kMessages) << "the writer went on although nobody read";
  Flows flows;
  flows.read_on(stream, client_.executor());
  ASSERT_TRUE(flows.wait_over());
  ASSERT_TRUE(ends.wait(1, seconds(10)));
  EXPECT_FALSE(flows.broken) << flows.broken->text();
  ASSERT_EQ(flows.messages.size(), static_cast<std::size_t>(kMessages));
  for (int i = 0; i < kMessages; ++i)
    ASSERT_TRUE(flows.messages[static_cast<std::size_t>(i)].starts_with(std::to_string(i) + "."));
}

TEST_F(ProtocolKit, AFlowInIsReadToItsEnd) {
  Ends ends;
  std::string total;
  auto& made = CallbackCall::make([&](Call& ended) {
    total = ended.reply.bytes().str();
    ends.one(ended);
  });
  made.header.operation_name = "sum";
  made.header.deadline = client_.clock().now() + seconds(20);
  std::shared_ptr<Stream> stream;
  made.stream_out = &stream;
  target_->start(made);
  ASSERT_TRUE(stream);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(write_and_wait(*stream, std::string(3'000, 'x')));
  stream->close_write();
  ASSERT_TRUE(ends.wait(1, seconds(10)));
  EXPECT_EQ(ends.ok(), 1U);
  EXPECT_EQ(total, "900000");
}

TEST_F(ProtocolKit, AFlowInBothDirectionsIsAConversation) {
  Ends ends;
  std::shared_ptr<Stream> stream;
  Call& started = start_call(*target_, client_.clock(), "chat", "", seconds(20), ends, &stream);
  static_cast<void>(started);
  ASSERT_TRUE(stream);
  Flows flows;
  flows.read_on(stream, client_.executor());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(write_and_wait(*stream, "line " + std::to_string(i)));
    std::unique_lock lock(flows.mutex);
    ASSERT_TRUE(flows.changed.wait_for(lock, seconds(5), [&] {
      return flows.messages.size() == static_cast<std::size_t>(i) + 1;
    }));
    EXPECT_EQ(flows.messages.back(), "line " + std::to_string(i));
  }
  stream->close_write();
  ASSERT_TRUE(flows.wait_over());
  ASSERT_TRUE(ends.wait(1, seconds(5)));
  EXPECT_EQ(ends.ok(), 1U);
}

TEST_F(ProtocolKit, CancellingAFlowReachesItsWriter) {
  Ends ends;
  std::shared_ptr<Stream> stream;
  Call& started =
      start_call(*target_, client_.clock(), "count", "1000000", seconds(60), ends, &stream);
  static_cast<void>(started);
  ASSERT_TRUE(waiting::until([&] { return server_.servant->written > 0; }));
  started.cancel({Code::kCancelled, "enough"});
  ASSERT_TRUE(ends.wait(1, seconds(5)));
  EXPECT_TRUE(waiting::until([&] { return server_.servant->cancelled >= 1; }));
}

// --- faults
// ----------------------------------------------------------------------------------------------

std::pair<std::string, int> host_and_port(const std::string& whole) {
  const std::string address = whole.substr(0, whole.find(kExpectedServer));
  const auto colon = address.rfind(':');
  auto start = address.find_last_of("/@", colon);
  start = start == std::string::npos ? 0 : start + 1;
  return {address.substr(start, colon - start), std::stoi(address.substr(colon + 1))};
}

/// The same address with another port.
std::string at_port(const std::string& whole, int port) {
  const auto end = std::min(whole.find(kExpectedServer), whole.size());
  const auto begin = whole.rfind(':', end - 1) + 1;
  return whole.substr(0, begin) + std::to_string(port) + whole.substr(end);
}

/// Where the manifest's first Endpoint really listens.
std::string taken_place(const Reference& reference, const std::string& listen) {
  if (socket_file(reference)) return reference.profiles.front().address;
  const auto [host, port] = host_and_port(reference.profiles.front().address);
  std::string where = listen;
  return where.replace(where.rfind(':') + 1, std::string::npos, std::to_string(port));
}

TEST_F(ProtocolKit, SaysThatAnAddressIsInUse) {
  const auto manifest = *client_.loader().find(ModuleKind::kProtocol, plugin);
  const std::string where = taken_place(server_.reference(), manifest.listen.front());
  KitCapsule other("other");
  const std::vector<std::string> listen{where};
  const auto loaded = other.load(ModuleKind::kProtocol, plugin, &listen);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kAlreadyExists);
  EXPECT_TRUE(other.kernel().management().profiles.empty());
}

TEST_F(ProtocolKit, RefusesAnAddressItDoesNotUnderstand) {
  KitCapsule other("other");
  const std::vector<std::string> listen{"nonsense"};
  const auto loaded = other.load(ModuleKind::kProtocol, plugin, &listen);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
  EXPECT_THAT(loaded.error().message, testing::HasSubstr("expected"));
}

std::string garbage(unsigned& state, std::size_t size) {
  std::string octets(size, '\0');
  for (auto& octet : octets)
    octet = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return octets;
}

/// To one address, as datagrams where it takes them, and on connections.
void send_garbage(const sockaddr* to, socklen_t size) {
  unsigned state = 12345;
  for (int i = 0; i < 200; ++i) {
    const int datagram = socket(to->sa_family, SOCK_DGRAM, 0);
    std::string octets = garbage(state, static_cast<std::size_t>(i) * 7);
    if (!octets.empty()) octets[0] = static_cast<char>(i % 8);
    sendto(datagram, octets.data(), octets.size(), 0, to, size);
    close(datagram);
  }
  for (int i = 0; i < 20; ++i) {
    const int connection = socket(to->sa_family, SOCK_STREAM, 0);
    if (connect(connection, to, size) == 0) {
      const std::string octets = garbage(state, 500);
      static_cast<void>(!send(connection, octets.data(), octets.size(), MSG_NOSIGNAL));
    }
    close(connection);
  }
}

TEST_F(ProtocolKit, GoesOnServingAfterGarbageOnTheWire) {
  if (const auto file = socket_file(server_.reference())) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    file->copy(address.sun_path, sizeof address.sun_path - 1);
    send_garbage(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    const auto [host, port] = host_and_port(server_.reference().profiles.front().address);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    send_garbage(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_EQ(*call("echo", "still here"), "still here");
}

TEST_F(ProtocolKit, FailsCallsToNobodyWithUnavailable) {
  Reference nobody = server_.reference();
  const bool is_file = socket_file(nobody).has_value();
  for (auto& profile : nobody.profiles) {
    if (is_file)
      profile.address += "9";
    else
      profile.address = at_port(profile.address, 9);
  }
  auto target = client_.kernel().capsule().resolve(nobody.text());
  ASSERT_TRUE(target) << target.error().text();
  const auto reply = call(**target, "echo", "x", seconds(15));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable) << reply.error().text();
}

TEST_F(ProtocolKit, UnloadsWithCallsInFlight) {
  Ends ends;
  for (int i = 0; i < 50; ++i)
    start_call(*target_, client_.clock(), "waits", "300", seconds(20), ends);
  for (int i = 0; i < 50; ++i)
    start_call(*target_, client_.clock(), "waits", "never", seconds(20), ends);
  ASSERT_TRUE(waiting::until([&] { return server_.servant->waiting >= 100; }));
  const auto effects = server_.capsule.kernel().unload(ModuleKind::kProtocol, plugin, Unload::kNow);
  ASSERT_TRUE(effects) << effects.error().text();
  ASSERT_TRUE(ends.wait(100, seconds(15)));
  EXPECT_GE(ends.ok(), 50U) << "what could end within the grace did";
  EXPECT_EQ(ends.ok() + ends.by_code()[Code::kUnavailable] + ends.by_code()[Code::kCancelled],
            100U);
  EXPECT_FALSE(call("echo", "x", seconds(10)));
}

TEST_F(ProtocolKit, AnnouncesToAMulticastGroupWhereItCan) {
  KitCapsule member("member");
  ASSERT_TRUE(member.kernel().load_types(source_path("tests/kits/kit.hector.yaml")));
  auto made = std::make_unique<EchoServant>(member.executor(), member.clock());
  auto* servant = made.get();
  ASSERT_TRUE(member.kernel().adopt_object("echo", *member.kernel().interface("kit.Echo/1"),
                                           std::move(made), ThreadModel::kPooled, true));
  const std::vector<std::string> listen{"239.255.77.7:" +
                                        std::to_string(20'000 + getpid() % 20'000)};
  const auto loaded = member.load(ModuleKind::kProtocol, plugin, &listen);
  if (!loaded) {
    // A multicast cannot be encrypted for each of its receivers.
    if (std::getenv("HECTOR_KIT_REALM") == nullptr) {
      EXPECT_NE(plugin, "udp") << loaded.error().text();
    }
    return;  // a protocol without multicast groups does not understand the address
  }
  auto sent = client_.kernel().announce_to_group(plugin, listen.front(), "echo", "kit.Echo", "note",
                                                 Payload(Bytes::copy(std::string(5'000, 'm'))));
  if (!sent && sent.error().code == Code::kUnimplemented) return;  // it has none, and says so
  ASSERT_TRUE(sent) << sent.error().text();
  const auto notes = servant->notes(1);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes.front().size(), 5'000U);
}

/// Runs this program again as a server of its own; its reference comes through a pipe.
class ChildServer {
 public:
  ChildServer() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], 1);
      close(ends[0]);
      execl("/proc/self/exe", "protocol_kit", plugin.c_str(), "--serve", nullptr);
      _exit(127);
    }
    close(ends[1]);
    char buffer[8'192];
    std::string text;
    for (ssize_t got = 0;
         text.find('\n') == std::string::npos && (got = read(ends[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(got));
    close(ends[0]);
    reference_ = text.substr(0, text.find('\n'));
  }
  ~ChildServer() { kill_it(); }
  void kill_it() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] const std::string& reference() const { return reference_; }

 private:
  pid_t pid_ = 0;
  std::string reference_;
};

TEST_F(ProtocolKit, NoticesThatThePeerWasKilledInMidCall) {
  ChildServer child;
  ASSERT_TRUE(child.reference().starts_with("hector:")) << child.reference();
  auto target = client_.kernel().capsule().resolve(child.reference());
  ASSERT_TRUE(target) << target.error().text();
  ASSERT_EQ(*call(**target, "echo", "up", seconds(10)), "up");
  Ends ends;
  start_call(**target, client_.clock(), "waits", "never", seconds(12), ends);
  ASSERT_EQ(*call(**target, "echo", "behind it", seconds(10)), "behind it");
  const auto before = client_.clock().now();
  child.kill_it();
  ASSERT_TRUE(ends.wait(1, seconds(15)));
  const auto codes = ends.by_code();
  EXPECT_EQ(codes.count(Code::kUnavailable), 1U)
      << (codes.empty() ? "ok" : std::string(code_name(codes.begin()->first)));
  RecordProperty(
      "noticed_after_ms",
      static_cast<int>(
          std::chrono::duration_cast<milliseconds>(client_.clock().now() - before).count()));
}

/// A process that reads the flow `count` of an Object here: some messages, then no more.
class ChildReader {
 public:
  ChildReader(const std::string& reference, const std::string& messages) {
    int ends[2];
    if (pipe(ends) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], 1);
      close(ends[0]);
      execl("/proc/self/exe", "protocol_kit", plugin.c_str(), "--read", reference.c_str(),
            messages.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    char octet = 0;
    has_read_ = read(ends[0], &octet, 1) == 1;
    close(ends[0]);
  }
  ~ChildReader() { kill_it(); }
  void signal_it(int number) const { ::kill(pid_, number); }
  void kill_it() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  /// Of its own accord.
  void wait_for_its_end() { waitpid(std::exchange(pid_, 0), nullptr, 0); }
  [[nodiscard]] bool has_read() const { return has_read_; }

 private:
  pid_t pid_ = 0;
  bool has_read_ = false;
};

/// As long as the slowest protocol takes to count a silent peer as dead, and as much again.
constexpr auto kNoticed = seconds(25);
/// Messages of `count` have 2 KB: 24 MB, more than any window.
constexpr int kUnreadMax = 12'000;

TEST_F(ProtocolKit, AWriterLearnsThatItsReaderWasKilled) {
  for (const char* messages : {"for ever", "3"}) {
    const int before = server_.servant->cancelled;
    ChildReader reader(server_.reference().text(), messages);
    ASSERT_TRUE(reader.has_read()) << messages;
    reader.kill_it();
    EXPECT_TRUE(waiting::until([&] { return server_.servant->cancelled > before; }, kNoticed))
        << messages;
  }
}

TEST_F(ProtocolKit, AWriterLearnsThatItsReaderHasLeftInOrder) {
  ChildReader reader(server_.reference().text(), "leaves");
  ASSERT_TRUE(reader.has_read());
  reader.wait_for_its_end();
  EXPECT_TRUE(waiting::until([&] { return server_.servant->cancelled > 0; }, kNoticed));
}

TEST_F(ProtocolKit, AReaderThatHoldsStillTakesNoMemoryAndKeepsNobodyWaiting) {
  std::vector<std::unique_ptr<ChildReader>> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(std::make_unique<ChildReader>(server_.reference().text(), "for ever"));
    ASSERT_TRUE(readers.back()->has_read());
    readers.back()->signal_it(SIGSTOP);
  }
  waiting::spend(milliseconds(500), "the writers fill what the windows let them");
  const int written = server_.servant->written;
  const auto began = client_.clock().now();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(*call("echo", "on"), "on");
  EXPECT_LT(client_.clock().now() - began, seconds(2));
  EXPECT_LT(server_.servant->written - written, kUnreadMax) << "they go on although nobody reads";
  for (auto& each : readers) each->kill_it();
  EXPECT_TRUE(waiting::until([&] { return server_.servant->cancelled >= 3; }, kNoticed));
}

/// Reads that many messages, or all of them; then holds still until it is killed, or leaves.
int read_flow(const std::string& reference, const std::string& messages) {
  alarm(60);  // it is killed; if not, SIGALRM ends it
  KitCapsule capsule("reader");
  Ends ends;
  std::shared_ptr<Stream> stream;
  if (!capsule.kernel().load_types(source_path("tests/kits/kit.hector.yaml"))) return 1;
  if (!capsule.load(ModuleKind::kProtocol, plugin)) return 1;
  auto target = capsule.kernel().capsule().resolve(reference);
  if (!target) return 1;
  start_call(**target, capsule.clock(), "count", "1000000000", seconds(600), ends, &stream);
  if (!stream) return 1;
  const bool has_end = messages != "for ever";
  const int last = messages == "leaves" ? 3 : std::atoi(messages.c_str());
  for (int read = 0; !has_end || read < last; ++read) {
    auto promise = std::make_shared<std::promise<bool>>();
    stream->read([promise](const Result<std::optional<Payload>>& message) {
      promise->set_value(message.has_value() && message->has_value());
    });
    if (!promise->get_future().get()) return 1;
    if (read == 2) static_cast<void>(write(1, "r", 1));
  }
  if (messages != "leaves") pause();
  return 0;
}

int serve() {
  Server server("child");
  if (auto started = server.start(); !started) {
    fprintf(stderr, "%s\n", started.error().text().c_str());
    return 1;
  }
  printf("%s\n", server.reference().text().c_str());
  fflush(stdout);
  alarm(60);  // it is killed; if not, SIGALRM ends it
  pause();
  return 0;
}

constexpr int kSkipped = 77;  ///< as ctest is told

/// The same between capsules of one realm, each with its own identity.
int run_secured() {
  std::string folder = "/tmp/hector-kit-XXXXXX";
  HECTOR_CHECK(mkdtemp(folder.data()) != nullptr, "no folder can be made");
  const std::string realm = folder + "/realm";
  const identity::Instant now{std::time(nullptr), 0};
  HECTOR_CHECK(identity::Realm::make({realm, "kit.example"}, now).has_value(), "no realm is made");
  setenv("HECTOR_KIT_REALM", realm.c_str(), 1);
  int result = kSkipped;
  const bool is_able = [] {
    KitCapsule capsule("able");
    const auto loaded = capsule.load(ModuleKind::kProtocol, plugin);
    if (!loaded) printf("%s\n", loaded.error().text().c_str());
    return loaded.has_value();
  }();
  if (is_able) {
    testing::GTEST_FLAG(filter) = testing::GTEST_FLAG(filter) + ":-WorldKit.*";
    result = RUN_ALL_TESTS();
  }
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace
}  // namespace hector::kits

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    fprintf(stderr, "usage: protocol_kit PROTOCOL\n");
    return 2;
  }
  hector::kits::plugin = argv[1];
  if (argc > 2 && std::string(argv[2]) == "--serve") return hector::kits::serve();
  if (argc > 4 && std::string(argv[2]) == "--read")
    return hector::kits::read_flow(argv[3], argv[4]);
  if (argc > 2 && std::string(argv[2]) == "--secured") return hector::kits::run_secured();
  // A protocol whose endpoints have no address carries no channels: it is a world of objects of its
  // own, and has its own part of the kit.
  testing::GTEST_FLAG(filter) =
      hector::kits::is_world() ? "WorldKit.*" : testing::GTEST_FLAG(filter) + ":-WorldKit.*";
  return RUN_ALL_TESTS();
}
