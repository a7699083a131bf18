// What: the keysets of a store: what is planned, what comes back, and what is refused.
// Why: no key is used before it is stored, none is in the store as it is, and what is gone stays
// gone. Who: ctest.
#include "vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "fake_store.h"
#include "simulation.h"
#include "typed.h"
#include "uses.h"

namespace hector::privacy {
namespace {

using hector::testing::FakeStore;
using hector::testing::Simulation;

constexpr Moment kNow{1'000'000};
constexpr Moment kDay = std::chrono::hours(24);

/// One capsule's part: a vault on a store that it may share.
struct Part {
  Part(FakeStore& store, Simulation& world, KeyFile& file, const std::string& capsule = "north")
      : vault({capsule, &world, &file}), replica({&store, &world, &world, &world}, "pv/", vault) {
    EXPECT_TRUE(replica.start());
  }
  template <class Plan>
  std::string change(Plan plan) {
    std::string ended = "pending";
    replica.change(plan, [&](const Result<Revision>& done) {
      ended = done ? "" : done.error().type.empty() ? done.error().text() : done.error().type;
    });
    return ended;
  }
  std::string create(const std::string& name, const std::string& form = "AES256_GCM",
                     std::uint64_t messages = 0) {
    v1::NewKeyset asked;
    asked.set_name(name);
    asked.set_template_(form);
    asked.mutable_rotate_after()->set_messages(messages);
    return change([&, this] { return vault.plan_create(asked, kNow, made); });
  }
  std::string rotate(const std::string& name) {
    return change([&, this] { return vault.plan_rotate(name, kNow, made); });
  }
  std::string with(const std::string& name, const Vault::Change& changing) {
    return change([&, this] { return vault.plan_change(name, changing); });
  }
  std::string key_for(const std::string& subject) {
    return change([&, this] { return vault.plan_subject_key({"k", "aad", subject}, kNow); });
  }
  std::string shred(const std::string& subject) {
    return change([&, this] { return vault.plan_shred(subject, shredded); });
  }
  std::string encrypt(const std::string& text, const std::string& subject = "") {
    return vault.ring().protect({"k", "aad", subject}, text).value().octets;
  }
  std::string decrypt(const std::string& ciphertext) {
    const auto opened = vault.ring().open({"k", "aad"}, ciphertext);
    return opened ? opened->text : opened.error().type;
  }

  Vault vault;
  state::Replica replica;
  v1::Version made;
  std::uint32_t shredded = 0;
};

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() {
    std::string made = (std::filesystem::temp_directory_path() / "vault.XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
    file_ = std::move(*KeyFile::make({folder_ + "/kek", ""}));
  }
  ~VaultTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  FakeStore store_;
  Simulation world_{1};
  std::unique_ptr<KeyFile> file_;
};

TEST_F(VaultTest, HasItsKeysetsAgainInAnotherLife) {
  std::map<std::string, std::string> sealed;
  {
    Part part(store_, world_, *file_);
    for (const auto& form : kTemplates)
      ASSERT_EQ(part.create(std::string(form.name), std::string(form.name)), "");
    ASSERT_EQ(part.create("k"), "");
    sealed["old"] = part.encrypt("old");
    ASSERT_EQ(part.rotate("k"), "");
    sealed["new"] = part.encrypt("new");
  }
  Part part(store_, world_, *file_);
  EXPECT_EQ(part.decrypt(sealed["old"]), "old");
  EXPECT_EQ(part.decrypt(sealed["new"]), "new");
  EXPECT_EQ(part.vault.describe("")->keysets_size(), 8);
  EXPECT_EQ(part.create("k"), kExists);
}

TEST_F(VaultTest, ProtectsWithAVersionWhenItIsStoredAndNotBefore) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k"), "");
  const auto first = part.encrypt("text");
  store_.broken = Error::unavailable("the store is away");
  EXPECT_NE(part.rotate("k"), "");
  EXPECT_EQ(part.encrypt("text").substr(0, 5), first.substr(0, 5));
  store_.broken.reset();
  // At the moment of the commit the ring knows nothing of the new version yet.
  store_.before_commit = [&] { EXPECT_EQ(part.encrypt("text").substr(0, 5), first.substr(0, 5)); };
  ASSERT_EQ(part.rotate("k"), "");
  EXPECT_NE(part.encrypt("text").substr(0, 5), first.substr(0, 5));
  Part other(store_, world_, *file_, "south");
  EXPECT_EQ(other.decrypt(part.encrypt("text")), "text");
}

TEST_F(VaultTest, LeavesNoKeyInTheStore) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k"), "");
  v1::KeptKeyset record;
  ASSERT_TRUE(record.ParseFromString(store_.value("pv/ks/k")));
  const std::string wrapped = record.versions(0).wrapped();
  EXPECT_EQ(wrapped.size(), 24U + 32U + 16U);
  // Only the key file's key unwraps it, and only where it belongs.
  const auto other = KeyFile::make({folder_ + "/other", ""});
  const std::string place =
      "hector.privacy.key AES256_GCM 1 " + std::to_string(record.versions(0).key_id()) + " k";
  EXPECT_TRUE(file_->unwrap(wrapped, place));
  EXPECT_FALSE(file_->unwrap(wrapped, place + "k"));
  EXPECT_FALSE((*other)->unwrap(wrapped, place));
}

