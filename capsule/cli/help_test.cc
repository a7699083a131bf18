// What: what is said about words that are no command, no option, or one too many.
// Why: people mistype; the right word is near.
// Who: cli_test.
#include "cli/help.h"

#include <gtest/gtest.h>

namespace hector {

namespace {

/// What is said about these words; "" if nothing is wrong.
std::string said(const std::string& words) {
  CLI::App app{"", "hector"};
  app.require_subcommand(1);
  app.fallthrough();
  std::string capsule, kind;
  app.add_option("--capsule,-c", capsule);
  app.add_subcommand("get")->add_option("kind", kind)->required();
  auto* const type = app.add_subcommand("type");
  type->require_subcommand(1);
  for (const char* name : {"check", "conforms", "draw"}) type->add_subcommand(name);
  try {
    app.parse(words, false);
  } catch (const CLI::ParseError& error) {
    return usage_mistake(app, error);
  }
  return "";
}

TEST(UsageMistake, NamesTheNearestCommand) {
  EXPECT_EQ(said("gett objects"),
            "unknown command 'hector gett' (did you mean 'get'?); there are get, type");
  EXPECT_EQ(said("-c north gte objects"),
            "unknown command 'hector gte' (did you mean 'get'?); there are get, type");
  EXPECT_EQ(said("type chek a.yaml"),
            "unknown command 'hector type chek' (did you mean 'check'?); there are check, "
            "conforms, draw");
  EXPECT_EQ(said("zzzzzz"), "unknown command 'hector zzzzzz'; there are get, type");
}

TEST(UsageMistake, NamesTheNearestOption) {
  EXPECT_EQ(said("get objects --capsul north"),
            "`hector get` has no option '--capsul' (did you mean '--capsule'?); `hector help get` "
            "says more");
  EXPECT_EQ(said("get objects -w"), "`hector get` has no option '-w'; `hector help get` says more");
  EXPECT_EQ(said("get objects --capsul=north").substr(0, 57),
            "`hector get` has no option '--capsul' (did you mean '--ca");
}

TEST(UsageMistake, SaysWhatIsMissingOrTooMuch) {
  EXPECT_EQ(said(""), "`hector` needs a command: get, type; `hector help` says more");
  EXPECT_EQ(said("type"),
            "`hector type` needs a command: check, conforms, draw; `hector help type` says more");
  EXPECT_EQ(said("get objects ana"),
            "'ana' is one word too many for `hector get`; `hector help get` says more");
  EXPECT_EQ(said("get"), "kind is required; `hector help get` says more");
  EXPECT_EQ(said("get objects"), "");
}

TEST(FindCommand, FollowsTheWords) {
  CLI::App app{"", "hector"};
  auto* const type = app.add_subcommand("type");
  auto* const check = type->add_subcommand("check");
  EXPECT_EQ(find_command(app, {}), &app);
  EXPECT_EQ(find_command(app, {"type", "check"}), check);
  EXPECT_EQ(find_command(app, {"type", "chek"}), nullptr);
  EXPECT_EQ(unknown_command(app, {"type", "chek"}),
            "unknown command 'hector type chek' (did you mean 'check'?); there are check");
}

}  // namespace

}  // namespace hector
