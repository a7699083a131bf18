// What: SqliteJournal, a store's records in one SQLite file.
// Why: SQLite's commit is the most tested durable write there is, and any tool can read the file.
// Who: the SQLite provider; tests, with a VFS of their own.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "engine/journal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hector::stores {

struct SqliteOptions {
  std::string path;
  std::string vfs = {};  ///< empty: the system's
  /// Called with the name of each step that a crash may follow; for tests.
  std::function<void(const char*)> step = {};
};

/// Tables: `log(rev, sub, …, crc)` append only, one row a changed key, from which everything is
/// read back; `lease`, `outcome`, `meta`; a view `kv` for people. One process at a time holds the
/// file. One thread at a time.
class SqliteJournal final : public Journal {
 public:
  /// FAILED_PRECONDITION if another process holds it, or it is on a network file system; DATA_LOSS
  /// if SQLite finds it damaged.
  static Result<std::unique_ptr<SqliteJournal>> open(SqliteOptions options);
  ~SqliteJournal() override;
  Result<Loaded> load(const std::function<void(Record)>& record) override;
  Status append(const Batch& batch) override;
  Status rewrite(const Loaded& state, const History& history) override;
  bool is_instant() const noexcept override { return false; }
  std::string provider() const override { return "sqlite"; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  using Database = std::unique_ptr<sqlite3, Close>;
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;
  explicit SqliteJournal(SqliteOptions options) : options_(std::move(options)) {}
  Status open_file(const std::string& path);
  void close_file();
  Status prepare();
  Status execute(const char* sql);
  Result<Statement> statement(const char* sql);
  /// Fails, with the open transaction left to the caller.
  Status write(const Batch& batch);
  Status write_records(const std::vector<Record>& records);
  Status write_leases(const Batch& batch);
  Status write_outcomes(const Batch& batch);
  Status write_meta(const Batch& batch);
  /// Binds the values to the statement's parameters, in their order, and runs it.
  template <class... Values>
  Status run(sqlite3_stmt* statement, const Values&... values);
  Status step(sqlite3_stmt* statement);
  /// Nothing where there is no such row.
  Result<std::optional<std::int64_t>> meta(const char* name);
  Status read_log(Revision compacted, const std::function<void(Record)>& record);
  Status read_leases(Loaded& loaded);
  Status read_outcomes(Loaded& loaded);
  Error error(const char* what) const;
  void reached(const char* step) const {
    if (options_.step) options_.step(step);
  }

  /// The statements that stay prepared while the file is open.
  enum Prepared : std::size_t {
    kBegin,
    kCommit,
    kRollback,
    kInsert,
    kPutLease,
    kEraseLease,
    kPutOutcome,
    kEraseOutcome,
    kEraseRecord,
    kPutMeta,
    kStatements
  };
  sqlite3_stmt* prepared(Prepared which) { return statements_[which].get(); }

  const SqliteOptions options_;
  Database database_;
  std::array<Statement, kStatements> statements_;  ///< gone before the database
};

}  // namespace hector::stores
