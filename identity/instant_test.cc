#include <gtest/gtest.h>

#include "hector/identity.h"

namespace hector::identity {

TEST(Instant, IsReadInUtc) {
  EXPECT_EQ(*read_instant("1970-01-01T00:00:00Z"), (Instant{0, 0}));
  EXPECT_EQ(*read_instant("2026-11-27T08:00:01.25z"), (Instant{1795766401, 250'000'000}));
  EXPECT_EQ(*read_instant("2024-02-29t23:59:59.1234567891+00:00"),
            (Instant{1709251199, 123'456'789}));
  EXPECT_EQ(read_instant("2016-12-31T23:59:60Z")->seconds, 1483228800);
  EXPECT_EQ(read_instant("9999-12-31T23:59:59Z")->seconds, 253402300799);
  EXPECT_EQ(read_instant("1969-12-31T23:59:59Z")->seconds, -1);
}

TEST(Instant, OfAnotherFormIsRefused) {
  for (const char* text :
       {"", "now", "2026-11-27", "2026-11-27T08:00Z", "2026-11-27 08:00:00Z", "2026-11-27T08:00:00",
        "2026-11-27T08:00:00+01:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-27T24:00:00Z",
        "2026-11-27T08:60:00Z", "2026-11-27T08:00:60Z", "2026-11-27T08:00:00.Z",
        "2026-11-27T08:00:00ZZ", "+026-11-27T08:00:00Z", "1795766401"})
    EXPECT_FALSE(read_instant(text)) << text;
}

}  // namespace hector::identity
