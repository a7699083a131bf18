#include "sqlite_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "hector/check.h"

namespace hector::stores {

namespace fs = std::filesystem;

namespace {

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS log(rev INTEGER NOT NULL, sub INTEGER NOT NULL, put INTEGER NOT NULL, k BLOB NOT NULL, v BLOB, created INTEGER NOT NULL,
  ver INTEGER NOT NULL, lease INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY(rev, sub)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease(id INTEGER PRIMARY KEY, ttl_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outcome(k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS kv AS SELECT k, v, created, rev AS modified, ver AS version, lease FROM log AS l
  WHERE put AND NOT EXISTS (SELECT 1 FROM log AS later WHERE later.k = l.k AND (later.rev, later.sub) > (l.rev, l.sub));
)sql";
/// Of the tables above. A file with a higher one was written by a newer build.
constexpr std::int64_t kFormat = 1;

std::uint32_t crc_of(const Record& record) {
  const std::int64_t numbers[] = {
      record.revision,       record.sub,
      record.is_put ? 1 : 0, static_cast<std::int64_t>(record.key.size()),
      record.created,        record.version,
      record.lease};
  Crc32c crc;
  crc.process_bytes(numbers, sizeof numbers);
  crc.process_bytes(record.key.data(), record.key.size());
  crc.process_bytes(record.value.data(), record.value.size());
  return crc.checksum();
}

Error corrupt(std::string what) {
  return Error::data_loss("CORRUPT: " + std::move(what) + "; restore a backup")
      .with_type(kStoreCorrupt);
}

/// SQLite's locks do not hold on a network file system, and a rename is no barrier there.
Status refuse_network(const std::string& path) {
  struct statfs where {};
  if (statfs(path.c_str(), &where) != 0)
    return fail(Error::not_found(
        fmt::format("the store's folder '{}' cannot be used: {}", path, std::strerror(errno))));
  // statfs(2)'s numbers
  constexpr long kNfs = 0x6969, kSmb = 0x517B, kSmb2 = 0xFE534D42, kCifs = 0xFF534D42;
  for (const long kind : {kNfs, kSmb, kSmb2, kCifs}) {
    if (where.f_type == kind)
      return fail(Error::failed_precondition(
          fmt::format("'{}' is on a network file system, where a write is not durable when it "
                      "says so; choose a local folder, or `store: etcd://…`",
                      path)));
  }
  return {};
}

Status keep_folder(const std::string& path) {
  const int folder = ::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_kept = folder >= 0 && fsync(folder) == 0;
  if (folder >= 0) close(folder);
  if (!is_kept)
    return fail(Error::unavailable(
        fmt::format("the folder of '{}' cannot be made durable: {}", path, std::strerror(errno))));
  return {};
}

/// A file of this name is a complete, rewritten store that replaces the one beside it.
constexpr const char* kRecovered = ".recovered";

/// Idempotent, wherever a crash interrupted it. The old WAL is removed before the new file gets the
/// name, or SQLite would replay it into the new file.
Status take_recovered(const std::string& path) {
  if (!fs::exists(path + kRecovered)) return {};
  std::error_code failed;
  for (const char* rest : {"-wal", "-shm", "-journal"}) {
    if (!failed) fs::remove(path + rest, failed);
  }
  if (!failed) fs::rename(path + kRecovered, path, failed);
  if (failed)
    return fail(Error::unavailable(
        fmt::format("'{}{}' cannot replace '{}': {}", path, kRecovered, path, failed.message())));
  return keep_folder(path);
}

}  // namespace

void SqliteJournal::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void SqliteJournal::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteJournal::~SqliteJournal() = default;

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(SqliteOptions options) {
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(std::move(options)));
  const auto& path = journal->options_.path;
  if (path.empty() || path.front() != '/')
    return fail(
        Error::invalid_argument(fmt::format("a store's file is an absolute path, not '{}'", path)));
  if (journal->options_.vfs.empty()) {
    std::error_code error;
    const fs::path folder = fs::path(path).parent_path();
    fs::create_directories(folder, error);
    HECTOR_TRY(refuse_network(folder.string()));
    // An unfinished rewrite was never the store.
    for (const char* rest : {".new", ".new-wal", ".new-journal"}) fs::remove(path + rest, error);
    HECTOR_TRY(take_recovered(path));
  }
  HECTOR_TRY(journal->open_file(path));
  return journal;
}

Error SqliteJournal::error(const char* what) const {
  const int why = errno;  // step() keeps what the write met; SQLite does not
  const int code = sqlite3_extended_errcode(database_.get());
  const std::string text =
      fmt::format("{}: SQLite cannot {}: {}", options_.path, what, sqlite3_errmsg(database_.get()));
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Error::resource_exhausted(text + "; nothing was written, make room on the disk");
    case SQLITE_NOMEM:
      return Error::resource_exhausted(text + "; nothing was written");
    case SQLITE_BUSY:
      return Error::failed_precondition(
          fmt::format("the store '{}' is held by another process; end it, or choose another file",
                      options_.path));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return corrupt(text);
    case SQLITE_IOERR:
      // As on a full disk: the part of a transaction that is in the file does not count.
      if (code == SQLITE_IOERR_WRITE && (why == EFBIG || why == EDQUOT))
        return Error::resource_exhausted(
            fmt::format("{}; nothing was written: {}; raise `ulimit -f`, or the quota", text,
                        std::strerror(why)));
      return Error::unavailable(text + "; recovery will show whether the last writes are kept")
          .with_type(kOutcomeUnknown);
    default:
      return Error::unavailable(text);
  }
}

Status SqliteJournal::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(error("open the file"));
  return {};
}

