// How Objects are made and ended: two of one name at a time, constructors that fail, calls that do
// not end.
#include "capsule/object_lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <thread>

#include "hector/kernel.h"
#include "simulation.h"

namespace hector {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kType = R"(interface: t.Scripted/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
)";

/// What the template's Objects do, as each test has it.
struct Script {
  std::function<Status()> make = [] { return Status(); };
  std::function<void(Call&, Capsule&)> handle = [](Call& call, Capsule&) { call.complete(); };
};

class ScriptedServant final : public Servant {
 public:
  ScriptedServant(const Script& script, Capsule& capsule) : script_(script), capsule_(capsule) {}
  void invoke(Call& call) noexcept override { script_.handle(call, capsule_); }

 private:
  const Script& script_;
  Capsule& capsule_;
};

class ScriptedCode final : public TemplateCode {
 public:
  explicit ScriptedCode(const Script& script) : script_(script) {
    info_.name = "t.Scripted.test";
    info_.interface_id = "t.Scripted/1";
    info_.thread = ThreadModel::kPooled;
    info_.type_yaml = kType;
  }
  const TemplateInfo& info() const noexcept override { return info_; }
  Result<std::unique_ptr<Servant>> instantiate(Capsule& capsule, InterfacePtr,
                                               const std::string&) override {
    HECTOR_TRY(script_.make());
    return std::make_unique<ScriptedServant>(script_, capsule);
  }

 private:
  const Script& script_;
  TemplateInfo info_;
};

class ScriptedLanguage final : public Language {
 public:
  explicit ScriptedLanguage(const Script& script) : script_(script) {}
  const std::vector<std::string>& formats() const noexcept override { return formats_; }
  Result<std::unique_ptr<TemplateCode>> load(const std::string&) override {
    return std::make_unique<ScriptedCode>(script_);
  }

 private:
  const Script& script_;
  const std::vector<std::string> formats_{".scripted"};
};

class Objects : public ::testing::Test {
 protected:
  void SetUp() override {
    KernelOptions options;
    options.capsule = "c";
    options.clock = &world_;
    options.random = &world_;
    options.executor = &world_;
    options.network = network_.get();
    options.log = &world_;
    options.drain_grace = {};  // the simulated clock stands still while a host retires
    kernel_ = Kernel::make(options);
    ASSERT_TRUE(kernel_->add_language("scripted", std::make_unique<ScriptedLanguage>(script_)));
    const std::string path = ::testing::TempDir() + "objects.scripted";
    std::ofstream(path) << "script";
    const auto loaded = kernel_->load_template(path);
    ASSERT_TRUE(loaded) << loaded.error().text();
  }
  Result<Reference> create(const std::string& name) {
    CreateOptions options;
    options.template_name = "t.Scripted.test";
    options.name = name;
    return kernel_->create_object(options);
  }
  bool answers(const std::string& name) {
    const auto target = kernel_->capsule().resolve(name);
    if (!target) return false;
    const auto is_answered = std::make_shared<bool>(false);  // a call that is kept ends later
    auto& call = CallbackCall::make([is_answered](Call& ended) { *is_answered = !ended.error; });
    call.header.operation_name = "ask";
    call.header.operation = kByName;
    (*target)->start(call);
    return *is_answered;
  }

  testing::Simulation world_{1};
  std::unique_ptr<Network> network_ = world_.host("10.0.0.1");
  Script script_;
  std::unique_ptr<Kernel> kernel_;
};

TEST_F(Objects, SecondOfOneNameIsRefusedWhileTheFirstIsMade) {
  std::promise<void> entered, released;
  script_.make = [&] {
    entered.set_value();
    released.get_future().wait();
    return Status();
  };
  Result<Reference> first = fail(Code::kUnknown, "");
  std::thread maker([&] { first = create("o"); });
  entered.get_future().wait();
  const auto second = create("o");
  released.set_value();
  maker.join();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  EXPECT_TRUE(first) << first.error().text();
  EXPECT_TRUE(answers("o")) << "the first is not touched by the second's failure";
}

