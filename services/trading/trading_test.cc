// The cases T1 to T15 of queries, an index against a scan, and what an offer's properties may be.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "offers.h"

namespace hector::trading {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Names_ = std::vector<std::string>;

class FixedRandom final : public Random {
 public:
  std::uint64_t next() noexcept override { return engine_(); }

 private:
  std::mt19937_64 engine_{7};
};

class Trading : public ::testing::Test {
 protected:
  void SetUp() override {
    type(
        R"(name: "P" properties {name: "name" type: "string" mode: TRADING_MANDATORY_READONLY} properties {name: "ppm" type: "long" mode: TRADING_MANDATORY}
         properties {name: "colour" type: "boolean"} properties {name: "floor" type: "long"} properties {name: "langs" type: "sequence<string>"})");
    offer("O1", "P",
          {{"name", "\"lp1\""},
           {"ppm", "10"},
           {"colour", "false"},
           {"floor", "1"},
           {"langs", "[\"ps\", \"pcl\"]"}});
    offer("O2", "P",
          {{"name", "\"lp2\""},
           {"ppm", "30"},
           {"colour", "true"},
           {"floor", "2"},
           {"langs", "[\"ps\"]"}});
    offer("O3", "P", {{"name", "\"hall\""}, {"ppm", "20"}, {"floor", "1"}});
  }
  /// Written as protobuf's text, which a test may.
  void type(const std::string& text) {
    v1::TradingType model;
    std::string name;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &model));
    put("t/" + model.name(), model.SerializeAsString());
  }
  void offer(const std::string& object, const std::string& type,
             const std::map<std::string, std::string>& properties) {
    v1::TradingOffer model;
    model.set_type(type);
    model.set_id(type + "#" + std::to_string(++number_));
    model.mutable_reference()->set_object(object);
    for (const auto& [name, value] : properties) (*model.mutable_properties())[name] = value;
    put("o/" + model.id(), model.SerializeAsString());
  }
  void put(const std::string& key, const std::string& value) {
    offers_.apply(
        {StoreEvent::Kind::kPut, {key, Bytes::copy(value), ++revision_, revision_, 1, 0}, {}});
  }
  void erase(const std::string& key) {
    offers_.apply({StoreEvent::Kind::kErase, {key, {}, 0, ++revision_, 0, 0}, {}});
  }
  Names_ query(std::string_view constraint, std::string_view preference = "", Cards cards = {},
               bool is_exact = false,
               expression::Undefined undefined = expression::Undefined::kKleene,
               const char* type = "P") {
    auto program = expression::compile_constraint(constraint, {.undefined = undefined});
    auto order = expression::compile_preference(preference, {.undefined = undefined});
    if (!program || !order) return {program ? order.error().text() : program.error().text()};
    last_ = offers_.query(offers_.scope(type, is_exact), *program, *order, cards, random_);
    Names_ names;
    for (const auto* found : last_.offers) {
      v1::TradingOffer model;
      EXPECT_TRUE(model.ParseFromArray(found->model.data(), static_cast<int>(found->model.size())));
      names.push_back(model.reference().object());
    }
    return names;
  }

  Offers offers_;
  FixedRandom random_;
  Answer last_;
  std::uint64_t number_ = 0;
  Revision revision_ = 0;
};

