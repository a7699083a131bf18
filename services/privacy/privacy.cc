// What: the embedded provider of Privacy: keys that encrypt and sign, and age files.
// Why: what is stored or sent is protected in one way, by keys that can be rotated and destroyed.
// Who: loaded by capsules whose configuration says `privacy: embedded`, and by `hector privacy
// try`.
#include "hector/plugin.h"
#include "privacy.hector.h"
#include "trial.h"

namespace {

using namespace hector;

class Privacy final : public ServiceOf<PrivacyServant> {
 public:
  void try_steps(InFlow<service::v1::TrialStep> steps,
                 OutFlow<service::v1::TrialAnswer> given) override {
    // Owned by the read and the write that are outstanding.
    next_step(steps, given.later(), std::make_shared<privacy::Trial>());
  }

 private:
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
};

Service* make(const ServiceContext&) { return std::make_unique<Privacy>().release(); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "privacy",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};
