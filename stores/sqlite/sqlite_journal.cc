#include "sqlite_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <filesystem>

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
  return {Code::kDataLoss,
          "CORRUPT: " + std::move(what) + "; restore a backup",
          std::string(kStoreCorrupt),
          {},
          {}};
}

/// SQLite's locks do not hold there, and a rename is no barrier.
Status refuse_network(const std::string& path) {
  struct statfs where {};
  if (statfs(path.c_str(), &where) != 0)
    return fail(Code::kNotFound, fmt::format("the store's folder '{}' cannot be used: {}", path,
                                             std::strerror(errno)));
  constexpr long kNfs = 0x6969, kSmb = 0x517B, kSmb2 = 0xFE534D42, kCifs = 0xFF534D42;
  for (const long kind : {kNfs, kSmb, kSmb2, kCifs}) {
    if (where.f_type == kind)
      return fail(Code::kFailedPrecondition,
                  fmt::format("'{}' is on a network file system, where a write is not durable when "
                              "it says so; choose a local folder, or `store: etcd://…`",
                              path));
  }
  return {};
}

Status keep_folder(const std::string& path) {
  const int folder = ::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_kept = folder >= 0 && fsync(folder) == 0;
  if (folder >= 0) close(folder);
  if (!is_kept)
    return fail(Code::kUnavailable, fmt::format("the folder of '{}' cannot be made durable: {}",
                                                path, std::strerror(errno)));
  return {};
}

/// A file of this name is a whole store, written anew, that has to take the place of the one beside
/// it.
constexpr const char* kRecovered = ".recovered";

/// May be begun again wherever it stopped: the old WAL goes before the new file has its name, or
/// SQLite would play it into that.
Status take_recovered(const std::string& path) {
  if (!fs::exists(path + kRecovered)) return {};
  std::error_code failed;
  for (const char* rest : {"-wal", "-shm", "-journal"}) {
    if (!failed) fs::remove(path + rest, failed);
  }
  if (!failed) fs::rename(path + kRecovered, path, failed);
  if (failed)
    return fail(Code::kUnavailable, fmt::format("'{}{}' cannot take the place of '{}': {}", path,
                                                kRecovered, path, failed.message()));
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
    return fail(Code::kInvalidArgument,
                fmt::format("a store's file is an absolute path, not '{}'", path));
  if (journal->options_.vfs.empty()) {
    std::error_code error;
    const fs::path folder = fs::path(path).parent_path();
    fs::create_directories(folder, error);
    HECTOR_TRY(refuse_network(folder.string()));
    // A rewrite that did not come to its end was never the store.
    for (const char* rest : {".new", ".new-wal", ".new-journal"}) fs::remove(path + rest, error);
    if (auto taken = take_recovered(path); !taken) return fail(taken.error());
  }
  HECTOR_TRY(journal->open_file(path));
  return journal;
}

Error SqliteJournal::error(const char* what) const {
  const int code = sqlite3_extended_errcode(database_.get());
  const std::string text = fmt::format("{}: {} cannot {}: {}", options_.path, "SQLite", what,
                                       sqlite3_errmsg(database_.get()));
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {Code::kResourceExhausted, text + "; nothing was written, make room on the disk"};
    case SQLITE_BUSY:
      return {
          Code::kFailedPrecondition,
          fmt::format("the store '{}' is held by another process; end it, or choose another file",
                      options_.path)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return corrupt(text);
    case SQLITE_IOERR:
      return {Code::kUnavailable,
              text + "; whether the last writes are kept shows after recovery",
              std::string(kOutcomeUnknown),
              {},
              {}};
    default:
      return {Code::kUnavailable, text};
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
    if (auto done = execute(each); !done) return done;
  }
  return prepare();
}

Status SqliteJournal::prepare() {
  const std::pair<Statement*, const char*> all[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&insert_, "INSERT INTO log VALUES(?,?,?,?,?,?,?,?,?)"},
      {&lease_, "INSERT OR REPLACE INTO lease VALUES(?,?)"},
      {&end_lease_, "DELETE FROM lease WHERE id=?"},
      {&outcome_, "INSERT OR REPLACE INTO outcome VALUES(?,?)"},
      {&forget_, "DELETE FROM outcome WHERE k=?"},
      {&drop_, "DELETE FROM log WHERE rev=? AND sub=?"},
      {&meta_, "INSERT OR REPLACE INTO meta VALUES(?,?)"}};
  for (const auto& [place, sql] : all) {
    auto made = HECTOR_TRY(statement(sql));
    *place = std::move(made);
  }
  return {};
}