TEST_F(Trading, T1_RangesMembersAndSubstrings) {
  EXPECT_THAT(query("ppm >= 20"), ElementsAre("O2", "O3"));
  EXPECT_THAT(query("'ps' in langs"), ElementsAre("O1", "O2"));
  EXPECT_THAT(query("'p' ~ name"), ElementsAre("O1", "O2"));
}
TEST_F(Trading, T2_WhatIsNotThereIsNotFalse) {
  EXPECT_THAT(query("not colour"), ElementsAre("O1"));
  EXPECT_THAT(query("exist colour and not colour"), ElementsAre("O1"));
}
TEST_F(Trading, T4_BothRulesForWhatIsUndefined) {
  EXPECT_THAT(query("floor == 1 or colour"), ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(query("floor == 1 or colour", "", {}, false, expression::Undefined::kOmg),
              ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(query("colour or floor == 1"), ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(query("colour or floor == 1", "", {}, false, expression::Undefined::kOmg),
              ElementsAre("O1", "O2"));
}
TEST_F(Trading, T5_PrecedenceAndTheEmptyConstraint) {
  EXPECT_THAT(query("not colour and floor == 1"), ElementsAre("O1"));
  EXPECT_THAT(query("1 + 2 * 3 == 7"), ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(query(""), ElementsAre("O1", "O2", "O3"));
}
TEST_F(Trading, T6_MaxAndMin) {
  EXPECT_THAT(query("TRUE", "max ppm"), ElementsAre("O2", "O3", "O1"));
  EXPECT_THAT(query("TRUE", "min floor"), ElementsAre("O1", "O3", "O2"))
      << "equal ones in the order of export";
}
TEST_F(Trading, T7_WhatCannotBeRankedComesLast) {
  EXPECT_THAT(query("TRUE", "with colour"), ElementsAre("O2", "O1", "O3"));
  EXPECT_THAT(query("TRUE", "max colour"), ElementsAre("O2", "O1", "O3"));
  EXPECT_THAT(query("TRUE", "min colour"), ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(query("TRUE", "max 10 / (ppm - 20)"), ElementsAre("O2", "O1", "O3"));
}
TEST_F(Trading, T9_CardsCutWhereOmgSays) {
  EXPECT_THAT(query("TRUE", "max ppm", {UINT32_MAX, 1, UINT32_MAX}), ElementsAre("O1"))
      << "cut before ordering";
  EXPECT_THAT(last_.limits_applied, ElementsAre("match_card"));
  EXPECT_THAT(query("ppm >= 20", "", {2, UINT32_MAX, UINT32_MAX}), ElementsAre("O2"));
  EXPECT_THAT(last_.limits_applied, ElementsAre("search_card"));
  EXPECT_THAT(query("TRUE", "max ppm", {UINT32_MAX, UINT32_MAX, 2}), ElementsAre("O2", "O3"));
  EXPECT_THAT(query("TRUE", "", {3, 3, 3}), ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(last_.limits_applied, IsEmpty());
}
TEST_F(Trading, T14_ASignIsNoPartOfANumber) {
  EXPECT_THAT(query("ppm - 10 > 5"), ElementsAre("O2", "O3"));
  EXPECT_THAT(query("ppm-10>5"), ElementsAre("O2", "O3"));
}
TEST_F(Trading, T15_SubtypesAndMasks) {
  type(R"(name: "CP" supers: "P")");
  offer("O4", "CP", {{"name", "\"cp\""}, {"ppm", "5"}});
  EXPECT_THAT(query("TRUE"), ElementsAre("O1", "O2", "O3", "O4"));
  EXPECT_THAT(query("TRUE", "", {}, true), ElementsAre("O1", "O2", "O3"));
  EXPECT_THAT(query("TRUE", "min ppm"), ElementsAre("O4", "O1", "O3", "O2"));
  type(R"(name: "P" masked: true)");
  EXPECT_THAT(query("TRUE"), ElementsAre("O1", "O2", "O3", "O4")) << "offers that are there stay";
  EXPECT_TRUE(offers_.is_subtype("CP", "P"));
  EXPECT_FALSE(offers_.is_subtype("P", "CP"));
}

TEST_F(Trading, RandomShufflesAndFirstIsTheOrderOfExport) {
  std::set<Names_> seen;
  for (int i = 0; i < 100; ++i) seen.insert(query("TRUE", "random"));
  EXPECT_EQ(seen.size(), 6U) << "every order of three";
  EXPECT_THAT(query("TRUE", "first"), ElementsAre("O1", "O2", "O3"));
}

TEST_F(Trading, WithdrawnAndModifiedOffersAreFoundAsTheyAreNow) {
  erase("o/P#2");
  EXPECT_THAT(query("ppm >= 20"), ElementsAre("O3"));
  v1::TradingOffer changed;
  changed.set_type("P");
  changed.set_id("P#1");
  changed.mutable_reference()->set_object("O1");
  (*changed.mutable_properties())["ppm"] = "99";
  put("o/P#1", changed.SerializeAsString());
  EXPECT_THAT(query("ppm >= 20", "max ppm"), ElementsAre("O1", "O3"));
  EXPECT_THAT(query("'ps' in langs"), IsEmpty());
  offers_.clear();
  EXPECT_THAT(query(""), IsEmpty());
}

TEST_F(Trading, AnIndexFindsWhatAScanFinds) {
  const char* given = std::getenv("HECTOR_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::mt19937_64 random(seed);
  offers_.clear();
  std::vector<std::map<std::string, std::string>> all;
  const auto properties = [&] {
    std::map<std::string, std::string> made;
    for (const char* name : {"a", "b", "c"}) {
      switch (random() % 6) {
        case 0:
          break;
        case 1:
          made[name] = random() % 2 == 0 ? "true" : "false";
          break;
        case 2:
          made[name] = "\"t" + std::to_string(random() % 5) + "\"";
          break;
        case 3:
          made[name] = std::to_string(random() % 10) + ".5";
          break;
        default:
          made[name] = std::to_string(random() % 10);
      }
    }
    if (random() % 2 == 0)
      made["l"] = "[" + std::to_string(random() % 4) + ", " + std::to_string(random() % 4) + "]";
    return made;
  };
  for (int i = 0; i < 3'000; ++i)
    offer("o" + std::to_string(i), random() % 3 == 0 ? "Q" : "P", properties());
  for (int i = 0; i < 500; ++i)
    erase((random() % 2 == 0 ? "o/P#" : "o/Q#") + std::to_string(random() % number_));
  const auto term = [&]() -> std::string {
    const std::string name(1, static_cast<char>('a' + random() % 3)),
        number = std::to_string(random() % 10);
    constexpr const char* kSigns[] = {"==", "<", "<=", ">", ">=", "!="};
    switch (random() % 7) {
      case 0:
        return "exist " + name;
      case 1:
        return name;
      case 2:
        return "not " + name;
      case 3:
        return std::to_string(random() % 4) + " in l";
      case 4:
        return number + " " + kSigns[random() % 6] + " " + name;
      case 5:
        return name + " == 't" + std::to_string(random() % 5) + "'";
      default:
        return name + " " + kSigns[random() % 6] + " " + number;
    }
  };
  constexpr const char* kPreferences[] = {"", "max a", "min b", "with c", "max a + b"};
  for (int i = 0; i < 3'000; ++i) {
    std::string constraint = term();
    for (auto more = random() % 3; more > 0; --more)
      constraint += (random() % 5 == 0 ? " or " : " and ") + term();
    const char* const preference = kPreferences[random() % 5];
    const auto cut = static_cast<std::uint32_t>(1 + random() % 40);
    const auto undefined =
        random() % 2 == 0 ? expression::Undefined::kKleene : expression::Undefined::kOmg;
    const auto indexed =
        query(constraint, preference, {UINT32_MAX, UINT32_MAX, cut}, false, undefined);
    const auto plan = last_.plan;
    auto program = expression::compile_constraint(constraint, {.undefined = undefined});
    auto order = expression::compile_preference(preference, {.undefined = undefined});
    std::vector<std::pair<Value, const Offer*>> slow;
    Slots slots(*program, offers_.names()), ranked(order->program, offers_.names());
    for (const auto& [number, each] : offers_.type("P")->offers) {
      if (program->matches(slots.of(*each)))
        slow.emplace_back(rank_of(*order, *each, ranked), each.get());
    }
    std::stable_sort(slow.begin(), slow.end(), [&](const auto& x, const auto& y) {
      if (x.first.is_defined() != y.first.is_defined()) return x.first.is_defined();
      return order->kind == expression::Preference::Kind::kMin
                 ? expression::sorts_before(x.first, y.first)
                 : expression::sorts_before(y.first, x.first);
    });
    Names_ expected;
    for (const auto& [rank, each] : slow) {
      if (expected.size() == cut) break;
      v1::TradingOffer model;
      ASSERT_TRUE(model.ParseFromArray(each->model.data(), static_cast<int>(each->model.size())));
      expected.push_back(model.reference().object());
    }
    ASSERT_EQ(indexed, expected) << constraint << " / " << preference << " by: " << plan
                                 << ", HECTOR_SEED=" << seed;
  }
}

TEST_F(Trading, PropertiesAreJsonOfDeclaredTypes) {
  Names names;
  const auto why = [&](const std::string& json) {
    google::protobuf::Map<std::string, std::string> values;
    values["x"] = json;
    auto read = Properties::of(values, names);
    return read ? expression::print(read->get(names.find("x"))) : read.error().type;
  };
  EXPECT_EQ(why("3"), "3");
  EXPECT_EQ(why("-3.25"), "-3.25");
  EXPECT_EQ(why("true"), "TRUE");
  EXPECT_EQ(why("\"a \\\"b\\\" \\u00fc\""), "'a \"b\" ü'");
  EXPECT_EQ(why("[1, \"two\", false]"), "[1, 'two', FALSE]");
  EXPECT_EQ(why("[]"), "[]");
  for (const char* each : {"", "word", "{}", "[1", "[1,]", "1 2", "\"open", "nan", "[[1]]"})
    EXPECT_EQ(why(each), "PropertyTypeMismatch") << each;
  EXPECT_TRUE(fits(Value::of(std::int64_t{32'767}), "short"));
  EXPECT_FALSE(fits(Value::of(std::int64_t{32'768}), "short"));
  EXPECT_FALSE(fits(Value::of(std::int64_t{-1}), "unsigned long"));
  EXPECT_TRUE(fits(Value::of(std::int64_t{3}), "double"));
  EXPECT_FALSE(fits(Value::of(3.5), "long"));
  EXPECT_FALSE(fits(Value::of(std::string_view("ab")), "char"));
  EXPECT_FALSE(is_property_type("thing"));
  EXPECT_TRUE(is_property_type("sequence<unsigned short>"));
}

}  // namespace
}  // namespace hector::trading
