#include "cli/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {

namespace {

using testing::ElementsAre;

struct Arguments {
  std::string name, form = "svg";
  std::vector<std::string> files, listen;
  std::uint32_t count = 0;
  bool is_dry_run = false;
};

/// A tree with two commands that keep what they were given.
class CommandTreeTest : public testing::Test {
 protected:
  CommandTreeTest() {
    using P = Parameter<Arguments>;
    app_.require_subcommand(1);
    tree_.group("type", "types");
    tree_.add<Arguments>({
        {"type draw",
         "a picture",
         {P{"name", &Arguments::name, "a type"}.required(),
          P{"--form", &Arguments::form, "how"}.checked(CLI::IsMember({"svg", "dot"})),
          {"--dry-run", &Arguments::is_dry_run},
          {"-n,--count", &Arguments::count}},
         [this](const CommandContext& context, const Arguments& a) {
           format_ = context.format;
           given_ = a;
           return 3;
         }},
        {"load",
         "modules",
         {P{"files", &Arguments::files}.separated_by(','),
          P{"--listen", &Arguments::listen}.repeated()},
         [this](const CommandContext&, const Arguments& a) {
           given_ = a;
           return 0;
         }},
    });
  }

  int run(const std::string& words) {
    app_.parse(words, false);
    return tree_.run();
  }

  CLI::App app_{"test"};
  CommandContext context_{.options = {}, .format = "json"};
  CommandTree tree_{app_, context_};
  std::string format_;
  Arguments given_;
};

TEST_F(CommandTreeTest, RunsTheChosenCommandWithItsArgumentsAndReturnsItsExitCode) {
  EXPECT_EQ(run("type draw diary.Meeting/1 --form dot --dry-run -n 7"), 3);
  EXPECT_EQ(given_.name, "diary.Meeting/1");
  EXPECT_EQ(given_.form, "dot");
  EXPECT_TRUE(given_.is_dry_run);
  EXPECT_EQ(given_.count, 7U);
  EXPECT_EQ(format_, "json");
}

TEST_F(CommandTreeTest, KeepsTheInitialValueOfWhatIsNotGiven) {
  EXPECT_EQ(run("type draw x"), 3);
  EXPECT_EQ(given_.form, "svg");
  EXPECT_FALSE(given_.is_dry_run);
}

TEST_F(CommandTreeTest, RefusesACommandWithoutARequiredParameter) {
  EXPECT_THROW(run("type draw"), CLI::RequiredError);
}

TEST_F(CommandTreeTest, RefusesAValueThatTheCheckDoesNotAllow) {
  EXPECT_THROW(run("type draw x --form png"), CLI::ValidationError);
}

TEST_F(CommandTreeTest, RefusesAGroupWithoutACommand) {
  EXPECT_THROW(run("type"), CLI::RequiredError);
}

TEST_F(CommandTreeTest, RefusesAnUnknownWord) {
  EXPECT_THROW(run("type draw x --colour red"), CLI::ExtrasError);
}

TEST_F(CommandTreeTest, SplitsAListAtItsDelimiter) {
  EXPECT_EQ(run("load a,b"), 0);
  EXPECT_THAT(given_.files, ElementsAre("a", "b"));
}

TEST_F(CommandTreeTest, TakesOneValueForEachRepetitionOfAnOption) {
  EXPECT_EQ(run("load --listen udp:1 --listen udp:2 file"), 0);
  EXPECT_THAT(given_.listen, ElementsAre("udp:1", "udp:2"));
  EXPECT_THAT(given_.files, ElementsAre("file"));
}

}  // namespace

}  // namespace hector
