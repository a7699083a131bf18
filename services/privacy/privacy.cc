// What: the embedded provider of Privacy: keys that encrypt and sign, on the store, and age files.
// Why: what is stored or sent is protected in one way, by keys that can be rotated and destroyed.
// Who: loaded by capsules whose configuration says `privacy: embedded`, and by `hector privacy
// try`.
#include <google/protobuf/util/json_util.h>

#include "age_flows.h"
#include "hector/plugin.h"
#include "privacy.hector.h"
#include "state/answer.h"
#include "step_fields.h"
#include "trial.h"
#include "typed.h"
#include "uses.h"
#include "vault.h"

namespace {

using namespace hector;
using namespace hector::privacy;

/// What is due to be destroyed is, and counts are stored, so often.
constexpr Duration kTick = std::chrono::seconds(10);
/// Times that a call makes what it needs: a rotation, a subject's key, and both once more where
/// another capsule was faster.
constexpr int kTriesMax = 8;

/// What a message needs that is not there: it is stored first.
struct Wanted {
  Need need = Need::kNothing;
  privacy::Place place;
};

/// Where the keys are: known once the service has started, if it has a key file at all.
class Keys {
 public:
  Keys(const ServiceContext& context, std::unique_ptr<KeyFile> file)
      : clock_(*context.clock),
        capsule_(context.capsule),
        file_(std::move(file)),
        vault_({context.capsule, context.log, file_.get()}),
        replica_({context.store, context.clock, context.executor, context.log}, kPrefix, vault_) {}

  static constexpr const char* kPrefix = "pv/";
  Status start() {
    HECTOR_TRY(replica_.start());
    const auto lock = replica_.read();
    if (const auto own = vault_.uses().find(capsule_); own != vault_.uses().end())
      uses_.load(own->second);
    return {};
  }
  [[nodiscard]] Moment now() const {
    return std::chrono::duration_cast<Moment>(clock_.wall().time_since_epoch());
  }
  KeyFile& file() { return *file_; }
  Vault& vault() { return vault_; }
  Keyring& ring() { return vault_.ring(); }
  state::Replica& replica() { return replica_; }
  UseCounts& uses() { return uses_; }
  [[nodiscard]] v1::Uses own_uses() const { return uses_.all(capsule_); }
  [[nodiscard]] const std::string& capsule() const { return capsule_; }

 private:
  const Clock& clock_;
  const std::string capsule_;
  const std::unique_ptr<KeyFile> file_;
  Vault vault_;
  UseCounts uses_;
  state::Replica replica_;
};

/// "aad" as it is, or a place's octets.
template <class Message>
privacy::Place place_of(const Message& asked) {
  if (!asked.has_place()) return {asked.keyset(), asked.aad(), asked.subject()};
  const auto& place = asked.place();
  return {asked.keyset(), octets_of_place(place.service(), place.path(), place.rev()),
          asked.subject()};
}
template <class Message>
Status check_place(const Message& asked) {
  if (asked.has_place() && !asked.aad().empty())
    return refuse_argument("associated data is `aad` or `place`, not both");
  return {};
}

class Privacy final : public ServiceOf<PrivacyServant> {
 public:
  Privacy(const ServiceContext& context, std::unique_ptr<KeyFile> file)
      : clock_(*context.clock),
        executor_(*context.executor),
        log_(*context.log),
        run_blocking_(context.run_blocking) {
    if (file) keys_ = std::make_unique<Keys>(context, std::move(file));
  }
  ~Privacy() override {
    guard_.end();
    keys_.reset();  // while the guard is there: the store may tell of a change until then
  }
  Status start() {
    if (!keys_) return {};
    keys_->vault().on_gone = [this] { write_gone_later(); };
    HECTOR_TRY(keys_->start());
    HECTOR_TRY(write_gone());
    tick_later();
    return {};
  }

  void try_steps(InFlow<service::v1::TrialStep> steps,
                 OutFlow<service::v1::TrialAnswer> given) override {
    // Owned by the read and the write that are outstanding.
    next_step(steps, given.later(), std::make_shared<privacy::Trial>());
  }

  // --- keysets