Status SqliteJournal::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  if (code != SQLITE_DONE && code != SQLITE_ROW) return fail(error("write"));
  return {};
}

Result<std::int64_t> SqliteJournal::meta(const char* name) {
  auto read = HECTOR_TRY(statement("SELECT value FROM meta WHERE name=?"));
  sqlite3_bind_text(read.get(), 1, name, -1, SQLITE_STATIC);
  const int code = sqlite3_step(read.get());
  if (code == SQLITE_ROW) return sqlite3_column_int64(read.get(), 0);
  if (code == SQLITE_DONE) return 0;
  return fail(error("read"));
}

Status SqliteJournal::read_log(const std::function<void(Record)>& record) {
  auto read = HECTOR_TRY(
      statement("SELECT rev,sub,put,k,v,created,ver,lease,crc FROM log ORDER BY rev,sub"));
  sqlite3_stmt* row = read.get();
  Revision last = 0;
  std::uint32_t last_sub = 0;
  auto compacted = HECTOR_TRY(meta("compacted"));
  for (;;) {
    const int code = sqlite3_step(row);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return fail(error("read"));
    Record next;
    next.revision = sqlite3_column_int64(row, 0);
    next.sub = static_cast<std::uint32_t>(sqlite3_column_int64(row, 1));
    next.is_put = sqlite3_column_int(row, 2) != 0;
    next.key.assign(static_cast<const char*>(sqlite3_column_blob(row, 3)),
                    static_cast<std::size_t>(sqlite3_column_bytes(row, 3)));
    next.value = Bytes::copy(sqlite3_column_blob(row, 4),
                             static_cast<std::size_t>(sqlite3_column_bytes(row, 4)));
    next.created = sqlite3_column_int64(row, 5);
    next.version = sqlite3_column_int64(row, 6);
    next.lease = sqlite3_column_int64(row, 7);
    const std::string at =
        fmt::format("{}: table log, rev {}, sub {}", options_.path, next.revision, next.sub);
    if (static_cast<std::uint32_t>(sqlite3_column_int64(row, 8)) != crc_of(next))
      return fail(corrupt(at + ": the checksum is wrong"));
    // After what was compacted every revision is there, and of a revision every row: a gap is
    // damage.
    const bool follows = next.revision == last ? next.sub == last_sub + 1
                                               : next.revision == last + 1 && next.sub == 0;
    if (next.revision > compacted && !follows &&
        !(last <= compacted && next.revision == compacted + 1 && next.sub == 0))
      return fail(corrupt(at + ": what comes before it is missing"));
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
  Loaded loaded;
  auto format = meta("format"), compacted = meta("compacted"), epoch = meta("epoch");
  for (const auto* each : {&format, &compacted, &epoch}) {
    if (!*each) return fail(each->error());
  }
  if (*format > kFormat)
    return fail(Code::kFailedPrecondition,
                fmt::format("{} has format {}, this build reads up to {}: use a newer one",
                            options_.path, *format, kFormat));
  loaded.compacted = *compacted;
  loaded.epoch = static_cast<std::uint64_t>(*epoch);
  HECTOR_TRY(read_log(record));
  auto leases = HECTOR_TRY(statement("SELECT id,ttl_ms FROM lease"));
  while (sqlite3_step(leases.get()) == SQLITE_ROW)
    loaded.leases.emplace_back(sqlite3_column_int64(leases.get(), 0),
                               std::chrono::milliseconds(sqlite3_column_int64(leases.get(), 1)));
  auto outcomes = HECTOR_TRY(statement("SELECT k,v FROM outcome"));
  while (sqlite3_step(outcomes.get()) == SQLITE_ROW) {
    const auto text = [&](int column) {
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(outcomes.get(), column)),
                         static_cast<std::size_t>(sqlite3_column_bytes(outcomes.get(), column)));
    };
    loaded.outcomes.emplace_back(text(0), text(1));
  }
  return loaded;
}

Status SqliteJournal::write_records(const std::vector<Record>& records) {
  for (const auto& record : records) {
    sqlite3_stmt* row = insert_.get();
    sqlite3_bind_int64(row, 1, record.revision);
    sqlite3_bind_int64(row, 2, record.sub);
    sqlite3_bind_int(row, 3, record.is_put ? 1 : 0);
    sqlite3_bind_blob(row, 4, record.key.data(), static_cast<int>(record.key.size()),
                      SQLITE_STATIC);
    sqlite3_bind_blob(
        row, 5, record.value.data() == nullptr ? "" : static_cast<const void*>(record.value.data()),
        static_cast<int>(record.value.size()), SQLITE_STATIC);
    sqlite3_bind_int64(row, 6, record.created);
    sqlite3_bind_int64(row, 7, record.version);
    sqlite3_bind_int64(row, 8, record.lease);
    sqlite3_bind_int64(row, 9, crc_of(record));
    if (auto done = step(row); !done) return done;
    reached("store.record");
  }
  return {};
}

