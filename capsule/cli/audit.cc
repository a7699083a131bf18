// What: `hector audit …`: whether a log is whole, what stands in it, and one record more.
// Why: what was done is shown where no capsule runs, also years later; scripts record what they do.
// Who: people and scripts. Exit codes of `verify`: 0 whole, 1 a record is wrong, 2 usage, 3 a file
// is not there.
#include "hector/audit.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "cli/commands.h"
#include "cli/output.h"
#include "hector/identity.h"
#include "hector/system.h"

namespace hector {

namespace {

struct Arguments {
  std::vector<std::string> files, reasons;
  std::string after, head;
  std::uint64_t count = 0;
  std::string since, until, principal, kind, object, outcome;
  std::uint64_t last = 1000;
  std::string file, action, target;
};

/// Each log with its parts, in the order in which they were written; none twice.
std::vector<std::string> all_parts(const std::vector<std::string>& logs) {
  std::vector<std::string> files;
  for (const auto& log : logs) {
    for (auto& part : audit::parts_of(log)) {
      if (std::find(files.begin(), files.end(), part) == files.end())
        files.push_back(std::move(part));
    }
  }
  return files;
}

// --- verify

std::string sentence_of(const audit::Verdict& verdict) {
  if (const auto& found = verdict.finding)
    return fmt::format("{}: {}:{}: {}\n", audit::fault_name(found->fault), found->file, found->line,
                       found->message);
  return fmt::format("whole: {} records; the last is {} with the hash {}\n", verdict.records,
                     verdict.head.sequence, verdict.head.hash);
}

Value value_of(const audit::Verdict& verdict) {
  auto value = Value::map();
  value.with("state", verdict.finding ? std::string(audit::fault_name(verdict.finding->fault))
                                      : std::string("whole"));
  value.with("records", Value::plain(std::to_string(verdict.records)));
  value.with("head", Value::map()
                         .with("seq", Value::plain(std::to_string(verdict.head.sequence)))
                         .with("hash", verdict.head.hash));
  if (const auto& found = verdict.finding) {
    value.with("file", found->file)
        .with("line", Value::plain(std::to_string(found->line)))
        .with("seq", Value::plain(std::to_string(found->sequence)))
        .with("message", found->message);
  }
  return value;
}

bool is_hash_or_none(const std::string& text) {
  constexpr std::size_t kDigits = 64;
  return text.empty() || (text.size() == kDigits &&
                          text.find_first_not_of("0123456789abcdef") == std::string::npos);
}

int verify(const CommandContext& context, const Arguments& a) {
  for (const auto& hash : {a.after, a.head}) {
    if (!is_hash_or_none(hash))
      return report(Error::invalid_argument(fmt::format(
          "'{}' is no hash: it has 64 digits, as `hector audit verify` prints it", hash)));
  }
  const auto files = all_parts(a.files);
  const audit::Expected expected{a.after, a.head, a.count};
  auto verdict = audit::verify(files, expected);
  // A record may have been half-written by a capsule that is at work.
  if (verdict && verdict->finding && verdict->finding->fault == audit::Fault::kIncomplete)
    verdict = audit::verify(files, expected);
  if (!verdict) return report(verdict.error());
  write_out(context.format == "table" ? sentence_of(*verdict)
                                      : format_value(value_of(*verdict), context.format));
  return verdict->finding ? kExitFailed : 0;
}

// --- show

/// As records have it; empty: any.
Result<std::string> moment_of(const std::string& text) {
  if (text.empty()) return text;
  const auto instant = HECTOR_TRY(identity::read_instant(text));
  const auto seconds = static_cast<std::time_t>(instant.seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds),
                     instant.nanoseconds / 1'000'000);
}

struct Wanted {
  std::string since, until;
  const Arguments& arguments;