  void create_keyset(const v1::NewKeyset& asked, Reply<v1::Version> reply) override {
    change(asked, reply, [this](const auto& in, auto& made) {
      return keys_->vault().plan_create(in, keys_->now(), made);
    });
  }
  void rotate(const v1::KeysetName& asked, Reply<v1::Version> reply) override {
    change(asked, reply, [this](const auto& in, auto& made) {
      return keys_->vault().plan_rotate(in.keyset(), keys_->now(), made);
    });
  }
  void set_primary(const v1::VersionName& asked, Reply<v1::Revision> reply) override {
    change_version(asked, reply, &privacy::Keyset::set_primary);
  }
  void set_min_decrypt(const v1::VersionName& asked, Reply<v1::Revision> reply) override {
    change_version(asked, reply, &privacy::Keyset::set_min_decrypt);
  }
  void set_min_encrypt(const v1::VersionName& asked, Reply<v1::Revision> reply) override {
    change_version(asked, reply, &privacy::Keyset::set_min_encrypt);
  }
  void disable(const v1::VersionName& asked, Reply<v1::Revision> reply) override {
    change_version(asked, reply, &privacy::Keyset::disable);
  }
  void enable(const v1::VersionName& asked, Reply<v1::Revision> reply) override {
    change_version(asked, reply, &privacy::Keyset::enable);
  }
  void destroy(const v1::Destruction& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, [this](const auto& in, auto&) {
      return keys_->vault().plan_change(in.keyset(), [&](privacy::Keyset& keyset) {
        return keyset.destroy({in.version(), in.delay_s(), in.force()}, keys_->now());
      });
    });
  }
  void keysets(const v1::KeysetName& asked, Reply<v1::Keysets> reply) override {
    serve(asked, reply, [this](const auto& in, Wanted&, const auto&) {
      auto told = keys_->vault().describe(in.keyset());
      return told;
    });
  }

  // --- what is protected

  void encrypt(const v1::Plain& asked, Reply<v1::CipherText> reply) override {
    serve(asked, reply,
          [this](const v1::Plain& in, Wanted& wanted,
                 const auto& principal) -> Result<v1::CipherText> {
            HECTOR_TRY(check_place(in));
            return protect(place_of(in), in.plaintext(), wanted, principal);
          });
  }
  void decrypt(const v1::Sealed& asked, Reply<v1::PlainText> reply) override {
    serve(asked, reply,
          [this](const v1::Sealed& in, Wanted&, const auto& principal) -> Result<v1::PlainText> {
            HECTOR_TRY(check_place(in));
            return reveal(place_of(in), in.ciphertext(), principal);
          });
  }
  void rewrap(const v1::Sealed& asked, Reply<v1::CipherText> reply) override {
    serve(asked, reply,
          [this](const v1::Sealed& in, Wanted& wanted,
                 const auto& principal) -> Result<v1::CipherText> {
            HECTOR_TRY(check_place(in));
            auto place = place_of(in);
            auto opened = HECTOR_TRY(keys_->ring().open(place, in.ciphertext()));
            const WipedText wiped(opened.text);
            place.subject = opened.subject;
            return protect(place, opened.text, wanted, principal);
          });
  }
  void datakey(const v1::DataKeyWanted& asked, Reply<v1::DataKey> reply) override {
    serve(
        asked, reply,
        [this](const v1::DataKeyWanted& in, Wanted& wanted,
               const auto& principal) -> Result<v1::DataKey> {
          const Secret key = HECTOR_TRY(Keyring::new_data_key(in.bits()));
          const auto sealed = HECTOR_TRY(protect({in.keyset(), {}}, key.view(), wanted, principal));
          v1::DataKey made;
          made.set_wrapped(sealed.ciphertext());
          if (in.plaintext()) made.set_plaintext(std::string(key.view()));
          return made;
        });
  }
  void unwrap(const v1::WrappedKey& asked, Reply<v1::PlainText> reply) override {
    serve(asked, reply, [this](const v1::WrappedKey& in, Wanted&, const auto& principal) {
      return reveal({in.keyset(), {}}, in.wrapped(), principal);
    });
  }
  void sign(const v1::Data& asked, Reply<v1::Signature> reply) override {
    serve(
        asked, reply,
        [this](const v1::Data& in, Wanted& wanted, const auto& principal) -> Result<v1::Signature> {
          wanted = {HECTOR_TRY(keys_->ring().need_of_signature(in.keyset(), keys_->now())),
                    {in.keyset(), {}}};
          if (wanted.need != Need::kNothing) return v1::Signature();
          auto made = HECTOR_TRY(keys_->ring().sign_only(in.keyset(), in.data()));
          keys_->uses().count({in.keyset(), made.version, principal}, UseCounts::Kind::kProtects);
          v1::Signature signature;
          signature.set_signature(std::move(made.octets));
          signature.set_version(made.version);
          return signature;
        });
  }
  void verify(const v1::Data& asked, Reply<v1::Verified> reply) override {
    serve(asked, reply,
          [this](const v1::Data& in, Wanted&, const auto& principal) -> Result<v1::Verified> {
            const auto version =
                HECTOR_TRY(keys_->ring().verify(in.keyset(), in.data(), in.signature()));
            keys_->uses().count({in.keyset(), version, principal}, UseCounts::Kind::kReveals);
            v1::Verified verified;
            verified.set_is_genuine(true);
            return verified;
          });
  }
  void shred(const v1::Subject& asked, Reply<v1::Shredded> given) override {
    if (!keys_) return given.fail(no_keys());
    shred_rest(asked.subject(), 0, given.later());
  }
  void audit(const v1::AuditWanted& asked, Reply<v1::Uses> reply) override {
    serve(asked, reply,
          [this](const v1::AuditWanted& in, Wanted&, const auto&) -> Result<v1::Uses> {
            v1::Uses told;
            const auto add = [&](const v1::Uses& uses, const std::string& capsule) {
              for (const auto& each : uses.uses()) {
                if (!in.keyset().empty() && in.keyset() != each.keyset()) continue;
                auto& use = *told.add_uses() = each;
                use.set_capsule(capsule);
              }
            };
            add(keys_->own_uses(), keys_->capsule());
            for (const auto& [capsule, uses] : keys_->vault().uses()) {
              if (capsule != keys_->capsule()) add(uses, capsule);
            }
            return told;
          });
  }