TEST_F(VaultTest, UsesNoKeyOfAnotherKeyFileAndAddsNone) {
  std::string sealed;
  {
    Part part(store_, world_, *file_);
    ASSERT_EQ(part.create("k"), "");
    sealed = part.encrypt("text");
  }
  const auto other = std::move(*KeyFile::make({folder_ + "/other", ""}));
  Part part(store_, world_, *other);
  EXPECT_EQ(part.decrypt(sealed), kKeyUnknown);
  EXPECT_EQ(part.create("l"), kOtherKeyFile);
  EXPECT_EQ(part.rotate("k"), kOtherKeyFile);
}

TEST_F(VaultTest, IsChangedByOneOfTwoThatChangeItAtOnce) {
  store_.is_shared_by_others = true;
  Part north(store_, world_, *file_), south(store_, world_, *file_, "south");
  ASSERT_EQ(north.create("k"), "");
  store_.before_commit = [&] { ASSERT_EQ(south.rotate("k"), ""); };
  std::string ended;
  north.replica.change([&] { return north.vault.plan_rotate("k", kNow, north.made); },
                       [&](const Result<Revision>& done) { ended = done ? "done" : "refused"; });
  world_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(ended, "done");
  const auto keyset = north.vault.describe("k")->keysets(0);
  EXPECT_EQ(keyset.versions_size(), 3);
  EXPECT_EQ(north.made.version(), 3U);
}

TEST_F(VaultTest, RotatesOnceWhereItIsDue) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k", "XCHACHA20", 2), "");
  EXPECT_EQ(part.vault.ring().need_of({"k", ""}, kNow), Need::kNothing);
  const auto first = part.encrypt("a");
  part.encrypt("b");
  EXPECT_EQ(part.vault.ring().need_of({"k", ""}, kNow), Need::kVersion);
  const auto rotate = [&] { return part.vault.plan_due_rotation("k", kNow); };
  EXPECT_EQ(part.change(rotate), "");
  EXPECT_EQ(part.change(rotate), "");
  EXPECT_EQ(part.vault.describe("k")->keysets(0).primary(), 2U);
  EXPECT_EQ(part.decrypt(first), "a");
}

TEST_F(VaultTest, CountsWhatOtherCapsulesProtectTowardsALimit) {
  Part north(store_, world_, *file_), south(store_, world_, *file_, "south");
  ASSERT_EQ(north.create("k", "XCHACHA20", 10), "");
  v1::Uses uses;
  auto& use = *uses.add_uses();
  use.set_keyset("k");
  use.set_version(1);
  use.set_protects(9);
  ASSERT_EQ(south.change([&]() -> Result<StoreTransaction> { return south.vault.plan_uses(uses); }),
            "");
  EXPECT_EQ(north.vault.ring().need_of({"k", ""}, kNow), Need::kNothing);
  north.encrypt("tenth");
  EXPECT_EQ(north.vault.ring().need_of({"k", ""}, kNow), Need::kVersion);
  Part again(store_, world_, *file_, "south");
  EXPECT_EQ(again.vault.ring().need_of({"k", ""}, kNow), Need::kNothing);
  again.encrypt("tenth");
  EXPECT_EQ(again.vault.ring().need_of({"k", ""}, kNow), Need::kVersion);
}

