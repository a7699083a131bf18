// What: nearest_hint: which names it proposes, and when it stays silent.
// Why: a wrong proposal misleads more than none.
// Who: base_test.
#include "base/text/nearest.h"

#include <gtest/gtest.h>

namespace hector {
namespace {

TEST(NearestHint, ProposesTheNameWithTheFewestChanges) {
  EXPECT_EQ(nearest_hint("operatons", {"operations", "options"}), " (did you mean 'operations'?)");
  EXPECT_EQ(nearest_hint("rcp", {"announce", "rpc"}), " (did you mean 'rpc'?)");
}

TEST(NearestHint, IsEmptyWhereNothingIsNear) {
  EXPECT_EQ(nearest_hint("stream", {"rpc", "announce"}), "");
  EXPECT_EQ(nearest_hint("a", {}), "");
  EXPECT_EQ(nearest_hint("ab", {"xy"}), "");
}

TEST(NearestHint, ComparesNoLongNames) {
  const std::string longest(128, 'x');
  EXPECT_NE(nearest_hint(longest, {std::string(127, 'x')}), "");
  EXPECT_EQ(nearest_hint(longest + "x", {longest}), "");
  EXPECT_EQ(nearest_hint(longest, {longest + "x"}), "");
}

}  // namespace
}  // namespace hector