  // --- age files, which need no keyset

  void seal(InFlow<v1::PlainPart> parts, OutFlow<v1::Part> given) override {
    seal_parts(parts, given.later());
  }
  void open(InFlow<v1::SealedPart> parts, OutFlow<v1::Part> given) override {
    open_parts(parts, given.later());
  }

 private:
  static Error no_keys() {
    return Error::failed_precondition(
        "this capsule keeps no keys: give the service the setting `key_file`, a path of a file "
        "that it makes and that you keep a copy of");
  }

  // --- calls that read the state, and may need something stored first

  /// One call on its way: kept while something is stored for it.
  template <class In, class Out, class Work>
  struct Task {
    In asked;
    Reply<Out> reply;
    Work work;
    Wanted wanted;
    int tries = 0;
    bool is_refreshed = false;
  };

  template <class In, class Out, class Work>
  void serve(const In& asked, Reply<Out> given, Work work) {
    if (!keys_) return given.fail(no_keys());
    Wanted wanted;
    auto result = attempt(asked, given, work, wanted);
    if (is_final(result, wanted, false)) return answer(given, std::move(result));
    // Owned by the callback that is outstanding.
    next(std::make_shared<Task<In, Out, Work>>(
        Task<In, Out, Work>{asked, given.later(), std::move(work), std::move(wanted)}));
  }
  template <class In, class Out, class Work>
  auto attempt(const In& asked, const Reply<Out>& reply, const Work& work, Wanted& wanted)
      -> Result<Out> {
    const auto lock = keys_->replica().read();
    wanted = {};
    return work(asked, wanted, reply.call().header.principal);
  }
  /// A key that is not known may have been stored by another capsule a moment ago.
  template <class Out>
  static bool is_final(const Result<Out>& result, const Wanted& wanted, bool is_refreshed) {
    if (!result) return is_refreshed || result.error().type != kKeyUnknown;
    return wanted.need == Need::kNothing;
  }
  template <class Out>
  void answer(const Reply<Out>& reply, Result<Out> result) {
    if (!result) return reply.fail(typed(std::move(result.error())));
    if constexpr (requires { result->set_revision(std::int64_t{}); })
      result->set_revision(keys_->replica().revision());
    reply(std::move(result));
  }
  template <class In, class Out, class Work>
  void next(std::shared_ptr<Task<In, Out, Work>> task) {
    if (++task->tries > kTriesMax)
      return task->reply.fail(Error::aborted(
          "the keys that this needs were changed by others again and again; try again"));
    const auto again = [this, task] {
      auto result = attempt(task->asked, task->reply, task->work, task->wanted);
      if (is_final(result, task->wanted, task->is_refreshed))
        return answer(task->reply, std::move(result));
      next(task);
    };
    if (task->wanted.need == Need::kNothing) {
      task->is_refreshed = true;
      return keys_->replica().when_current([task, again](Status current) {
        if (!current) return task->reply.fail(std::move(current.error()));
        again();
      });
    }
    keys_->replica().change([this, wanted = task->wanted] { return plan_for(wanted); },
                            [task, again](Result<Revision> made) {
                              if (!made) return task->reply.fail(typed(std::move(made.error())));
                              again();
                            });
  }
  Result<StoreTransaction> plan_for(const Wanted& wanted) {
    if (wanted.need == Need::kVersion)
      return keys_->vault().plan_due_rotation(wanted.place.keyset, keys_->now());
    return keys_->vault().plan_subject_key(wanted.place, keys_->now());
  }

