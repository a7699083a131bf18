#include "process/capsule_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "hector/system.h"
#include "process/test_folder.h"

namespace hector {

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

identity::Instant now() { return {static_cast<std::int64_t>(std::time(nullptr)), 0}; }

class CapsuleCredentialsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = identity::Realm::make({realm_folder_, "td.example"}, now());
    ASSERT_TRUE(made) << made.error().message;
    realm_ = std::make_unique<identity::Realm>(std::move(*made));
  }
  Result<std::unique_ptr<CapsuleCredentials>> open(const std::string& name = "capsule/north") {
    return CapsuleCredentials::open({.realm = realm_folder_, .name = name}, *log_);
  }
  /// Waits for the next change of these, up to the seconds within which a change has to count.
  struct Changes {
    explicit Changes(CapsuleCredentials& of) : of_(of) {
      of_.on_change(this, [this] {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
      });
    }
    ~Changes() { of_.on_change(this, {}); }
    bool next() {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return count_ > seen_; }) &&
             ++seen_ > 0;
    }

   private:
    CapsuleCredentials& of_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0, seen_ = 0;
  };

  TestFolder folder_;
  const std::string realm_folder_ = folder_.path("realm");
  std::unique_ptr<identity::Realm> realm_;
  std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "test");
};

TEST_F(CapsuleCredentialsTest, AreIssuedWhereTheRealmsAuthorityIs) {
  const auto made = open();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ((*made)->principal(), "capsule:north");
  EXPECT_THAT((*made)->own()->chain, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT((*made)->own()->key, HasSubstr("BEGIN PRIVATE KEY"));
  EXPECT_THAT((*made)->authorities(), HasSubstr("BEGIN CERTIFICATE"));
  const auto self = (*made)->examine((*made)->own()->chain);
  ASSERT_TRUE(self);
  EXPECT_EQ(self->id, "spiffe://td.example/capsule/north");
}

TEST_F(CapsuleCredentialsTest, TellWhatToDoWhereTheyCannotBeIssued) {
  ASSERT_TRUE(fs::remove(realm_folder_ + "/authority.key"));
  const auto made = open();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kNotFound);
  EXPECT_THAT(made.error().message, HasSubstr("hector identity issue capsule/north"));
}

TEST_F(CapsuleCredentialsTest, AreNotIssuedToWhoeverNamesThemWrongly) {
  const auto made = CapsuleCredentials::open(
      {.realm = realm_folder_, .name = "operator/anne", .if_missing = IfMissing::kRefuse}, *log_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kNotFound);
  EXPECT_TRUE(realm_->list()->empty());
}

TEST_F(CapsuleCredentialsTest, AreRefusedWhereOthersCanReadTheKey) {
  ASSERT_TRUE(open());
  chmod(realm_->identity_file("capsule/north").c_str(), 0644);
  const auto made = open();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kFailedPrecondition);
}

TEST_F(CapsuleCredentialsTest, AreRefusedWhereTheRealmDoesNotAcceptThem) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(realm_->revoke("capsule/north", now()));
  const auto made = open();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("REVOKED"));
}

TEST_F(CapsuleCredentialsTest, NameTheFaultOfAPeer) {
  const auto made = open();
  ASSERT_TRUE(made);
  const auto refused = (*made)->examine("no certificate");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnauthenticated);
  EXPECT_EQ(refused.error().type, "MALFORMED");
}

TEST_F(CapsuleCredentialsTest, TakeARenewedIdentityAndTellTheirOwners) {
  const auto made = open();
  ASSERT_TRUE(made);
  Changes changes(**made);
  const auto before = (*made)->own();
  ASSERT_TRUE(realm_->renew({"capsule/north", 3600, {}}, now()));
  ASSERT_TRUE(changes.next());
  EXPECT_NE((*made)->own()->chain, before->chain);
  EXPECT_NE((*made)->own()->key, before->key);
}

TEST_F(CapsuleCredentialsTest, RefuseAPeerAsSoonAsItIsRevoked) {
  const auto made = open();
  ASSERT_TRUE(made);
  const auto south = realm_->issue({"capsule/south"}, now());
  ASSERT_TRUE(south);
  const auto chain = identity::read_identity_file(south->file);
  ASSERT_TRUE(chain);
  EXPECT_EQ((*made)->examine(chain->chain)->principal, "capsule:south");
  Changes changes(**made);
  ASSERT_TRUE(realm_->revoke("capsule/south", now()));
  ASSERT_TRUE(changes.next());
  EXPECT_EQ((*made)->examine(chain->chain).error().type, "REVOKED");
}

TEST_F(CapsuleCredentialsTest, KeepWhatTheyHadWhereAFileIsHalfWritten) {
  const auto made = open();
  ASSERT_TRUE(made);
  const auto before = (*made)->own();
  const std::string file = realm_->identity_file("capsule/north");
  std::ofstream(file) << before->chain.substr(0, 100);
  Changes changes(**made);
  std::ofstream(file + ".new") << before->chain << before->key;
  chmod((file + ".new").c_str(), 0600);
  EXPECT_EQ((*made)->own(), before);
  fs::rename(file + ".new", file);
  ASSERT_TRUE(changes.next());
  EXPECT_EQ((*made)->own()->chain, before->chain);
}

TEST_F(CapsuleCredentialsTest, AreRenewedAtHalfOfTheirLife) {
  // The backdated beginning counts: half of 301 s has passed at once.
  ASSERT_TRUE(realm_->issue({"capsule/north", 60}, now()));
  const auto made = open();
  ASSERT_TRUE(made);
  Changes changes(**made);
  const auto before = (*made)->own();
  ASSERT_TRUE(changes.next());
  EXPECT_NE((*made)->own()->chain, before->chain);
}

TEST_F(CapsuleCredentialsTest, TrustOtherDomainsThatAreNamed) {
  const std::string other_folder = folder_.path("other");
  auto other = identity::Realm::make({other_folder, "other.example"}, now());
  ASSERT_TRUE(other);
  const auto stranger = other->issue({"capsule/north"}, now());
  ASSERT_TRUE(stranger);
  const auto chain = identity::read_identity_file(stranger->file);
  ASSERT_TRUE(chain);
  const auto alone = open();
  ASSERT_TRUE(alone);
  EXPECT_EQ((*alone)->examine(chain->chain).error().type, "UNTRUSTED_DOMAIN");
  const auto both =
      CapsuleCredentials::open({.realm = realm_folder_,
                                .name = "capsule/north",
                                .trust = {{"other.example", other_folder + "/bundle.pem"}}},
                               *log_);
  ASSERT_TRUE(both);
  const auto peer = (*both)->examine(chain->chain);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->principal, "spiffe://other.example/capsule/north")
      << "of another domain it is no capsule of this one";
}

}  // namespace
}  // namespace hector
