// What: a file of a log on a disk that is full, or that fails.
// Why: after an error the record is not there, and the chain is whole.
// Who: ctest.
#include "audit/log_file.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>

#include "audit/testing.h"

namespace hector::audit {
namespace {

int disk_fails(int) {
  errno = EIO;
  return -1;
}
int disk_is_full(int) {
  errno = ENOSPC;
  return -1;
}

/// No file of this process may become larger.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t octets) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = octets;
    std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

class AuditLogFile : public AuditTest {
 protected:
  Error refused(const std::string& at) {
    const auto opened = LogFile::open(at);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
};

TEST_F(AuditLogFile, IsItsOwnersAlone) {
  ASSERT_TRUE(LogFile::open(path()));
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const mode_t mode : {0640U, 0604U, 0620U, 0666U}) {
    ::chmod(path().c_str(), mode);
    EXPECT_EQ(refused(path()).code, Code::kFailedPrecondition);
  }
}

TEST_F(AuditLogFile, IsRefusedWhereItIsAnothersALinkOrNoFile) {
  write(path(), "");
  ASSERT_EQ(::symlink(path().c_str(), path("link").c_str()), 0);
  EXPECT_EQ(refused(path("link")).code, Code::kFailedPrecondition);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(refused(path("pipe")).code, Code::kFailedPrecondition);
  EXPECT_EQ(refused(path("none/log")).code, Code::kUnavailable);
  if (::geteuid() == 0 && ::chown(path().c_str(), 12345, 0) == 0)
    EXPECT_EQ(refused(path()).code, Code::kPermissionDenied);
}

TEST_F(AuditLogFile, IsWrittenByOneProcessAtATime) {
  {
    const auto first = LogFile::open(path());
    ASSERT_TRUE(first);
    const auto error = refused(path());
    EXPECT_EQ(error.code, Code::kUnavailable);
    EXPECT_NE(error.message.find("another process"), std::string::npos);
  }
  EXPECT_TRUE(LogFile::open(path()));
}

TEST_F(AuditLogFile, HasNothingOfWhatDidNotFit) {
  auto file = LogFile::open(path());
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->append("first\n"));
  {
    const SizeLimit limit(10);
    const auto full = file->append("second\n");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::kResourceExhausted);
    EXPECT_NE(full.error().message.find("make room"), std::string::npos);
    EXPECT_EQ(content(path()), "first\n");
    EXPECT_TRUE(file->append("2nd\n"));  // it fits
  }
  EXPECT_TRUE(file->append("third\n"));
  EXPECT_EQ(content(path()), "first\n2nd\nthird\n");
}

TEST_F(AuditLogFile, HasNothingOfWhatTheDiskHadNoRoomFor) {
  auto file = LogFile::open(path(), disk_is_full);
  ASSERT_TRUE(file);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(file->append("first\n").error().code, Code::kResourceExhausted);
  EXPECT_EQ(content(path()), "");
}

TEST_F(AuditLogFile, TakesNothingMoreFromADiskThatFailed) {
  auto file = LogFile::open(path(), disk_fails);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->append("first\n").error().code, Code::kDataLoss);
  EXPECT_EQ(file->append("second\n").error().code, Code::kDataLoss);
  EXPECT_EQ(content(path()).find("second"), std::string::npos);
}

TEST_F(AuditLogFile, MovesAHalfWrittenLineAsideAndKeepsEarlierOnes) {
  write(path(), "first\nhal");
  {
    auto file = LogFile::open(path());
    ASSERT_TRUE(file);
    EXPECT_EQ(file->set_aside_tail().value(), path("log.cut-1"));
    EXPECT_EQ(file->set_aside_tail().value(), "");
    EXPECT_EQ(content(path("log.cut-1")), "hal");
    ASSERT_TRUE(file->append("second\n"));
    EXPECT_EQ(content(path()), "first\nsecond\n");
  }
  write(path(), std::string(kLineOctetsMax, 'x'));
  EXPECT_EQ(LogFile::open(path())->set_aside_tail().value(), path("log.cut-2"));
  EXPECT_EQ(content(path()), "");
  write(path(), std::string(kLineOctetsMax + 2, 'x'));
  EXPECT_EQ(LogFile::open(path())->set_aside_tail().error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace hector::audit
