// Composite names as XFN has them: N1 to N5.
#include <fmt/format.h>
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

/// Names that lead over links: what a refusal says of the link.
class Links : public Contexts {
 protected:
  enum class To : std::uint8_t { kLink, kNext };
  void bind_to(const std::string& name, const std::string& target, To to = To::kLink) {
    v1::NamingBind request;
    request.set_name(name);
    request.set_make_contexts(true);
    if (to == To::kLink)
      request.set_link(target);
    else
      request.set_next(target);
    ASSERT_TRUE(commit(*changes_.bind(request, names_))) << name;
  }
  /// As a store of another build may have it: bind refuses it.
  void store_link(const std::string& atom, const std::string& link) {
    v1::NamingBinding binding;
    binding.set_link(link);
    StoreEvent event;
    event.kind = StoreEvent::Kind::kPut;
    event.entry.key = "n/0/" + atom;
    event.entry.value = Bytes::take(binding.SerializeAsString());
    event.entry.modified = ++revision_;
    directory_.apply(event);
  }
  Result<Place> resolve(const std::string& name, const InitialNames& initial = {}) const {
    return directory_.resolve(*parse_name(name), initial, Directory::LastLink::kFollow);
  }
  static std::string said(const Error& error) {
    const auto status = status_of(error);
    if (!status) return error.message;
    return fmt::format("{} {}|{} link {} {}|{}", status->code(), status->resolved_name(),
                       status->remaining_name(), status->link_code(), status->link_resolved_name(),
                       status->link_remaining_name());
  }
  std::string refusal(const std::string& name, const InitialNames& initial = {}) const {
    const auto place = resolve(name, initial);
    return place ? "it leads on" : said(place.error());
  }
  /// Of a name that leads into another naming system, which says that about the rest.
  std::string refusal_behind(const std::string& name, const std::string& code,
                             const std::string& resolved, const std::string& remaining) const {
    const auto place = resolve(name);
    if (!place || place->kind != Place::Kind::kNext) return "it does not lead there";
    v1::NamingStatus status;
    status.set_code(code);
    status.set_resolved_name(resolved);
    status.set_remaining_name(remaining);
    return said(status_behind(*place, status_error(std::move(status), "theirs")));
  }
};

TEST_F(Links, ThatAreTooManySayWhichOneWasTheLast) {
  bind_to("self", "self");
  EXPECT_EQ(refusal("self"), "LINK_LOOP_LIMIT |self link LINK_LOOP_LIMIT |self");
  EXPECT_EQ(refusal("self/below"), "LINK_LOOP_LIMIT |self/below link LINK_LOOP_LIMIT |self");
  bind_to("a/there", "b/back");
  bind_to("b/back", "a/there");
  EXPECT_EQ(refusal("a/there/x"), "LINK_LOOP_LIMIT a|there/x link LINK_LOOP_LIMIT a|there");
  bind_to("c/near", "./near");
  EXPECT_EQ(refusal("c/near"), "LINK_LOOP_LIMIT c|near link LINK_LOOP_LIMIT .|near");
  ASSERT_TRUE(commit(bind("d/end")));
  bind_to("d/stay", "d");
  std::string many = "d";
  for (int i = 0; i < 16; ++i) many += "/stay";
  EXPECT_EQ(refusal(many + "/end"), "it leads on");
  EXPECT_EQ(refusal(many + "/stay/end"),
            "LINK_LOOP_LIMIT d|" + many.substr(2) + "/stay/end link LINK_LOOP_LIMIT |d")
      << "the last link is in the name itself";
  EXPECT_EQ(refusal("_me/self", {{"_me", {}}}),
            "LINK_LOOP_LIMIT _me|self link LINK_LOOP_LIMIT |self");
}

TEST_F(Links, ThatDoNotLeadOnSayHowFarTheyCame) {
  ASSERT_TRUE(commit(bind("a/b/leaf")));
  bind_to("missing", "a/no/further");
  EXPECT_EQ(refusal("missing"), "LINK_ERROR |missing link NAME_NOT_FOUND a|no/further");
  EXPECT_EQ(refusal("missing/x/y"), "LINK_ERROR |missing/x/y link NAME_NOT_FOUND a|no/further");
  bind_to("last", "a/b/no");
  EXPECT_EQ(refusal("last"), "LINK_ERROR |last link NAME_NOT_FOUND a/b|no");
  EXPECT_EQ(refusal("last/x"), "LINK_ERROR |last/x link NAME_NOT_FOUND a/b|no");
  bind_to("flat", "a/b/leaf/x");
  EXPECT_EQ(refusal("flat/y"), "LINK_ERROR |flat/y link NOT_A_CONTEXT a/b/leaf|x");
  bind_to("over", "last/more");
  EXPECT_EQ(refusal("over"), "LINK_ERROR |over link NAME_NOT_FOUND a/b|no") << "of the inner link";
  bind_to("good", "a/b");
  EXPECT_EQ(refusal("good/no/further"), "NAME_NOT_FOUND good|no/further link  |");
  EXPECT_EQ(refusal("good/leaf/x"), "NOT_A_CONTEXT good/leaf|x link  |");
  store_link("wrong", "'a");
  EXPECT_EQ(refusal("wrong/x"), "MALFORMED_LINK |wrong/x link MALFORMED_LINK |'a");
}

TEST_F(Links, ThatLeadIntoAnotherNamingSystemFailThereAsLinks) {
  bind_to("far", "dns:", To::kNext);
  bind_to("org/link", "far/com/example");
  EXPECT_EQ(refusal_behind("org/link", "NAME_NOT_FOUND", "com", "example"),
            "LINK_ERROR org|link link NAME_NOT_FOUND far/com|example");
  EXPECT_EQ(refusal_behind("org/link/www", "NAME_NOT_FOUND", "", "com/example/www"),
            "LINK_ERROR org|link/www link NAME_NOT_FOUND far|com/example");
  EXPECT_EQ(refusal_behind("org/link/www", "NAME_NOT_FOUND", "com/example", "www"),
            "NAME_NOT_FOUND org/link|www link  |")
      << "past the link, the name itself is wrong";
  EXPECT_EQ(refusal_behind("org/link", "CTX_UNAVAILABLE", "", "com/example"),
            "CTX_UNAVAILABLE org|link link CTX_UNAVAILABLE far|com/example")
      << "it may be asked again";
  EXPECT_EQ(refusal_behind("far/com", "NAME_NOT_FOUND", "", "com"),
            "NAME_NOT_FOUND far|com link  |");
  bind_to("twice", "org/link/www");
  EXPECT_EQ(refusal_behind("twice/x", "NAME_NOT_FOUND", "com", "example/www/x"),
            "LINK_ERROR |twice/x link NAME_NOT_FOUND far/com|example");
}

}  // namespace
}  // namespace hector::naming
