// What: LanguageKit, what every language plugin must do, by its template kit/kit.* of the Interface
// kit.Language/1. Why: Objects of all languages behave alike. Who: ctest runs it for each folder in
// languages/; `language_kit NAME` by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "kits/kit_capsule.h"

namespace hector::kits {

std::string plugin;  // NOLINT: the program's argument

namespace {

using std::chrono::seconds;

/// kit.Data by hand: field 1, octets.
std::string data(const std::string& text) {
  std::string out = "\x0a";
  for (std::size_t size = text.size();; size >>= 7) {
    out += static_cast<char>(size < 0x80 ? size : (size & 0x7f) | 0x80);
    if (size < 0x80) break;
  }
  return text.empty() ? "" : out + text;
}
std::string text(std::string_view octets) {
  if (octets.empty()) return "";
  std::size_t at = 1;
  while (static_cast<unsigned char>(octets[at]) >= 0x80) ++at;
  return std::string(octets.substr(at + 1));
}

class LanguageKit : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(capsule_.load(ModuleKind::kLanguage, plugin));
    ASSERT_TRUE(capsule_.kernel().load_types(source_path("tests/kits/language.hector.yaml")));
    const auto manifest = *capsule_.loader().find(ModuleKind::kLanguage, plugin);
    for (const auto& entry : std::filesystem::directory_iterator(manifest.folder + "/kit")) {
      if (entry.path().stem() == "kit" && entry.path().extension() != ".proto")
        file_ = entry.path().string();
    }
    const auto loaded = capsule_.kernel().load_template(file_);
    ASSERT_TRUE(loaded) << loaded.error().text();
    template_ = *loaded;
    for (const char* name : {"one", "two"}) {
      const auto created = capsule_.kernel().create_object({template_, name, "{}", {}});
      ASSERT_TRUE(created) << created.error().text();
    }
    target_ = *capsule_.kernel().capsule().resolve("one");
  }
  Result<std::string> call(const std::string& operation, const std::string& request,
                           Metadata metadata = {}, Duration timeout = seconds(10)) {
    WaitedCall made;
    made.header.operation_name = operation;
    made.header.deadline = capsule_.clock().now() + timeout;
    made.header.metadata = std::move(metadata);
    made.request = Payload(Bytes::copy(data(request)));
    made.run(*target_, capsule_.clock());
    if (made.error) return fail(*made.error);
    return text(made.reply.bytes().view());
  }

  KitCapsule capsule_{"kit"};
  std::string file_, template_;
  std::unique_ptr<Target> target_;
};

TEST_F(LanguageKit, HandlesRequestsOfAnySize) {
  EXPECT_EQ(*call("echo", ""), "");
  EXPECT_EQ(*call("echo", "hello"), "hello");
  const std::string large(4 * 1024 * 1024, 'x');
  EXPECT_TRUE(*call("echo", large) == large);
}

TEST_F(LanguageKit, RaisesDeclaredErrorsWithTheirMessage) {
  const auto reply = call("fails", "why");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kAborted);
  EXPECT_EQ(reply.error().message, "it had to be");
  EXPECT_EQ(reply.error().type, "kit.Data");
  EXPECT_EQ(text(reply.error().detail), "why");
}

TEST_F(LanguageKit, MakesErrorsOfItsExceptions) {
  const auto reply = call("crashes", "x");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnknown);
  EXPECT_EQ(reply.error().message, "thrown: x");
  EXPECT_FALSE(reply.error().type.empty());
  EXPECT_EQ(*call("echo", "alive"), "alive");
}

TEST_F(LanguageKit, MakesAnErrorOfWhatIsThrownWithoutAText) {
  EXPECT_FALSE(call("crashes", "without a text"));
  EXPECT_EQ(*call("echo", "alive"), "alive");
}

TEST_F(LanguageKit, MayAnswerLater) { EXPECT_EQ(*call("slow", ""), "slow"); }

TEST_F(LanguageKit, TellsAnOperationThatItsCallerIsOutOfTime) {
  const TimePoint begin = capsule_.clock().now();
  const auto reply = call("waits", "", {}, std::chrono::milliseconds(100));
  EXPECT_TRUE(!reply || *reply == "late") << *reply;
  const auto notes = [&] { return call("notes", "").value_or(""); };
  while (notes().empty() && capsule_.clock().now() < begin + seconds(10)) {
  }
  EXPECT_EQ(notes(), "cancelled");
}

TEST_F(LanguageKit, HandlesAnnouncementsInOrder) {
  for (const char* letter : {"a", "b", "c"}) EXPECT_TRUE(call("note", letter));
  EXPECT_EQ(*call("notes", ""), "abc");
}

