// What: FakePolicy, a Policy service that permits everything but what a test takes away.
// Why: the kernel's rights are tried with the answers, the silence and the changes that tests want.
// Who: tests of the kernel.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hector/policy.hector.h"
#include "hector/service.h"

namespace hector::testing {

/// Permits everything, but for what the test takes away: "PRINCIPAL ACTION RESOURCE".
class FakePolicy final : public ServiceOf<PolicyServant> {
 public:
  /// What the test and the service see of each other.
  struct Shared {
    std::mutex mutex;
    std::set<std::string> forbidden;
    std::vector<std::string> asked;
    std::int64_t revision = 1;
    bool is_broken = false;
    bool has_no_answers = false;  ///< but for its revision
    void refuse_questions(bool refuse) {
      const std::lock_guard lock(mutex);
      has_no_answers = refuse;
    }
    void forbid(const std::string& what) {
      const std::lock_guard lock(mutex);
      forbidden.insert(what);
      ++revision;
    }
    void permit(const std::string& what) {
      const std::lock_guard lock(mutex);
      forbidden.erase(what);
      ++revision;
    }
    std::vector<std::string> take_asked() {
      const std::lock_guard lock(mutex);
      return std::exchange(asked, {});
    }
  };
  explicit FakePolicy(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  void authorise(const service::v1::PolicyAuthorisation& asked,
                 Reply<service::v1::PolicyDecision> reply) override {
    const std::lock_guard lock(shared_->mutex);
    const std::string what = asked.principal() + " " + asked.action() + " " + asked.resource();
    shared_->asked.push_back(what);
    if (shared_->is_broken || shared_->has_no_answers)
      return reply.fail(Error::internal("out of order"));
    service::v1::PolicyDecision decision;
    decision.set_allowed(!shared_->forbidden.contains(what));
    decision.add_reasons(decision.allowed() ? "all" : "taken-away");
    reply(std::move(decision));
  }
  void rights_revision(const service::v1::PolicyRevision&,
                       Reply<service::v1::PolicyRevision> reply) override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->is_broken) return reply.fail(Error::internal("out of order"));
    service::v1::PolicyRevision revision;
    revision.set_revision(shared_->revision);
    reply(std::move(revision));
  }
  void get(const service::v1::PolicyQuestion&, Reply<service::v1::PolicyValue> reply) override {
    reply.fail(Error::not_found("nothing"));
  }

 private:
  void none(Call& call) { call.fail(Error::unimplemented("not here")); }

 public:
  void get_typed(const service::v1::PolicyTypedQuestion&,
                 Reply<service::v1::PolicyTyped> r) override {
    none(r.call());
  }
  void enumerate(const service::v1::PolicyPrefix&, Reply<service::v1::PolicyEntries> r) override {
    none(r.call());
  }
  void put(const service::v1::PolicyEntry&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void remove(const service::v1::PolicySpec&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void replace_bundle(const service::v1::PolicyBundle&,
                      Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void set_chain(const service::v1::PolicyChain&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void get_chain(const service::v1::PolicyContext&, Reply<service::v1::PolicyChain> r) override {
    none(r.call());
  }
  void merge_view(const service::v1::PolicyQuestion&,
                  Reply<service::v1::PolicyEntries> r) override {
    none(r.call());
  }
  void explain(const service::v1::PolicyQuestion&,
               Reply<service::v1::PolicyExplanation> r) override {
    none(r.call());
  }
  void watch(const service::v1::PolicyQuestion&, OutFlow<service::v1::PolicyValue> r) override {
    none(r.call());
  }
  void try_out(const service::v1::PolicyTrial&, Reply<service::v1::PolicyExplanation> r) override {
    none(r.call());
  }
  void put_rules(const service::v1::PolicyRules&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void remove_rules(const service::v1::PolicyName&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void list_rules(const service::v1::PolicyName&, Reply<service::v1::PolicyNames> r) override {
    none(r.call());
  }
  void put_entity(const service::v1::PolicyEntity&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void remove_entity(const service::v1::PolicyName&,
                     Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void put_schema(const service::v1::PolicySchema&, Reply<service::v1::PolicyRevision> r) override {
    none(r.call());
  }
  void search_list(const service::v1::PolicySearchList&,
                   Reply<service::v1::PolicyHandle> r) override {
    none(r.call());
  }
  void get_from(const service::v1::PolicyLeaf&, Reply<service::v1::PolicyValue> r) override {
    none(r.call());
  }

 private:
  const std::shared_ptr<Shared> shared_;
};

}  // namespace hector::testing
