// What: PowerCutVfs, a file system in memory that forgets what was not synchronised, sector by
// sector, at a moment of choice.
// Why: kill -9 never finds a missing fsync, the page cache outlives the process; a power cut does.
// Who: the SQLite provider's tests.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace hector::stores {

class PowerCutVfs {
 public:
  explicit PowerCutVfs(std::uint64_t seed);
  ~PowerCutVfs();
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;
  [[nodiscard]] const char* name() const { return name_.c_str(); }

  /// The power goes at the n-th write or synchronisation from now; everything after it fails.
  void cut_at(int operation) { until_cut_ = operation; }
  /// What each sector was given since its last synchronisation is kept, lost or garbage; octets
  /// beside it are untouched, as SQLite assumes of every disk (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
  /// Then everything works again.
  void restore_power();
  /// No file is there any more. None may be open.
  void forget() { files_.clear(); }
  /// From now on every synchronisation fails, or every write finds the disk full.
  bool sync_fails = false;
  bool is_full = false;
  int operations = 0;

 private:
  struct File {
    std::string content;  ///< as a program sees it
    std::string durable;
  };
  struct Handle {
    sqlite3_file base;
    PowerCutVfs* vfs;
    File* file;
  };
  bool is_off() {
    ++operations;
    if (until_cut_ > 0 && --until_cut_ == 0) is_off_ = true;
    return is_off_;
  }
  static int close(sqlite3_file*) { return SQLITE_OK; }
  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 at);
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);
  static int size(sqlite3_file* file, sqlite3_int64* out);
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                  int* out_flags);
  static int remove(sqlite3_vfs* vfs, const char* name, int);
  static int access(sqlite3_vfs* vfs, const char* name, int, int* out);
  static int full_path(sqlite3_vfs*, const char* name, int size, char* out);

  std::string name_;
  std::mt19937_64 random_;
  sqlite3_vfs vfs_{};
  sqlite3_io_methods methods_{};
  std::map<std::string, File> files_;
  int until_cut_ = 0;
  bool is_off_ = false;
};

}  // namespace hector::stores