TEST_F(LanguageKit, CallsOtherObjectsAndSeesTheirErrors) {
  EXPECT_EQ(*call("asks", "two"), "ABORTED kit.Data");
}

TEST_F(LanguageKit, KnowsItselfItsCallerMetadataAndDeadline) {
  EXPECT_EQ(*call("who", "", {{"colour", "green"}}),
            "one called by capsule:kit with green in time");
}

TEST_F(LanguageKit, ServesManyCallersAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> ok{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) ok += call("echo", "x").value_or("") == "x" ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ok, 400);
}

/// Starts a flow, writes what is given, collects what comes.
struct FlowRun {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> read;
  bool read_over = false;
  bool ended = false;
  std::optional<Error> error;
  std::string reply;
};

TEST_F(LanguageKit, HandlesFlowsOfEveryKind) {
  const auto run = [&](const std::string& operation, const std::string& request,
                       const std::vector<std::string>& writes) {
    auto result = std::make_shared<FlowRun>();
    auto& made = CallbackCall::make([result](Call& ended) {
      const std::lock_guard lock(result->mutex);
      result->ended = true;
      if (ended.error) result->error = *ended.error;
      result->reply = text(ended.reply.bytes().view());
      result->changed.notify_all();
    });
    made.header.operation_name = operation;
    made.header.deadline = capsule_.clock().now() + seconds(10);
    made.request = Payload(Bytes::copy(data(request)));
    std::shared_ptr<Stream> stream;
    made.stream_out = &stream;
    target_->start(made);
    std::function<void()> read = [&] {
      stream->read([&, result](Result<std::optional<Payload>> message) {
        {
          const std::lock_guard lock(result->mutex);
          if (!message || !*message) {
            result->read_over = true;
            result->changed.notify_all();
            return;
          }
          result->read.push_back(text((*message)->bytes().view()));
        }
        capsule_.executor().post([&] { read(); });
      });
    };
    if (operation != "sum") read();
    for (const auto& each : writes)
      stream->write(Payload(Bytes::copy(data(each))), [](const Status&) {});
    if (operation != "count") stream->close_write();
    std::unique_lock lock(result->mutex);
    EXPECT_TRUE(result->changed.wait_for(lock, seconds(10), [&] {
      return result->ended && (operation == "sum" || result->read_over);
    })) << operation;
    EXPECT_FALSE(result->error) << result->error->text();
    return result;
  };
  EXPECT_THAT(run("count", "5", {})->read, testing::ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(run("sum", "", {"1", "20", "300"})->reply, "321");
  EXPECT_THAT(run("chat", "", {"a", "b"})->read, testing::ElementsAre("a", "b"));
}

TEST_F(LanguageKit, RefusesAnObjectWhoseConstructorRefuses) {
  const auto created =
      capsule_.kernel().create_object({template_, "three", "{\"refuse\": true}", {}});
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error().message, testing::HasSubstr("told to refuse"));
  EXPECT_TRUE(capsule_.kernel().create_object({template_, "three", "{}", {}}))
      << "nothing was left";
}

TEST_F(LanguageKit, RefusesFilesThatAreNoTemplates) {
  const std::string ending = std::filesystem::path(file_).extension().string();
  const std::string path = testing::TempDir() + "/nothing" + ending;
  FILE* file = fopen(path.c_str(), "w");
  fputs("this is ( no template", file);
  fclose(file);
  const auto loaded = capsule_.kernel().load_template(path);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
  EXPECT_THAT(loaded.error().message, testing::HasSubstr(path));
}

TEST_F(LanguageKit, UnloadsOnlyWhenNothingOfItIsLeft) {
  auto unloaded = capsule_.kernel().unload(ModuleKind::kLanguage, plugin, Unload::kNow);
  ASSERT_FALSE(unloaded);
  EXPECT_EQ(unloaded.error().code, Code::kFailedPrecondition);
  target_.reset();
  EXPECT_TRUE(capsule_.kernel().delete_object("one"));
  EXPECT_TRUE(capsule_.kernel().delete_object("two"));
  unloaded = capsule_.kernel().unload(ModuleKind::kLanguage, plugin, Unload::kDryRun);
  ASSERT_TRUE(unloaded);
  EXPECT_THAT(*unloaded, testing::Contains(testing::HasSubstr("would be unloaded")));
  EXPECT_TRUE(capsule_.kernel().unload(ModuleKind::kLanguage, plugin, Unload::kNow));
}

}  // namespace
}  // namespace hector::kits

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) {
    fprintf(stderr, "usage: language_kit LANGUAGE\n");
    return 2;
  }
  hector::kits::plugin = argv[1];
  return RUN_ALL_TESTS();
}
