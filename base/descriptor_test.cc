// What: that a descriptor is closed once, with whoever has it last.
// Why: one that is closed twice closes another owner's file.
// Who: base_test.
#include "hector/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "hector/thread.h"

namespace hector {

namespace {

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

TEST(Descriptor, IsClosedWithItsLastOwnerAndNotBefore) {
  const int number = dup(STDERR_FILENO);
  {
    Descriptor first(number);
    Descriptor second(std::move(first));
    // NOLINTNEXTLINE(bugprone-use-after-move): this is what is tested
    EXPECT_FALSE(first.is_open());
    EXPECT_EQ(second.get(), number);
    first.reset();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Descriptor, ClosesWhatItHadWhenItGetsAnother) {
  const int one = dup(STDERR_FILENO), other = dup(STDERR_FILENO);
  Descriptor kept(one);
  kept = Descriptor(other);
  EXPECT_FALSE(is_open(one));
  EXPECT_TRUE(is_open(other));
}

TEST(Descriptor, LeavesWhatWasReleasedOpen) {
  const int number = dup(STDERR_FILENO);
  { EXPECT_EQ(Descriptor(number).release(), number); }
  EXPECT_TRUE(is_open(number));
  close(number);
}

TEST(WriteAll, WritesMoreThanAPipeHolds) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string octets(300'000, 'x');
  std::string read_so_far;
  Thread reader("reader", [&] {
    char part[4096];
    for (ssize_t got = 0; (got = read(ends[0], part, sizeof part)) > 0;)
      read_so_far.append(part, static_cast<std::size_t>(got));
  });
  EXPECT_TRUE(write_all(ends[1], octets));
  close(ends[1]);
  reader.join();
  close(ends[0]);
  EXPECT_EQ(read_so_far, octets);
}

TEST(WriteAll, SaysWhyItDidNot) {
  const Descriptor reading(open("/dev/null", O_RDONLY));
  EXPECT_FALSE(write_all(reading.get(), "x"));
  EXPECT_EQ(errno, EBADF);
  EXPECT_TRUE(write_all(-1, "")) << "there is nothing to write";
}

}  // namespace

}  // namespace hector