  Result<v1::CipherText> protect(const privacy::Place& place, std::string_view text, Wanted& wanted,
                                 const std::string& principal) {
    wanted = {HECTOR_TRY(keys_->ring().need_of(place, keys_->now())), place};
    if (wanted.need != Need::kNothing) return v1::CipherText();
    auto made = HECTOR_TRY(keys_->ring().protect(place, text));
    keys_->uses().count({place.keyset, made.version, principal}, UseCounts::Kind::kProtects);
    v1::CipherText sealed;
    sealed.set_ciphertext(std::move(made.octets));
    sealed.set_version(made.version);
    return sealed;
  }
  Result<v1::PlainText> reveal(const privacy::Place& place, std::string_view ciphertext,
                               const std::string& principal) {
    auto opened = HECTOR_TRY(keys_->ring().open(place, ciphertext));
    keys_->uses().count({place.keyset, opened.version, principal}, UseCounts::Kind::kReveals);
    v1::PlainText text;
    text.set_plaintext(std::move(opened.text));
    text.set_version(opened.version);
    return text;
  }

  // --- changes

  template <class In, class Out, class Plan>
  void change(const In& asked, Reply<Out> given, Plan plan) {
    if (!keys_) return given.fail(no_keys());
    state::change(keys_->replica(), asked, given,
                  [plan = std::move(plan)](const In& in, Out& out) -> Result<StoreTransaction> {
                    auto planned = plan(in, out);
                    if (!planned) return hector::fail(typed(std::move(planned.error())));
                    return planned;
                  });
  }
  void change_version(const v1::VersionName& asked, Reply<v1::Revision> reply,
                      Status (privacy::Keyset::*operation)(std::int64_t)) {
    change(asked, reply, [this, operation](const v1::VersionName& in, v1::Revision&) {
      return keys_->vault().plan_change(
          in.keyset(), [&](privacy::Keyset& keyset) { return (keyset.*operation)(in.version()); });
    });
  }
  /// As many keys as one transaction takes, until there are none.
  void shred_rest(const std::string& subject, std::uint32_t before, Reply<v1::Shredded> reply) {
    auto keys = std::make_shared<std::uint32_t>(0);  // owned by the plan and by what follows it
    keys_->replica().change(
        [this, subject, keys] { return keys_->vault().plan_shred(subject, *keys); },
        [this, subject, keys, before, reply](Result<Revision> revision) {
          if (!revision) return reply.fail(typed(std::move(revision.error())));
          if (*keys == kShreddedAtOnce) return shred_rest(subject, before + *keys, reply);
          run_blocking_([this, reply, count = before + *keys, revision = *revision] {
            if (auto written = write_gone(); !written)
              return reply.fail(std::move(written.error()));
            v1::Shredded shredded;
            shredded.set_keys(count);
            shredded.set_revision(revision);
            reply(std::move(shredded));
          });
        });
  }

  // --- from time to time

