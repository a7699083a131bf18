// What: `hector WORD try FILE|-`, for every service whose manifest has the key `try: WORD`.
// Why: what a service would say is seen before anything runs; the steps are the service's own, and
// here is what all of them share: lines, comments, exit codes, an answer before the next line.
// Who: people and scripts.
#include <fmt/format.h>

#include <fstream>
#include <future>
#include <iostream>
#include <set>

#include "base/text/read_file.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "hector/service/v1/trial.pb.h"

namespace hector {

namespace {

namespace v1 = service::v1;

constexpr const char* kOperation = "try_steps";
/// People type between two steps: the flow lasts as long as the program.
constexpr std::chrono::hours kFlowMax{24 * 365};

struct Arguments {
  std::string file;
};

/// A trial's two flows. One thread, which may block.
class TrialSteps {
 public:
  TrialSteps(CliSession& session, const Clock& clock) : clock_(clock), session_(session) {}
  ~TrialSteps() {
    if (stream_) stream_->close_write();
    if (ended_.valid()) ended_.wait();
  }

  Status open(const std::string& service) {
    target_ = HECTOR_TRY(session_.kernel().capsule().resolve(service));
    auto ended = std::make_shared<std::promise<Error>>();  // owned by the call and by what waits
    ended_ = ended->get_future().share();
    auto& call = CallbackCall::make([ended](Call& over) {
      ended->set_value(over.error ? *over.error : Error::unavailable("the trial has ended"));
    });
    call.kind = Kind::kStream;
    call.header.operation = kByName;
    call.header.operation_name = kOperation;
    call.header.deadline = clock_.now() + kFlowMax;
    call.stream_out = &stream_;
    target_->start(call);
    if (!stream_) return fail(ended_.get());
    return {};
  }

  Result<v1::TrialAnswer> answer(const std::string& line) {
    v1::TrialStep step;
    step.set_line(line);
    std::promise<Status> taken;
    stream_->write(write_message(step), [&](Status done) { taken.set_value(std::move(done)); });
    if (auto written = taken.get_future().get(); !written) return fail(ended_.get());
    std::promise<Result<std::optional<Payload>>> read;
    stream_->read(
        [&](Result<std::optional<Payload>> message) { read.set_value(std::move(message)); });
    auto message = read.get_future().get();
    if (!message || !*message) return fail(ended_.get());
    return read_message<v1::TrialAnswer>(**message);
  }

 private:
  const Clock& clock_;
  CliSession& session_;
  std::shared_ptr<Target> target_;
  std::shared_ptr<Stream> stream_;
  std::shared_future<Error> ended_;
};

bool is_step(const std::string& line) {
  return !line.starts_with('#') && line.find_first_not_of(" \t\r") != std::string::npos;
}

int run_steps(TrialSteps& steps, std::istream& in, const std::string& file) {
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (!is_step(line)) continue;
    const auto answer = steps.answer(line);
    if (!answer) return report(answer.error());
    if (!answer->no_step().empty()) {
      std::fflush(stdout);
      complain(fmt::format("hector: {}:{}: {}\n", file, number, answer->no_step()));
      return kExitUsage;
    }
    write_out(answer->json() + "\n");
    if (&in == &std::cin) std::fflush(stdout);  // whoever writes the next line waits for it
  }
  return 0;
}

int run_trial(const CommandContext& context, const std::string& service, const Arguments& a) {
  std::ifstream file;
  if (a.file != "-") {
    file.open(a.file, std::ios::binary);
    if (!file || file.peek() == std::char_traits<char>::eof()) {
      // What is wrong with it is said as everywhere; an empty file has no steps.
      if (auto text = read_file(a.file, "the file of steps"); !text) return report(text.error());
      return 0;
    }
  }
  CliSession session(context.options);
  if (auto opened = session.open_service(service); !opened) return report(opened.error());
  const auto clock = make_system_clock();
  TrialSteps steps(session, *clock);
  if (auto opened = steps.open(service); !opened) return report(opened.error());
  return a.file == "-" ? run_steps(steps, std::cin, "-") : run_steps(steps, file, a.file);
}

}  // namespace

void add_trial_commands(CommandTree& tree) {
  const auto log = make_log(LogFormat::kText, Level::kError, "hector");
  const PluginLoader loader(plugin_paths(), *log);
  std::set<std::string> names;
  for (const auto& manifest : loader.all(ModuleKind::kService)) {
    // A plugin may lie on two paths; the first one counts.
    if (manifest.trial.empty() || !names.insert(manifest.name).second) continue;
    if (!tree.has(manifest.trial)) tree.group(manifest.trial, manifest.description);
    tree.add(std::vector<Command<Arguments>>{
        {manifest.trial + " try",
         "runs steps, a JSON line each, on an empty state in memory, and answers each with a line",
         {Parameter<Arguments>{"file", &Arguments::file, "of steps; - is the standard input"}
              .required()},
         [service = manifest.name](const CommandContext& context, const Arguments& arguments) {
           return run_trial(context, service, arguments);
         }}});
  }
}

}  // namespace hector