  [[nodiscard]] bool has(const audit::Record& record) const {
    const auto& a = arguments;
    const auto is = [](const std::string& wanted, std::string_view there) {
      return wanted.empty() || wanted == there;
    };
    return record.time >= since && (until.empty() || record.time < until) &&
           is(a.principal, record.event.principal) && is(a.kind, record.event.kind) &&
           is(a.object, record.event.object) &&
           is(a.outcome, audit::outcome_name(record.event.outcome));
  }
};

Value value_of(const audit::Record& record) {
  const auto& event = record.event;
  return Value::map()
      .with("seq", Value::plain(std::to_string(record.sequence)))
      .with("time", record.time)
      .with("kind", event.kind)
      .with("principal", event.principal)
      .with("action", event.action)
      .with("object", event.object)
      .with("outcome", std::string(audit::outcome_name(event.outcome)))
      .with("reasons", Value::texts(event.reasons))
      .with("prev", record.prev)
      .with("hash", record.hash);
}

OutputRow row_of(const audit::Record& record) {
  const auto& event = record.event;
  return {std::to_string(record.sequence),
          {{"time", record.time},
           {"kind", event.kind},
           {"principal", event.principal},
           {"action", event.action},
           {"object", event.object},
           {"outcome", std::string(audit::outcome_name(event.outcome))},
           {"reasons", fmt::format("{}", fmt::join(event.reasons, "; "))}}};
}

std::string text_of(const std::deque<audit::Record>& records, const std::string& format) {
  if (format == "table") {
    std::vector<OutputRow> rows;
    for (const auto& each : records) rows.push_back(row_of(each));
    return format_rows(rows, format);
  }
  auto list = Value::list();
  for (const auto& each : records) list.add(value_of(each));
  return format_value(list, format);
}

int show(const CommandContext& context, const Arguments& a) {
  const auto since = moment_of(a.since), until = moment_of(a.until);
  if (!since) return report(since.error());
  if (!until) return report(until.error());
  const Wanted wanted{*since, *until, a};
  std::deque<audit::Record> kept;
  const auto others = audit::read(all_parts(a.files), [&](const audit::Record& record) {
    if (!wanted.has(record)) return;
    kept.push_back(record);
    if (a.last != 0 && kept.size() > a.last) kept.pop_front();
  });
  if (!others) return report(others.error());
  write_out(text_of(kept, context.format));
  if (*others == 0) return 0;
  complain(
      fmt::format("hector: {} lines are no records: `hector audit verify` says which is the "
                  "first\n",
                  *others));
  return kExitFailed;
}

// --- append

int append(const CommandContext& context, const Arguments& a) {
  const auto clock = make_system_clock();
  auto log = audit::AuditLog::open(a.file, *clock);
  if (!log) return report(log.error());
  if (!log->set_aside().empty())
    complain(fmt::format("hector: a half-written line was moved to '{}'\n", log->set_aside()));
  const auto head = log->append(
      {a.kind.empty() ? "note" : a.kind,
       a.principal.empty() ? fmt::format("uid:{}", ::getuid()) : a.principal, a.action, a.target,
       a.outcome.empty() ? audit::Outcome::kDone : *audit::outcome_of(a.outcome), a.reasons});
  if (!head) return report(head.error());
  if (context.format == "table") {
    emit("{} {}\n", head->sequence, head->hash);
    return 0;
  }
  write_out(format_value(Value::map()
                             .with("seq", Value::plain(std::to_string(head->sequence)))
                             .with("hash", head->hash),
                         context.format));
  return 0;
}

using P = Parameter<Arguments>;

std::vector<Command<Arguments>> commands() {
  const P files =
      P{"files", &Arguments::files, "logs; PATH.1, PATH.2, … are read before PATH"}.required();
  const P outcome = P{"--outcome", &Arguments::outcome, "begun, done, refused or failed"}.checked(
      one_of({"begun", "done", "refused", "failed"}));
  return {
      {"audit verify",
       "whether a log is whole; else the first record that was altered, removed, reordered or "
       "inserted, with exit code 1",
       {files,
        {"--head", &Arguments::head, "hash of a record that has to be in it, noted earlier"},
        {"--count", &Arguments::count, "number of that record; alone: how many there are at least"},
        {"--after", &Arguments::after,
         "hash of the record before the first, where the log's earlier files are kept elsewhere"}},
       verify},
      {"audit show",
       "what stands in a log",
       {files,
        {"--since", &Arguments::since, "from this time on: RFC 3339, in UTC"},
        {"--until", &Arguments::until, "before this time"},
        {"--principal", &Arguments::principal, "of this one alone"},
        {"--kind", &Arguments::kind, "of this kind"},
        {"--object", &Arguments::object, "about this one"},
        outcome,
        {"-n,--last", &Arguments::last, "the last so many of them; 0: all"}},
       show},
      {"audit append",
       "a record more, on the disk when the command ends; it prints number and hash",
       {P{"file", &Arguments::file, "the log; it is made where it is not there"}.required(),
        P{"action", &Arguments::action, "what was done"}.required(),
        P{"object", &Arguments::target, "to what"}.required(),
        {"--kind", &Arguments::kind, "left out: note"},
        {"--principal", &Arguments::principal, "who; left out: your user id"},
        outcome,
        P{"--reason", &Arguments::reasons, "why"}.repeated()},
       append},
  };
}

}  // namespace

void add_audit_commands(CommandTree& tree) {
  tree.group("audit", "who did what: logs of records that cannot be changed unnoticed");
  tree.add(commands());
}

}  // namespace hector