  /// Blocks.
  Status write_gone() {
    const auto gone = [this] {
      const auto lock = keys_->replica().read();
      return keys_->vault().gone();
    }();
    if (gone.empty()) return {};
    return keys_->file().add_gone(gone);
  }
  void write_gone_later() {
    run_blocking_([handle = guard_.handle()] {
      handle.run([](Privacy& self) {
        if (const auto written = self.write_gone(); !written)
          self.log_.write(Level::kError, "keys that are gone are not in the key file yet",
                          {{"why", written.error().message}});
      });
    });
  }
  void tick_later() {
    executor_.at(clock_.now() + kTick,
                 [handle = guard_.handle()] { handle.run([](Privacy& self) { self.tick(); }); });
  }
  void tick() {
    keys_->replica().change([this] { return keys_->vault().plan_destroy_due(keys_->now()); },
                            [](const Result<Revision>&) {});  // else with the next tick
    if (const auto unstored = keys_->uses().take_unstored(); unstored != 0)
      keys_->replica().change(
          [this]() -> Result<StoreTransaction> {
            return keys_->vault().plan_uses(keys_->own_uses());
          },
          [](const Result<Revision>&) {});
    write_gone_later();  // what a full disk refused
    tick_later();
  }

  // --- trials

  using Steps = InFlow<service::v1::TrialStep>;
  using Answers = OutFlow<service::v1::TrialAnswer>;
  static void next_step(const Steps& steps, const Answers& answers,
                        std::shared_ptr<privacy::Trial> trial) {
    steps.read([steps, answers,
                trial = std::move(trial)](Result<std::optional<service::v1::TrialStep>> step) {
      if (!step) return answers.fail(std::move(step.error()));
      if (!*step) return answers.end();
      answer((*step)->line(), steps, answers, trial);
    });
  }
  static void answer(const std::string& line, const Steps& steps, const Answers& answers,
                     const std::shared_ptr<privacy::Trial>& trial) {
    service::v1::TrialAnswer message;
    auto ran = trial->run(line);
    const bool is_step = ran.has_value();
    if (is_step)
      message.set_json(std::move(*ran));
    else
      message.set_no_step(ran.error().message);
    answers.write(message, [steps, answers, trial, is_step](Status taken) {
      if (!taken) return answers.fail(std::move(taken.error()));
      if (!is_step) return answers.end();
      next_step(steps, answers, trial);
    });
  }

  const Clock& clock_;
  Executor& executor_;
  Log& log_;
  const std::function<void(std::function<void()>)> run_blocking_;
  std::unique_ptr<Keys> keys_;  ///< none without a key file
  GuardedSelf<Privacy> guard_{*this};
};

/// Whether keys of this store are wrapped by a key file's key.
Result<bool> has_keys(Store& store) {
  const auto page =
      HECTOR_TRY(read_and_wait(store, {KeyRange::one(std::string(Keys::kPrefix) + "kek")}));
  return !page.entries.empty();
}

/// None where the settings name none. A new one is made only where nothing is wrapped yet.
Result<std::unique_ptr<KeyFile>> key_file_of(const v1::Settings& settings, Store* store) {
  if (settings.key_file().empty()) return std::unique_ptr<KeyFile>();
  if (store == nullptr) return fail(Code::kFailedPrecondition, "there is no store");
  const KeyFile::Place place{settings.key_file(), settings.passphrase_file()};
  auto opened = KeyFile::open(place);
  if (opened || opened.error().code != Code::kNotFound) return opened;
  const bool is_needed = HECTOR_TRY(has_keys(*store));
  if (!is_needed) return KeyFile::make(place);
  return fail(Code::kFailedPrecondition,
              opened.error().message +
                  "; the keys in the store are wrapped by its key: bring it back from its backup");
}

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "privacy cannot start", {{"why", why}});
    return nullptr;
  };
  v1::Settings settings;
  const std::string text = context.settings.empty() ? "{}" : context.settings;
  if (const auto read = google::protobuf::util::JsonStringToMessage(text, &settings); !read.ok())
    return refused("its settings are key_file, passphrase_file: " + std::string(read.message()));
  auto file = key_file_of(settings, context.store);
  if (!file) return refused(file.error().text());
  auto privacy = std::make_unique<Privacy>(context, std::move(*file));
  if (auto started = privacy->start(); !started) return refused(started.error().text());
  return privacy.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "privacy",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};
