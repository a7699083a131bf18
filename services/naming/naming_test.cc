// Composite names as XFN has them: N1 to N5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "changes.h"
#include "hector/system.h"
#include "name.h"

namespace hector::naming {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> parse(std::string_view text) {
  auto read = parse_name(text);
  return read ? *read : std::vector<std::string>{read.error().message};
}

TEST(Name, N1_SeparatorsMakeOneComponentMoreThanTheyAre) {
  EXPECT_THAT(parse("a/b/c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(parse("a/"), ElementsAre("a", ""));
  EXPECT_THAT(parse("/a"), ElementsAre("", "a"));
  EXPECT_THAT(parse("a//b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(parse("/"), ElementsAre("", ""));
  EXPECT_THAT(parse("//"), ElementsAre("", "", ""));
  EXPECT_THAT(parse(""), ElementsAre(""));
}
TEST(Name, N2_QuotesSpanAComponentAndBackslashesEscapeWhatCounts) {
  EXPECT_THAT(parse("\"a/b/c\"/d"), ElementsAre("a/b/c", "d"));
  EXPECT_THAT(parse("'a\\/b'/c"), ElementsAre("a\\/b", "c"));
  EXPECT_THAT(parse("a\\b\\c/d"), ElementsAre("a\\b\\c", "d"));
  EXPECT_THAT(parse("a\\b\\/c"), ElementsAre("a\\b/c"));
  EXPECT_THAT(parse("a\\\\b/c"), ElementsAre("a\\b", "c"));
}
TEST(Name, N3_QuotesInsideAreWhatTheyAre) {
  EXPECT_THAT(parse("a'b/c"), ElementsAre("a'b", "c"));
  EXPECT_THAT(parse("\"a\\\"b\"/c"), ElementsAre("a\"b", "c"));
  EXPECT_THAT(parse("\\\"a/b/c"), ElementsAre("\"a", "b", "c"));
  EXPECT_THAT(parse("a/\\\"b"), ElementsAre("a", "\"b"));
}
TEST(Name, WhatIsNoNameIsRefusedWithItsColumn) {
  EXPECT_THAT(parse("a/\"b/c"),
              ElementsAre(HasSubstr("ILLEGAL_NAME: column 3: this quote is not closed")));
  EXPECT_THAT(parse("'a'b/c"), ElementsAre(HasSubstr("column 4: after the closing quote")));
  EXPECT_THAT(parse(std::string(5'000, 'a')), ElementsAre(HasSubstr("4096 octets")));
  EXPECT_EQ(parse_name("'").error().type, "ILLEGAL_NAME");
}
TEST(Name, N5_WhatIsPrintedIsReadBack) {
  const char* given = std::getenv("HECTOR_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::mt19937_64 random(seed);
  constexpr char kCharacters[] = {'/', '\\', '\'', '"', 'a', ' ', '.', '\n'};
  for (int i = 0; i < 1'000'000; ++i) {
    std::vector<std::string> components(1 + random() % 4);
    for (auto& component : components) {
      for (auto length = random() % 5; length > 0; --length)
        component += kCharacters[random() % std::size(kCharacters)];
    }
    const std::string text = print_name(components);
    const auto back = parse_name(text);
    ASSERT_TRUE(back) << back.error().message << ", HECTOR_SEED=" << seed;
    ASSERT_EQ(*back, components) << text << ", HECTOR_SEED=" << seed;
  }
}

/// Contexts and what is planned on them, with the store's part played here.
class Contexts : public ::testing::Test {
 protected:
  /// Commits if every compare of revisions holds.
  bool commit(const StoreTransaction& transaction) {
    for (const auto& compare : transaction.compares) {
      const auto known = modified_.find(compare.key);
      if ((known == modified_.end() ? 0 : known->second) != compare.number) return false;
    }
    ++revision_;
    for (const auto& operation : transaction.then) {
      StoreEvent event;
      const bool is_put = operation.kind == StoreOperation::Kind::kPut;
      event.kind = is_put ? StoreEvent::Kind::kPut : StoreEvent::Kind::kErase;
      event.entry.key = is_put ? operation.key : operation.range.from;
      event.entry.value = operation.value;
      event.entry.modified = revision_;
      if (is_put)
        modified_[event.entry.key] = revision_;
      else
        modified_.erase(event.entry.key);
      directory_.apply(event);
    }
    return true;
  }
  StoreTransaction bind(const std::string& name) {
    v1::NamingBind request;
    request.set_name(name);
    request.set_make_contexts(true);
    request.add_addresses()->set_type("a");
    return *changes_.bind(request, names_);
  }
  static v1::NamingName named(const std::string& name) {
    v1::NamingName request;
    request.set_name(name);
    return request;
  }
  bool is_bound(const std::string& name) {
    const auto place = names_.resolve(name);
    return place && place->entry != nullptr;
  }

  std::unique_ptr<Random> random_ = make_system_random();
  Directory directory_;
  Changes changes_{directory_, *random_};
  AskedNames names_{{}, [this](const std::string& name) {
                      return directory_.resolve(*parse_name(name), {}, Directory::LastLink::kKeep);
                    }};
  std::map<std::string, Revision> modified_;
  Revision revision_ = 0;
};

TEST_F(Contexts, ANameThatIsBoundWhileItsContextIsDestroyedIsNotLost) {
  ASSERT_TRUE(commit(bind("a/x")));
  ASSERT_TRUE(commit(*changes_.unbind(named("a/x"), names_)));
  // Planned before the mark: it has to look again.
  const auto early = bind("a/early");
  ASSERT_TRUE(commit(*changes_.begin_destroy(named("a"), names_)));
  EXPECT_FALSE(commit(early));
  // Planned after the mark, committed before the second step that was planned with it.
  const auto late = bind("a/late");
  const auto second = *changes_.end_destroy(named("a"), names_);
  EXPECT_TRUE(commit(late));
  EXPECT_FALSE(commit(second)) << "the context is destroyed with a name that was acknowledged";
  EXPECT_TRUE(is_bound("a/late"));
  EXPECT_EQ(changes_.end_destroy(named("a"), names_).error().type, "CTX_NOT_EMPTY");
  // The other way round: what comes too late finds no context.
  ASSERT_TRUE(commit(*changes_.unbind(named("a/late"), names_)));
  ASSERT_TRUE(commit(*changes_.begin_destroy(named("a"), names_)));
  const auto lost = bind("a/lost");
  ASSERT_TRUE(commit(*changes_.end_destroy(named("a"), names_)));
  EXPECT_FALSE(commit(lost));
  EXPECT_FALSE(is_bound("a"));
}

}  // namespace
}  // namespace hector::naming