Status SqliteJournal::write_rest(const Batch& batch) {
  const auto with_text = [this](sqlite3_stmt* statement, const std::string& key,
                                const std::string* value) {
    sqlite3_bind_text(statement, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    if (value != nullptr)
      sqlite3_bind_text(statement, 2, value->data(), static_cast<int>(value->size()),
                        SQLITE_STATIC);
    return step(statement);
  };
  const auto with_numbers = [this](sqlite3_stmt* statement, std::int64_t first,
                                   std::int64_t second) {
    sqlite3_bind_int64(statement, 1, first);
    if (sqlite3_bind_parameter_count(statement) > 1) sqlite3_bind_int64(statement, 2, second);
    return step(statement);
  };
  const auto set_meta = [this](const char* name, std::int64_t value) {
    sqlite3_bind_text(meta_.get(), 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(meta_.get(), 2, value);
    return step(meta_.get());
  };
  Status done;
  for (const auto& [lease, ttl] : batch.granted)
    done = done.and_then([&] {
      return with_numbers(lease_.get(), lease,
                          std::chrono::duration_cast<std::chrono::milliseconds>(ttl).count());
    });
  for (const LeaseId lease : batch.ended)
    done = done.and_then([&] { return with_numbers(end_lease_.get(), lease, 0); });
  for (const auto& [key, outcome] : batch.outcomes)
    done = done.and_then([&] { return with_text(outcome_.get(), key, &outcome); });
  for (const auto& key : batch.forgotten)
    done = done.and_then([&] { return with_text(forget_.get(), key, nullptr); });
  if (batch.epoch != 0)
    done = done.and_then([&] { return set_meta("epoch", static_cast<std::int64_t>(batch.epoch)); })
               .and_then([&] { return set_meta("format", kFormat); });
  if (batch.compacted != 0)
    done = done.and_then([&] { return set_meta("compacted", batch.compacted); });
  for (const auto& [revision, sub] : batch.dropped)
    done = done.and_then(
        [&, revision = revision, sub = sub] { return with_numbers(drop_.get(), revision, sub); });
  return done;
}

Status SqliteJournal::write(const Batch& batch) {
  reached("store.begin");
  if (auto done = step(begin_.get()); !done) return done;
  reached("store.begun");
  if (auto done = write_records(batch.records).and_then([&] { return write_rest(batch); }); !done)
    return done;
  reached("store.commit");
  if (auto done = step(commit_.get()); !done) return done;
  reached("store.committed");
  return {};
}

Status SqliteJournal::append(const Batch& batch) {
  auto done = write(batch);
  if (done) return done;
  if (sqlite3_get_autocommit(database_.get()) == 0) static_cast<void>(step(rollback_.get()));
  return done;
}

void SqliteJournal::close_file() {
  for (auto* each : {&begin_, &commit_, &rollback_, &insert_, &lease_, &end_lease_, &outcome_,
                     &forget_, &meta_, &drop_})
    each->reset();
  database_.reset();
}

Status SqliteJournal::rewrite(const Loaded& state, const History& history) {
  const std::string fresh = options_.path + ".new";
  close_file();
  std::error_code ignored;
  for (const char* rest : {".new", ".new-wal", ".new-journal"})
    fs::remove(options_.path + rest, ignored);
  if (auto opened = open_file(fresh); !opened) return opened;
  Batch all;
  history.each_record([&](const Record& record) { all.records.push_back(record); });
  all.granted = state.leases;
  all.outcomes = state.outcomes;
  all.epoch = state.epoch;
  all.compacted = state.compacted;
  if (auto written = write(all); !written) return written;
  // Out of the WAL and into the file, so that the one name is all of it.
  if (auto moved = execute("PRAGMA wal_checkpoint(TRUNCATE)"); !moved) return moved;
  close_file();
  reached("store.rewritten");
  std::error_code failed;
  fs::rename(fresh, options_.path + kRecovered, failed);
  if (failed)
    return fail(Code::kUnavailable,
                fmt::format("'{}' cannot be renamed: {}", fresh, failed.message()));
  if (auto kept = keep_folder(options_.path); !kept) return kept;
  reached("store.recovered");
  return take_recovered(options_.path).and_then([this] { return open_file(options_.path); });
}

}  // namespace hector::stores