Result<SqliteJournal::Statement> SqliteJournal::statement(const char* sql) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr) !=
      SQLITE_OK)
    return fail(error("prepare"));
  return Statement(made);
}

Status SqliteJournal::open_file(const std::string& path) {
  HECTOR_CHECK(database_ == nullptr, "a file is opened over an open one");
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   options_.vfs.empty() ? nullptr : options_.vfs.c_str());
  database_.reset(opened);
  if (code != SQLITE_OK) return fail(error("open the file"));
  for (const char* each :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=4000", "PRAGMA journal_size_limit=67108864",
        "PRAGMA temp_store=MEMORY", kSchema}) {
    HECTOR_TRY(execute(each));
  }
  return prepare();
}

Status SqliteJournal::prepare() {
  static constexpr std::array<const char*, kStatements> kSql = {
      "BEGIN IMMEDIATE",
      "COMMIT",
      "ROLLBACK",
      "INSERT INTO log VALUES(?,?,?,?,?,?,?,?,?)",
      "INSERT OR REPLACE INTO lease VALUES(?,?)",
      "DELETE FROM lease WHERE id=?",
      "INSERT OR REPLACE INTO outcome VALUES(?,?)",
      "DELETE FROM outcome WHERE k=?",
      "DELETE FROM log WHERE rev=? AND sub=?",
      "INSERT OR REPLACE INTO meta VALUES(?,?)"};
  static_assert(kSql.back() != nullptr, "a Prepared has no statement");
  for (std::size_t i = 0; i < kStatements; ++i) statements_[i] = HECTOR_TRY(statement(kSql[i]));
  return {};
}

namespace {

int bind(sqlite3_stmt* statement, int at, std::int64_t value) {
  return sqlite3_bind_int64(statement, at, value);
}
int bind(sqlite3_stmt* statement, int at, const std::string& text) {
  return sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()),
                           SQLITE_STATIC);
}
/// Octets: a BLOB; of none, an empty one and not NULL.
int bind(sqlite3_stmt* statement, int at, std::string_view octets) {
  return sqlite3_bind_blob(statement, at, octets.data() == nullptr ? "" : octets.data(),
                           static_cast<int>(octets.size()), SQLITE_STATIC);
}

}  // namespace

template <class... Values>
Status SqliteJournal::run(sqlite3_stmt* statement, const Values&... values) {
  HECTOR_CHECK(sqlite3_bind_parameter_count(statement) == sizeof...(values),
               "a statement has other parameters");
  int at = 0;
  int failed = SQLITE_OK;
  const auto one = [&](const auto& value) {
    const int code = bind(statement, ++at, value);
    if (failed == SQLITE_OK) failed = code;
  };
  (one(values), ...);
  if (failed != SQLITE_OK) return fail(error("write"));
  return step(statement);
}

Status SqliteJournal::step(sqlite3_stmt* statement) {
  HECTOR_CHECK(statement != nullptr, "a statement is run before it was prepared");
  errno = 0;
  const int code = sqlite3_step(statement);
  const int why = errno;
  sqlite3_reset(statement);
  errno = why;
  if (code != SQLITE_DONE && code != SQLITE_ROW) return fail(error("write"));
  return {};
}

Result<std::optional<std::int64_t>> SqliteJournal::meta(const char* name) {
  auto read = HECTOR_TRY(statement("SELECT value FROM meta WHERE name=?"));
  sqlite3_bind_text(read.get(), 1, name, -1, SQLITE_STATIC);
  const int code = sqlite3_step(read.get());
  if (code == SQLITE_ROW) return sqlite3_column_int64(read.get(), 0);
  if (code == SQLITE_DONE) return std::nullopt;
  return fail(error("read"));
}

