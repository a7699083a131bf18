// What: Bytes and Payload: sharing, slicing, adopting, and when a typed object becomes octets.
// Why: payloads pass from thread to thread without a copy; their memory is freed exactly once.
// Who: ctest.
#include "hector/bytes.h"

#include <gtest/gtest.h>

namespace hector {
namespace {

TEST(Bytes, AreEmptyByDefault) {
  const Bytes none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_TRUE(Bytes::allocate(0).empty());
}

TEST(Bytes, ACopySharesTheMemory) {
  const Bytes first = Bytes::copy("octets");
  const Bytes second = first;
  EXPECT_EQ(first.data(), second.data());
  EXPECT_EQ(second.view(), "octets");
}

TEST(Bytes, ASliceIsClippedToWhatIsThere) {
  const Bytes whole = Bytes::copy("octets");
  EXPECT_EQ(whole.slice(2, 2).view(), "te");
  EXPECT_EQ(whole.slice(2).view(), "tets");
  EXPECT_EQ(whole.slice(4, 100).view(), "ts");
  EXPECT_EQ(whole.slice(6).view(), "");
  EXPECT_EQ(whole.slice(100, 1).view(), "");
}

TEST(Bytes, AdoptedMemoryIsReleasedOnceWithItsLastSlice) {
  static const char kMemory[] = "memory";
  int released = 0;
  {
    Bytes slice;
    {
      const Bytes whole = Bytes::adopt(
          kMemory, 6, [](void* count) noexcept { ++*static_cast<int*>(count); }, &released);
      slice = whole.slice(3);
    }
    EXPECT_EQ(released, 0);
    EXPECT_EQ(slice.view(), "ory");
  }
  EXPECT_EQ(released, 1);
}

TEST(Bytes, TakeAStringsOwnMemory) {
  std::string text(1'000, 'x');
  const void* memory = text.data();
  const Bytes taken = Bytes::take(std::move(text));
  EXPECT_EQ(static_cast<const void*>(taken.data()), memory);
  EXPECT_EQ(taken.size(), 1'000U);
}

TEST(Bytes, AMovedOneIsEmpty) {
  Bytes from = Bytes::copy("octets");
  const Bytes to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(to.view(), "octets");
}

/// A typed object that counts what is done with it.
struct Counted {
  int serialised = 0;
  int released = 0;
};
constexpr char kType = 0;
void serialise(const void* object, void* out, std::uint8_t* (*allocate)(void*, std::size_t)) {
  ++const_cast<Counted*>(static_cast<const Counted*>(object))->serialised;
  std::memcpy(allocate(out, 2), "ok", 2);
}
const TypedOperations kOwned{&kType, serialise,
                             [](void* object) { ++static_cast<Counted*>(object)->released; }};
const TypedOperations kBorrowed{&kType, serialise, nullptr};

TEST(Payload, HandsOverItsObjectWithoutSerialisingIt) {
  Counted counted;
  {
    const Payload payload(&counted, kOwned);
    EXPECT_EQ(payload.object(&kType), &counted);
    EXPECT_EQ(payload.object(&counted), nullptr) << "another type";
  }
  EXPECT_EQ(counted.serialised, 0);
  EXPECT_EQ(counted.released, 1);
}

TEST(Payload, IsSerialisedAtMostOnceAndReleasesItsObjectThen) {
  Counted counted;
  Payload payload(&counted, kOwned);
  EXPECT_EQ(payload.bytes().view(), "ok");
  EXPECT_EQ(payload.bytes().view(), "ok");
  EXPECT_EQ(counted.serialised, 1);
  EXPECT_EQ(counted.released, 1);
  EXPECT_EQ(payload.object(&kType), nullptr);
}

TEST(Payload, OwnsOctetsInsteadOfABorrowedObject) {
  Counted counted;
  Payload payload(&counted, kBorrowed);
  EXPECT_TRUE(payload.is_borrowed());
  payload.own();
  EXPECT_FALSE(payload.is_borrowed());
  EXPECT_EQ(counted.serialised, 1);
  EXPECT_EQ(payload.bytes().view(), "ok");
}

TEST(Payload, AMovedOneHasNoObject) {
  Counted counted;
  Payload from(&counted, kOwned);
  Payload to = std::move(from);
  EXPECT_EQ(from.object(&kType), nullptr);  // NOLINT(bugprone-use-after-move)
  to.reset();
  EXPECT_EQ(counted.released, 1);
}

}  // namespace
}  // namespace hector
