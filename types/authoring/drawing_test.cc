// What: types as pictures: every role, interaction and state is there, and odd names do no harm.
// Why: Graphviz refuses what is quoted wrongly.
// Who: types_test.
#include "types/authoring/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/test_binding.h"

namespace hector::types {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Drawing, ShowsRolesInteractionsAndEachRolesOrder) {
  const std::string picture = draw_binding(call_for_bids());
  EXPECT_THAT(picture, HasSubstr("digraph binding {"));
  EXPECT_THAT(picture, HasSubstr("call ; bid[w] ; award"));
  EXPECT_THAT(picture, HasSubstr("role_0 -> role_1 [label=\"call\", penwidth=2]"));
  EXPECT_THAT(picture, HasSubstr("role_1 -> role_0 [label=\"bid\"]"));
  EXPECT_THAT(picture, HasSubstr("role_0 -> role_1 [label=\"award()\"]"));
  EXPECT_THAT(picture, HasSubstr("label=\"!call\""));
  EXPECT_THAT(picture, HasSubstr("label=\"?bid\""));
}

TEST(Drawing, LeavesOutAutomataThatNobodyCouldRead) {
  const auto binding =
      test_binding({"p", "q"}, {"a announce p q"}, "a{" + std::to_string(kDrawnStatesMax) + "}");
  EXPECT_THAT(draw_binding(binding), Not(HasSubstr("label=\"!a\"")));
  const auto smaller = test_binding({"p", "q"}, {"a announce p q"},
                                    "a{" + std::to_string(kDrawnStatesMax - 1) + "}");
  EXPECT_THAT(draw_binding(smaller), HasSubstr("label=\"!a\""));
}

TEST(Drawing, ShowsAnInterfacesOwnOrder) {
  hector::type::v1::Interface model;
  model.set_name("t.I");
  model.set_major(2);
  model.add_operations()->set_name("ask");
  model.add_initiates()->set_name("tell");
  *model.mutable_protocol() = *parse_expression("ask ; tell");
  const auto picture = draw_interface(model);
  ASSERT_TRUE(picture);
  EXPECT_THAT(*picture, HasSubstr("t.I/2"));
  EXPECT_THAT(*picture, HasSubstr("label=\"?ask\""));
  EXPECT_THAT(*picture, HasSubstr("label=\"!tell\""));
}

}  // namespace
}  // namespace hector::types