TEST_F(VaultTest, DestroysAVersionWhenItsTimeHasComeAndForGood) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k"), "");
  const auto sealed = part.encrypt("text");
  ASSERT_EQ(part.rotate("k"), "");
  const std::string backup = store_.value("pv/ks/k");
  const auto destroy = [](Keyset& keyset) { return keyset.destroy({1, 86'400}, kNow); };
  ASSERT_EQ(part.with("k", destroy), "");
  EXPECT_EQ(part.decrypt(sealed), kVersionDisallowed);
  const auto due_at = [&](Moment now) {
    return part.change([&, now] { return part.vault.plan_destroy_due(now); });
  };
  EXPECT_TRUE(part.vault.plan_destroy_due(kNow + kDay - Moment(1))->then.empty());
  ASSERT_EQ(due_at(kNow + kDay - Moment(1)), "");
  EXPECT_EQ(part.decrypt(sealed), kVersionDisallowed);
  ASSERT_EQ(due_at(kNow + kDay), "");
  EXPECT_EQ(part.decrypt(sealed), kKeyDestroyed);
  v1::KeptKeyset record;
  ASSERT_TRUE(record.ParseFromString(store_.value("pv/ks/k")));
  EXPECT_TRUE(record.versions(0).wrapped().empty());
  EXPECT_FALSE(record.versions(1).wrapped().empty());
  // A backup brings it back to the store, and not to anybody who has the key file.
  ASSERT_EQ(part.vault.gone().size(), 1U);
  ASSERT_TRUE(file_->add_gone(part.vault.gone()));
  store_.put("pv/ks/k", backup);
  EXPECT_EQ(part.decrypt(sealed), kKeyDestroyed);
  Part later(store_, world_, *file_);
  EXPECT_EQ(later.decrypt(sealed), kKeyDestroyed);
}

TEST_F(VaultTest, ShredsEveryKeyOfASubjectAndNoOthersForGood) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k"), "");
  ASSERT_EQ(part.key_for("ann"), "");
  ASSERT_EQ(part.key_for("bob"), "");
  const auto ann = part.encrypt("Ann", "ann"), bob = part.encrypt("Bob", "bob");
  ASSERT_EQ(part.rotate("k"), "");
  ASSERT_EQ(part.key_for("ann"), "");
  const auto again = part.encrypt("Ann", "ann");
  std::map<std::string, std::string> backup;
  for (const auto& [id, key] : part.vault.ring().subject_keys())
    backup["pv/su/" + std::to_string(id)] = store_.value("pv/su/" + std::to_string(id));
  ASSERT_EQ(part.shred("ann"), "");
  EXPECT_EQ(part.shredded, 2U);
  for (const auto& sealed : {ann, again}) EXPECT_EQ(part.decrypt(sealed), kKeyDestroyed);
  EXPECT_EQ(part.decrypt(bob), "Bob");
  for (const auto& [key, value] : backup)
    EXPECT_TRUE(store_.value(key) == value || store_.value(key).find("ann") == std::string::npos);
  ASSERT_EQ(part.shred("ann"), "");
  EXPECT_EQ(part.shredded, 0U);
  EXPECT_EQ(part.shred(""), kInvalidArgument);
  ASSERT_TRUE(file_->add_gone(part.vault.gone()));
  for (const auto& [key, value] : backup) store_.put(key, value);
  Part later(store_, world_, *file_);
  EXPECT_EQ(later.decrypt(ann), kKeyDestroyed);
  EXPECT_EQ(later.decrypt(bob), "Bob");
  // What comes later about the same subject has another key.
  ASSERT_EQ(later.key_for("ann"), "");
  EXPECT_EQ(later.decrypt(later.encrypt("Ann", "ann")), "Ann");
}

TEST_F(VaultTest, ShredsAsManyKeysAsATransactionTakes) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k"), "");
  for (std::size_t i = 0; i < kShreddedAtOnce + 1; ++i) {
    ASSERT_EQ(part.key_for("ann"), "");
    ASSERT_EQ(part.rotate("k"), "");
  }
  ASSERT_EQ(part.shred("ann"), "");
  EXPECT_EQ(part.shredded, kShreddedAtOnce);
  ASSERT_EQ(part.shred("ann"), "");
  EXPECT_EQ(part.shredded, 1U);
}

