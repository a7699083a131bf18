// What: bench_services, the store and the services beside what they are measured by, in one run,
// round by round. Why: "at least 0.9 of raw SQLite" is a ratio of two figures of the same minute.
// Who: people; the table stands in docs/performance.md. `bench_services [ROUNDS] [OFFERS]`.
#include <fmt/format.h>
#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <semaphore>
#include <vector>

#include "contexts.h"
#include "engine/engine.h"
#include "hector/system.h"
#include "offers.h"
#include "rights.h"
#include "sqlite_journal.h"
// Last: its macros are words that others use.
#include <X11/Xlib.h>
#include <X11/Xresource.h>
#undef Status
#undef None

namespace {

using namespace hector;
using Time = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr int kPuts = 20'000;
constexpr int kTogether = 64;
constexpr int kKeys = 100'000;

double seconds_of(const std::function<void()>& work) {
  const auto started = Time::now();
  work();
  return std::chrono::duration<double>(Time::now() - started).count();
}
std::string key_of(std::uint64_t number) { return fmt::format("key/{:018}", number % kKeys); }

/// The middle one, and the ends.
std::string spread(std::vector<double> figures, const char* unit, double scale = 1) {
  std::sort(figures.begin(), figures.end());
  return fmt::format("{:.3g} {} ({:.3g} to {:.3g})", figures[figures.size() / 2] * scale, unit,
                     figures.front() * scale, figures.back() * scale);
}
std::size_t resident() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, pages = 0;
  file >> total >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

struct World {
  std::unique_ptr<Clock> clock = make_system_clock();
  std::unique_ptr<Random> random = make_system_random();
  std::unique_ptr<Log> log = make_log(LogFormat::kText, Level::kError, "bench");
  std::unique_ptr<EventLoops> loops = make_event_loops(1);
  stores::EngineOptions options() { return {clock.get(), random.get(), loops.get(), log.get()}; }
};

/// Raw: puts into one table, 64 a transaction, WAL, synchronous=FULL.
double raw_sqlite(const std::string& folder, std::uint64_t from) {
  sqlite3* database = nullptr;
  sqlite3_open((folder + "/raw").c_str(), &database);
  for (const char* each :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID"})
    sqlite3_exec(database, each, nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO kv VALUES(?,?)", -1, &insert, nullptr);
  const std::string value(128, 'v');
  const double took = seconds_of([&] {
    for (int i = 0; i < kPuts; ++i) {
      if (i % kTogether == 0) sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
      const std::string key = key_of(from + static_cast<std::uint64_t>(i) * 7'919);
      sqlite3_bind_blob(insert, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
      sqlite3_bind_blob(insert, 2, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
      sqlite3_step(insert);
      sqlite3_reset(insert);
      if (i % kTogether == kTogether - 1 || i + 1 == kPuts)
        sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
    }
  });
  sqlite3_finalize(insert);
  sqlite3_close(database);
  return took;
}

/// Ours: single puts, `in_flight` of them waiting at a time; each is acknowledged when it is
/// durable.
double our_puts(Store& store, std::uint64_t from, int puts, int in_flight) {
  std::counting_semaphore<> free(in_flight);
  std::atomic<int> done{0};
  const Bytes value = Bytes::take(std::string(128, 'v'));
  return seconds_of([&] {
    for (int i = 0; i < puts; ++i) {
      free.acquire();
      StoreTransaction transaction;
      transaction.then.push_back(
          StoreOperation::put(key_of(from + static_cast<std::uint64_t>(i) * 7'919), value));
      store.commit(std::move(transaction), [&](const Result<StoreOutcome>&) {
        ++done;
        free.release();
      });
    }
    while (done < puts) std::this_thread::yield();
  });
}

void measure_store(int rounds) {
  World world;
  const std::string folder =
      fs::temp_directory_path().string() + "/hector-bench-" + std::to_string(getpid());
  fs::create_directories(folder);
  auto journal = stores::SqliteJournal::open({folder + "/ours"});
  auto engine = stores::Engine::make(world.options(), std::move(*journal));
  std::vector<double> raw, ours, ratio, single, reads;
  for (int r = 0; r < rounds; ++r) {
    const auto from = static_cast<std::uint64_t>(r) * 1'000'003;
    raw.push_back(kPuts / raw_sqlite(folder, from));
    ours.push_back(kPuts / our_puts(**engine, from, kPuts, 512));
    ratio.push_back(ours.back() / raw.back());
    single.push_back(our_puts(**engine, from, 500, 1) / 500);
    constexpr int kReads = 200'000;
    reads.push_back(seconds_of([&] {
                      for (int i = 0; i < kReads; ++i)
                        (*engine)->read(
                            {KeyRange::one(key_of(static_cast<std::uint64_t>(i) * 7'919))},
                            [](const Result<StorePage>&) {});
                    }) /
                    kReads);
  }
  fmt::print(
      "store on SQLite, puts acknowledged durable, 512 in flight: {}; raw SQLite, 64 a commit: {}; "
      "ratio {}\n",
      spread(ours, "/s"), spread(raw, "/s"), spread(ratio, "x"));
  fmt::print("store on SQLite, one put at a time: {}\n", spread(single, "us", 1e6));
  fmt::print("store, one key read (with making its name): {}\n", spread(reads, "ns", 1e9));
  engine->reset();
  fs::remove_all(folder);
}

constexpr int kPolicies = 10'000;
struct PolicyCase {
  const char* what;
  std::string text;
  std::vector<std::pair<std::string, std::string>> questions;  ///< name, class
};
/// Names and classes of few words, a third of all bindings loose: many entries nearly match, the
/// worst that a tree can be given.
PolicyCase dense_policies() {
  PolicyCase made{"dense", {}, {}};
  std::mt19937_64 random(1);
  const auto word = [&](const char* first) { return first + std::to_string(random() % 12); };
  for (int i = 0; i < kPolicies; ++i) {
    made.text += random() % 3 == 0 ? "*" : "";
    for (int c = 0; c < 4; ++c)
      made.text += (random() % 4 == 0 ? word("C") : word("n")) + (random() % 3 == 0 ? "*" : ".");
    made.text += word("leaf") + ": value " + std::to_string(i) + "\n";
  }
  for (int i = 0; i < 1'000; ++i) {
    std::string name, class_name;
    for (int c = 0; c < 4; ++c) name += word("n") + ".", class_name += word("C") + ".";
    made.questions.emplace_back(name + word("leaf"), class_name + "C1");
  }
  return made;
}
/// As a site writes them: a few rules for all, one for each of 100 operations of each of 99
/// capsules.
PolicyCase site_policies() {
  PolicyCase made{
      "site", "*deadline_ms: 2000\n*protocols: local udp\nhector*Rpc.deadline_ms: 1000\n", {}};
  for (int i = 0; i < kPolicies - 3; ++i)
    made.text += fmt::format("hector.c{}.Session.op{}.deadline_ms: {}\n", i / 100, i % 100, i);
  std::mt19937_64 random(2);
  for (int i = 0; i < 1'000; ++i) {
    made.questions.emplace_back(
        fmt::format("hector.c{}.session.op{}.{}", random() % 120, random() % 100,
                    random() % 2 == 0 ? "deadline_ms" : "protocols"),
        "Hector.Capsule.Session.Rpc.Limit");
  }
  return made;
}

void measure_policy(int rounds, const PolicyCase& given) {
  using namespace hector::policy;
  constexpr int kQuestions = 200'000;
  const auto& [what, text, questions] = given;
  XrmInitialize();
  XrmDatabase theirs = XrmGetStringDatabase(text.c_str());
  Contexts contexts([] { return std::int64_t{0}; });
  if (!contexts.try_text(text, Dialect::kXrm)) return;
  std::vector<Question> prepared;
  for (const auto& [name, class_name] : questions)
    prepared.push_back(*contexts.question(name, class_name, {"text"}));
  std::vector<double> xrm, cold, ready, again;
  std::size_t found[4] = {};
  for (int r = 0; r < rounds; ++r) {
    xrm.push_back(seconds_of([&] {
                    for (int i = 0; i < kQuestions; ++i) {
                      char* type = nullptr;
                      XrmValue value{};
                      const auto& [name, class_name] =
                          questions[static_cast<std::size_t>(i) % questions.size()];
                      found[0] += XrmGetResource(theirs, name.c_str(), class_name.c_str(), &type,
                                                 &value) != 0;
                    }
                  }) /
                  kQuestions);
    cold.push_back(seconds_of([&] {
                     for (int i = 0; i < kQuestions; ++i) {
                       const auto& [name, class_name] =
                           questions[static_cast<std::size_t>(i) % questions.size()];
                       found[1] +=
                           contexts.get(*contexts.question(name, class_name, {"text"})).entry !=
                           nullptr;
                     }
                   }) /
                   kQuestions);
    ready.push_back(
        seconds_of([&] {
          for (int i = 0; i < kQuestions; ++i)
            found[2] +=
                contexts.get(prepared[static_cast<std::size_t>(i) % prepared.size()]).entry !=
                nullptr;
        }) /
        kQuestions);
  }
  for (int r = 0; r < rounds; ++r) {
    again.push_back(
        seconds_of([&] {
          for (int i = 0; i < kQuestions; ++i) {
            const auto& [name, class_name] =
                questions[static_cast<std::size_t>(i) % questions.size()];
            std::string key;
            key.append(name).append(1, '\0').append(class_name);
            found[3] +=
                contexts.get(key, [&] { return contexts.question(name, class_name, {"text"}); })
                    ->entry != nullptr;
          }
        }) /
        kQuestions);
  }
  fmt::print(
      "policy ({}), {} entries, 5 levels: remembered, from strings {}; new, from strings {}; "
      "prepared {}; libX11 from strings {}; {} answers of {} each\n",
      what, kPolicies, spread(again, "ns", 1e9), spread(cold, "ns", 1e9), spread(ready, "ns", 1e9),
      spread(xrm, "ns", 1e9), found[0] / static_cast<std::size_t>(rounds), kQuestions);
}

/// A site's rights: 20 sets of 5 policies, 1,000 users in 10 groups, and a thousand questions.
void measure_rights(int rounds) {
  using namespace hector::policy;
  constexpr int kQuestions = 20'000;
  Rights rights;
  const auto put = [&](const std::string& key, const auto& message) {
    StoreEvent event;
    event.entry.key = key;
    event.entry.value = Bytes::take(message.SerializeAsString());
    rights.apply(event);
  };
  for (int i = 0; i < 20; ++i) {
    v1::PolicyRules rules;
    rules.set_name(fmt::format("set{}", i));
    rules.set_text(
        fmt::format("permit (principal in Group::\"g{0}\", action == Action::\"read\", resource);\n"
                    "permit (principal, action, resource) when {{ resource.owner == principal }};\n"
                    "permit (principal is User, action == Action::\"write\", resource) when {{ "
                    "principal.level > "
                    "{0} && context.member like \"m*\" }};\n"
                    "forbid (principal, action, resource) when {{ resource.sealed && "
                    "principal.level < {0} }};\n"
                    "forbid (principal in Group::\"banned\", action, resource);\n",
                    i));
    put("p/" + rules.name(), rules);
  }
  std::vector<v1::PolicyAuthorisation> questions;
  for (int i = 0; i < 1'000; ++i) {
    v1::PolicyEntity user;
    user.set_id(fmt::format("User::\"u{}\"", i));
    user.set_attributes(fmt::format("{{\"level\": {}}}", i % 30));
    user.add_parents(fmt::format("Group::\"g{}\"", i % 10));
    put("n/" + user.id(), user);
    v1::PolicyEntity document;
    document.set_id(fmt::format("Doc::\"d{}\"", i));
    document.set_attributes(fmt::format(
        R"({{"sealed": false, "owner": {{"__entity": {{"type": "User", "id": "u{}"}}}}}})", i));
    put("n/" + document.id(), document);
    v1::PolicyAuthorisation asked;
    asked.set_principal(user.id());
    asked.set_action("read");
    asked.set_resource(fmt::format("Doc::\"d{}\"", i * 7 % 1'000));
    asked.set_context(R"({"member": "m1"})");
    questions.push_back(asked);
  }
  std::vector<double> first, again;
  std::size_t allowed = 0;
  v1::PolicyEntity newcomer;
  newcomer.set_id("User::\"new\"");
  const auto ask_all = [&](int count) {
    return seconds_of([&] {
             for (int i = 0; i < count; ++i)
               allowed += rights.decide(questions[static_cast<std::size_t>(i) % 1'000])->allowed();
           }) /
           count;
  };
  for (int r = 0; r < rounds; ++r) {
    put("n/" + newcomer.id(), newcomer);  // what was decided is forgotten
    first.push_back(ask_all(1'000));
    again.push_back(ask_all(kQuestions));
  }
  fmt::print("rights, 100 policies, 2,000 entities: new {}; asked before {}; {} allowed\n",
             spread(first, "µs", 1e6), spread(again, "µs", 1e6), allowed);
}

void measure_trading(int rounds, int count) {
  using namespace hector::trading;
  World world;
  class NoJournal final : public stores::Journal {
   public:
    Result<stores::Loaded> load(const std::function<void(stores::Record)>&) override {
      return stores::Loaded{};
    }
    Status append(const stores::Batch&) override { return {}; }
    Status rewrite(const stores::Loaded&, const stores::History&) override { return {}; }
    bool is_instant() const noexcept override { return true; }
    std::string provider() const override { return "memory"; }
  };
  auto options = world.options();
  options.history = 1'000;
  auto engine = stores::Engine::make(options, std::make_unique<NoJournal>());
  Offers offers;
  state::Replica replica({engine->get(), world.clock.get(), world.loops.get(), world.log.get()},
                         "tr/", offers);
  if (!replica.start()) return;
  malloc_trim(0);
  const std::size_t before = resident();
  std::mt19937_64 random(1);
  const double exporting = seconds_of([&] {
    for (int i = 0; i < count; ++i) {
      v1::TradingOffer offer;
      offer.set_type("P");
      offer.set_id(fmt::format("P#{}", i + 1));
      auto& reference = *offer.mutable_reference();
      reference.set_object(fmt::format("printer-{}", i));
      reference.set_capsule("north");
      reference.set_interface_id("printing.Printer/1");
      auto& profile = *reference.add_profiles();
      profile.set_protocol("udp");
      profile.set_address("127.0.0.1:4242");
      auto& properties = *offer.mutable_properties();
      properties["name"] = fmt::format("\"lp{}\"", i);
      properties["region"] = fmt::format("\"r{}\"", random() % 1'000);
      properties["ppm"] = std::to_string(random() % 100'000);
      properties["cost"] = fmt::format("{}.5", random() % 100);
      properties["colour"] = random() % 2 == 0 ? "true" : "false";
      replica.change(
          [&] {
            StoreTransaction transaction;
            const std::string key = "o/" + offer.id();
            transaction.compares.push_back(StoreCompare::absent(key));
            transaction.then.push_back(
                StoreOperation::put(key, Bytes::take(offer.SerializeAsString())));
            return Result<StoreTransaction>(std::move(transaction));
          },
          [](const Result<Revision>&) {});
    }
  });
  fmt::print(
      "trading, {} offers of 5 properties: an export {:.1f} us, {:.0f} octets an offer (with the "
      "store's copy and the indexes)\n",
      count, exporting / count * 1e6, static_cast<double>(resident() - before) / count);
  struct Query {
    const char* constraint;
    const char* preference;
  };
  for (const auto& [text, order] : {Query{"region == 'r7' and cost < 50 and colour", "max ppm"},
                                    Query{"ppm > 50000 and cost < 50 and colour", "max ppm"},
                                    Query{"ppm > 99000 and cost < 50 and colour", "min cost"},
                                    Query{"cost < 1 and region != 'r3' and not colour", "max ppm"},
                                    Query{"region == 'r7' or region == 'r8'", "max ppm"}}) {
    auto constraint = expression::compile_constraint(text, {});
    auto preference = expression::compile_preference(order, {});
    std::vector<double> took;
    Answer answer;
    for (int r = 0; r < rounds * 20; ++r)
      took.push_back(seconds_of([&] {
        answer = offers.query(offers.scope("P", false), *constraint, *preference,
                              {UINT32_MAX, UINT32_MAX, 10}, *world.random);
      }));
    fmt::print("  {} / {}, 10 of them: {}; looked at {} by {}\n", text, order,
               spread(took, "us", 1e6), answer.looked_at, answer.plan);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  const int offers = argc > 2 ? std::max(1'000, std::atoi(argv[2])) : 1'000'000;
  measure_store(rounds);
  for (const auto& each : {dense_policies(), site_policies()}) measure_policy(rounds, each);
  measure_rights(rounds);
  measure_trading(rounds, offers);
}