namespace {

std::string blob(sqlite3_stmt* row, int column) {
  const auto* const data = static_cast<const char*>(sqlite3_column_blob(row, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  return data == nullptr ? std::string() : std::string(data, size);
}

Record record_of(sqlite3_stmt* row) {
  Record record;
  record.revision = sqlite3_column_int64(row, 0);
  record.sub = static_cast<std::uint32_t>(sqlite3_column_int64(row, 1));
  record.is_put = sqlite3_column_int(row, 2) != 0;
  record.key = blob(row, 3);
  record.value = Bytes::copy(sqlite3_column_blob(row, 4),
                             static_cast<std::size_t>(sqlite3_column_bytes(row, 4)));
  record.created = sqlite3_column_int64(row, 5);
  record.version = sqlite3_column_int64(row, 6);
  record.lease = sqlite3_column_int64(row, 7);
  return record;
}

}  // namespace

Status SqliteJournal::read_log(Revision compacted, const std::function<void(Record)>& record) {
  auto read = HECTOR_TRY(
      statement("SELECT rev,sub,put,k,v,created,ver,lease,crc FROM log ORDER BY rev,sub"));
  sqlite3_stmt* row = read.get();
  Revision last = 0;
  std::uint32_t last_sub = 0;
  for (;;) {
    const int code = sqlite3_step(row);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return fail(error("read"));
    Record next = record_of(row);
    const auto damaged = [&](const char* why) {
      return fail(corrupt(fmt::format("{}: table log, rev {}, sub {}: {}", options_.path,
                                      next.revision, next.sub, why)));
    };
    if (static_cast<std::uint32_t>(sqlite3_column_int64(row, 8)) != crc_of(next))
      return damaged("the checksum is wrong");
    if (next.revision < 1 || next.revision < last)
      return damaged("its revision is not after the one before");
    // After what was compacted every revision is there, and of a revision every row: a gap is
    // damage.
    const bool follows = next.revision == last ? next.sub == last_sub + 1
                                               : next.revision == last + 1 && next.sub == 0;
    const bool is_first = last <= compacted && next.revision == compacted + 1 && next.sub == 0;
    if (next.revision > compacted && !follows && !is_first)
      return damaged("what comes before it is missing");
    last = next.revision;
    last_sub = next.sub;
    record(std::move(next));
  }
}

Result<Loaded> SqliteJournal::load(const std::function<void(Record)>& record) {
  auto check = HECTOR_TRY(statement("PRAGMA quick_check(1)"));
  if (sqlite3_step(check.get()) != SQLITE_ROW) return fail(error("check the file"));
  const std::string found = reinterpret_cast<const char*>(sqlite3_column_text(check.get(), 0));
  if (found != "ok") return fail(corrupt(fmt::format("{}: {}", options_.path, found)));
  check.reset();
  const auto format = HECTOR_TRY(meta("format"));
  const auto epoch = HECTOR_TRY(meta("epoch"));
  const auto compacted = HECTOR_TRY(meta("compacted"));
  if (format.value_or(0) > kFormat)
    return fail(Error::failed_precondition(
        fmt::format("{} has format {}, this build reads up to {}: use a newer one", options_.path,
                    *format, kFormat)));
  Loaded loaded;
  loaded.compacted = compacted.value_or(0);
  loaded.epoch = static_cast<std::uint64_t>(epoch.value_or(0));
  // They are written together: one without the other is damage. (An Engine refuses a log without an
  // epoch.)
  if (format.has_value() != epoch.has_value())
    return fail(corrupt(
        fmt::format("{}: table meta has no row '{}'", options_.path, format ? "epoch" : "format")));
  HECTOR_TRY(read_log(loaded.compacted, record));
  HECTOR_TRY(read_leases(loaded));
  HECTOR_TRY(read_outcomes(loaded));
  return loaded;
}

Status SqliteJournal::read_leases(Loaded& loaded) {
  auto read = HECTOR_TRY(statement("SELECT id,ttl_ms FROM lease"));
  int code = SQLITE_DONE;
  while ((code = sqlite3_step(read.get())) == SQLITE_ROW)
    loaded.leases.emplace_back(sqlite3_column_int64(read.get(), 0),
                               std::chrono::milliseconds(sqlite3_column_int64(read.get(), 1)));
  if (code != SQLITE_DONE) return fail(error("read"));
  return {};
}

Status SqliteJournal::read_outcomes(Loaded& loaded) {
  auto read = HECTOR_TRY(statement("SELECT k,v FROM outcome"));
  int code = SQLITE_DONE;
  while ((code = sqlite3_step(read.get())) == SQLITE_ROW)
    loaded.outcomes.emplace_back(blob(read.get(), 0), blob(read.get(), 1));
  if (code != SQLITE_DONE) return fail(error("read"));
  return {};
}

Status SqliteJournal::write_records(const std::vector<Record>& records) {
  for (const auto& record : records) {
    HECTOR_TRY(run(prepared(kInsert), record.revision, std::int64_t{record.sub},
                   std::int64_t{record.is_put}, std::string_view(record.key), record.value.view(),
                   record.created, record.version, record.lease, std::int64_t{crc_of(record)}));
    reached("store.record");
  }
  return {};
}

Status SqliteJournal::write_leases(const Batch& batch) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  for (const auto& [lease, ttl] : batch.granted)
    HECTOR_TRY(
        run(prepared(kPutLease), lease, std::int64_t{duration_cast<milliseconds>(ttl).count()}));
  for (const LeaseId lease : batch.ended) HECTOR_TRY(run(prepared(kEraseLease), lease));
  return {};
}

Status SqliteJournal::write_outcomes(const Batch& batch) {
  for (const auto& [key, outcome] : batch.outcomes)
    HECTOR_TRY(run(prepared(kPutOutcome), key, outcome));
  for (const auto& key : batch.forgotten) HECTOR_TRY(run(prepared(kEraseOutcome), key));
  return {};
}

Status SqliteJournal::write_meta(const Batch& batch) {
  const auto set = [this](const std::string& name, std::int64_t value) {
    return run(prepared(kPutMeta), name, value);
  };
  if (batch.epoch != 0) {
    HECTOR_TRY(set("epoch", static_cast<std::int64_t>(batch.epoch)));
    HECTOR_TRY(set("format", kFormat));
  }
  if (batch.compacted != 0) HECTOR_TRY(set("compacted", batch.compacted));
  for (const auto& [revision, sub] : batch.dropped)
    HECTOR_TRY(run(prepared(kEraseRecord), revision, std::int64_t{sub}));
  return {};
}

Status SqliteJournal::write(const Batch& batch) {
  HECTOR_CHECK(sqlite3_get_autocommit(database_.get()) != 0, "a transaction is still open");
  reached("store.begin");
  HECTOR_TRY(step(prepared(kBegin)));
  reached("store.begun");
  HECTOR_TRY(write_records(batch.records));
  HECTOR_TRY(write_leases(batch));
  HECTOR_TRY(write_outcomes(batch));
  HECTOR_TRY(write_meta(batch));
  reached("store.commit");
  HECTOR_TRY(step(prepared(kCommit)));
  HECTOR_CHECK(sqlite3_get_autocommit(database_.get()) != 0, "a commit left its transaction open");
  reached("store.committed");
  return {};
}

Status SqliteJournal::append(const Batch& batch) {
  HECTOR_CHECK(database_ != nullptr, "an append to a closed file");
  auto done = write(batch);
  if (!done && sqlite3_get_autocommit(database_.get()) == 0) {
    // SQLite has not rolled back by itself. If this fails too, the next BEGIN says why.
    [[maybe_unused]] const Status undone = step(prepared(kRollback));
  }
  return done;
}

void SqliteJournal::close_file() {
  for (auto& each : statements_) each.reset();
  database_.reset();
}

Status SqliteJournal::rewrite(const Loaded& state, const History& history) {
  const std::string fresh = options_.path + ".new";
  close_file();
  std::error_code ignored;
  for (const char* rest : {".new", ".new-wal", ".new-journal"})
    fs::remove(options_.path + rest, ignored);
  HECTOR_TRY(open_file(fresh));
  Batch all;
  history.each_record([&](const Record& record) { all.records.push_back(record); });
  all.granted = state.leases;
  all.outcomes = state.outcomes;
  all.epoch = state.epoch;
  all.compacted = state.compacted;
  HECTOR_TRY(write(all));
  // Out of the WAL and into the file, so that renaming one file moves all of it.
  HECTOR_TRY(execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  close_file();
  reached("store.rewritten");
  std::error_code failed;
  fs::rename(fresh, options_.path + kRecovered, failed);
  if (failed)
    return fail(
        Error::unavailable(fmt::format("'{}' cannot be renamed: {}", fresh, failed.message())));
  HECTOR_TRY(keep_folder(options_.path));
  reached("store.recovered");
  HECTOR_TRY(take_recovered(options_.path));
  return open_file(options_.path);
}

}  // namespace hector::stores