TEST_F(VaultTest, V10RotatesUnderMessagesOfTenCapsulesThatAllReadThem) {
  std::vector<std::unique_ptr<Part>> parts;
  for (int i = 0; i < 10; ++i)
    parts.push_back(std::make_unique<Part>(store_, world_, *file_, "c" + std::to_string(i)));
  ASSERT_EQ(parts[0]->create("k", "AES256_GCM", 1'000), "");
  std::set<std::string> prefixes;
  for (int i = 0; i < 20'000; ++i) {
    Part& part = *parts[static_cast<std::size_t>(i) % 10];
    if (part.vault.ring().need_of({"k", ""}, kNow) == Need::kVersion)
      ASSERT_EQ(part.change([&] { return part.vault.plan_due_rotation("k", kNow); }), "");
    const auto sealed = part.encrypt(std::to_string(i));
    prefixes.insert(sealed.substr(0, 5));
    ASSERT_EQ(parts[static_cast<std::size_t>(i * 7 + 3) % 10]->decrypt(sealed), std::to_string(i));
  }
  EXPECT_GE(prefixes.size(), 2U);
}

TEST_F(VaultTest, GrowsNoVersionOldWhereTheCalendarIsSetBack) {
  Part part(store_, world_, *file_);
  v1::NewKeyset asked;
  asked.set_name("k");
  asked.set_template_("HMAC");
  asked.mutable_rotate_after()->set_seconds(100);
  ASSERT_EQ(part.change([&] { return part.vault.plan_create(asked, kNow, part.made); }), "");
  const std::vector<std::pair<Moment, Need>> cases{{Moment(-1'000), Need::kNothing},
                                                   {Moment(99), Need::kNothing},
                                                   {Moment(100), Need::kVersion}};
  for (const auto& [later, need] : cases)
    EXPECT_EQ(part.vault.ring().need_of_signature("k", kNow + later), need);
}

TEST(Refusals, AreErrorsThatTheInterfaceDeclares) {
  const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
  ASSERT_NE(pool->FindMessageTypeByName(v1::AuthFailed::descriptor()->full_name()), nullptr);
  for (const char* name :
       {kInvalidArgument, kExists, kKeyUnknown, kKeyDestroyed, kVersionDisallowed, kStillReferenced,
        kAuthFailed, kMalformed, kNoIdentityMatched, kTooLarge}) {
    const auto error = typed(refuse(name, "why").value());
    EXPECT_NE(pool->FindMessageTypeByName(error.type), nullptr) << error.type;
    EXPECT_EQ(error.message, std::string(name) + ": why");
  }
  EXPECT_EQ(typed(Error::aborted("x")).type, "");
}

TEST(UseCounts, TellPrincipalsApartUpToALimitAndKeepThem) {
  UseCounts counts;
  for (std::size_t i = 0; i < kUsesMax + 5; ++i)
    counts.count({"k", 1, "p" + std::to_string(i)}, UseCounts::Kind::kProtects);
  counts.count({"k", 1, "p0"}, UseCounts::Kind::kReveals);
  EXPECT_EQ(counts.take_unstored(), kUsesMax + 6);
  EXPECT_EQ(counts.take_unstored(), 0U);
  UseCounts again;
  again.load(counts.all("north"));
  const auto uses = again.all("north");
  EXPECT_EQ(uses.uses_size(), static_cast<int>(kUsesMax) + 1);
  EXPECT_EQ(uses.uses(0).principal(), "*");
  EXPECT_EQ(uses.uses(0).protects(), 5U);
  EXPECT_EQ(uses.uses(1).principal(), "p0");
  EXPECT_EQ(uses.uses(1).reveals(), 1U);
}

TEST_F(VaultTest, HasAsManyVersionsAsOneValueTakesAndNoMore) {
  Part part(store_, world_, *file_);
  const std::string name(kNameOctetsMax, 'n');
  ASSERT_EQ(part.create(name, "AES_SIV_DET"), "");
  for (std::size_t i = 1; i < kVersionsMax; ++i) ASSERT_EQ(part.rotate(name), "");
  EXPECT_EQ(part.rotate(name), kTooLarge);
  EXPECT_LT(store_.value("pv/ks/" + name).size(), StoreLimits{}.value_octets_max);
}

TEST_F(VaultTest, BearsAnythingInTheStore) {
  Part part(store_, world_, *file_);
  ASSERT_EQ(part.create("k"), "");
  const auto sealed = part.encrypt("text");
  const std::string whole = store_.value("pv/ks/k");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    store_.put("pv/ks/k", changed);
    store_.put("pv/su/1", changed);
    store_.put("pv/us/x", changed);
    static_cast<void>(part.decrypt(sealed));
    static_cast<void>(part.vault.describe(""));
  }
  store_.put("pv/ks/k", whole);
  EXPECT_EQ(part.decrypt(sealed), "text");
}

}  // namespace
}  // namespace hector::privacy
