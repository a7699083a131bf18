// What: SqliteJournal, a store's records in one SQLite file.
// Why: SQLite's commit is the most tested durable write there is, and a file that any tool can look
// into.
// Who: the SQLite provider; tests, with a VFS of their own.
#pragma once

#include <memory>
#include <string>

#include "engine/journal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hector::stores {

struct SqliteOptions {
  std::string path;
  std::string vfs = {};  ///< empty: the system's
  /// Told the name of each step that a crash may come after; for tests.
  std::function<void(const char*)> step = {};
};

/// Tables: `log(rev, sub, …, crc)` append only, one row a changed key, from which everything is
/// read back; `lease`, `outcome`, `meta`; a view `kv` for people. One process at a time holds the
/// file.
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
  Status write(const Batch& batch);
  Status write_records(const std::vector<Record>& records);
  Status write_rest(const Batch& batch);
  Status step(sqlite3_stmt* statement);
  Result<std::int64_t> meta(const char* name);
  Status read_log(const std::function<void(Record)>& record);
  Error error(const char* what) const;
  void reached(const char* step) const {
    if (options_.step) options_.step(step);
  }

  const SqliteOptions options_;
  Database database_;
  Statement begin_, commit_, rollback_, insert_, lease_, end_lease_, outcome_, forget_, meta_,
      drop_;
};

}  // namespace hector::stores