TEST_F(Objects, NameIsFreeAfterAConstructorThatFails) {
  script_.make = [] { return Status(fail(Code::kAborted, "not today")); };
  EXPECT_EQ(create("o").error().code, Code::kAborted);
  EXPECT_FALSE(answers("o"));
  script_.make = [] { return Status(); };
  EXPECT_TRUE(create("o"));
  EXPECT_TRUE(answers("o"));
}

TEST_F(Objects, ThoseKeptHaveTheirHandleWhenTheNextOfTheNameComes) {
  Call* held = nullptr;
  Capsule* handle = nullptr;
  script_.handle = [&](Call& call, Capsule& capsule) {
    held = &call.defer();
    handle = &capsule;
  };
  ASSERT_TRUE(create("o"));
  EXPECT_FALSE(answers("o")) << "its call does not end";
  ASSERT_NE(held, nullptr);
  ASSERT_TRUE(kernel_->delete_object("o"));
  script_.handle = [](Call& call, Capsule&) { call.complete(); };
  ASSERT_TRUE(create("o"));
  EXPECT_TRUE(answers("o"));
  EXPECT_EQ(handle->object_name(), "o") << "the code that still runs uses its own handle";
  const auto unloaded = kernel_->unload_template("t.Scripted.test", Unload::kDryRun);
  ASSERT_FALSE(unloaded);
  EXPECT_EQ(unloaded.error().reasons.size(), 2U) << "the kept one and the next one";
  held->complete();
}

TEST_F(Objects, TemplateIsHeldByItsObjectsUntilTheyAreDeleted) {
  ASSERT_TRUE(create("o"));
  const auto held = kernel_->unload_template("t.Scripted.test", Unload::kNow);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(held.error().reasons, Contains("Object o"));
  const auto language = kernel_->unload(ModuleKind::kLanguage, "scripted", Unload::kDryRun);
  ASSERT_FALSE(language);
  EXPECT_THAT(language.error().reasons, Contains(HasSubstr("t.Scripted.test has 1 Objects")));
  ASSERT_TRUE(kernel_->delete_object("o"));
  EXPECT_TRUE(kernel_->unload_template("t.Scripted.test", Unload::kDryRun))
      << "a dry run changes nothing";
  EXPECT_TRUE(kernel_->unload_template("t.Scripted.test", Unload::kNow));
  EXPECT_EQ(create("o").error().code, Code::kNotFound);
}

TEST_F(Objects, NamesOfTheKernelsOwnAndOfPathsAreRefused) {
  for (const char* name : {"", "_management", "a/b", "a b", "a.b"})
    EXPECT_EQ(create(name).error().code, Code::kInvalidArgument) << name;
}

TEST_F(Objects, DeletingTwiceSaysThatThereIsNone) {
  ASSERT_TRUE(create("o"));
  ASSERT_TRUE(kernel_->delete_object("o"));
  EXPECT_EQ(kernel_->delete_object("o").error().code, Code::kNotFound);
  EXPECT_EQ(kernel_->delete_object("_management").error().code, Code::kNotFound);
}

TEST_F(Objects, SeeTheirCallerAlsoAfterItsTargetIsGone) {
  std::vector<Call*> calls;
  script_.handle = [&](Call& call, Capsule&) { calls.push_back(&call.defer()); };
  ASSERT_TRUE(create("o"));
  auto first = kernel_->capsule().resolve("o"), second = kernel_->capsule().resolve("o");
  for (const auto* target : {&first, &second}) {
    ASSERT_TRUE(*target);
    auto& call = CallbackCall::make([](Call&) {});
    call.header.operation_name = "ask";
    (**target)->start(call);
  }
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0]->peer, calls[1]->peer) << "the caller is the capsule's, not its target's";
  first->reset();
  second->reset();
  for (auto* const call : calls) {
    EXPECT_EQ(call->peer->address, "c");
    call->complete();
  }
}

}  // namespace
}  // namespace hector
