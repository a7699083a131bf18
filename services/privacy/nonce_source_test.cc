// What: nonces of many threads and of a child process.
// Why: AES-GCM with one nonce twice under one key protects nothing.
// Who: ctest.
#include "nonce_source.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "hector/thread.h"

namespace hector::privacy {
namespace {

TEST(NonceSource, GivesNoNonceTwiceToAnyThread) {
  NonceSource source;
  std::vector<NonceSource::Nonce> given[4];
  {
    std::vector<Thread> threads;
    for (auto& mine : given)
      threads.emplace_back("draws", [&source, &mine] {
        for (int i = 0; i < 5'000; ++i) mine.push_back(source.next());
      });
  }
  std::set<NonceSource::Nonce> all;
  for (const auto& each : given) all.insert(each.begin(), each.end());
  EXPECT_EQ(all.size(), 20'000U);
}

TEST(NonceSource, GivesAChildOthersThanItsParent) {
  NonceSource source;
  for (int i = 0; i < 10; ++i) static_cast<void>(source.next());
  int from_child[2];
  ASSERT_EQ(::pipe(from_child), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 100; ++i) {
      const auto nonce = source.next();
      if (::write(from_child[1], nonce.data(), nonce.size()) != 12) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(from_child[1]);
  std::set<NonceSource::Nonce> all;
  NonceSource::Nonce nonce;
  while (::read(from_child[0], nonce.data(), nonce.size()) == 12) all.insert(nonce);
  ::close(from_child[0]);
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(all.size(), 100U);
  for (int i = 0; i < 400; ++i) EXPECT_TRUE(all.insert(source.next()).second);
}

}  // namespace
}  // namespace hector::privacy
