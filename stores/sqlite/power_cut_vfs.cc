#include "power_cut_vfs.h"

namespace hector::stores {

namespace {

constexpr std::size_t kSector = 512;  // what a disk writes whole, SQLite's assumption as well

}  // namespace

PowerCutVfs::PowerCutVfs(std::uint64_t seed)
    : name_("power-cut-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))), random_(seed) {
  vfs_ = *sqlite3_vfs_find(nullptr);
  vfs_.szOsFile = sizeof(Handle);
  vfs_.zName = name_.c_str();
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.xOpen = open;
  vfs_.xDelete = remove;
  vfs_.xAccess = access;
  vfs_.xFullPathname = full_path;
  methods_.iVersion = 1;
  methods_.xClose = close;
  methods_.xRead = read;
  methods_.xWrite = write;
  methods_.xTruncate = truncate;
  methods_.xSync = sync;
  methods_.xFileSize = size;
  methods_.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
  methods_.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
  methods_.xCheckReservedLock = [](sqlite3_file*, int* out) { return *out = 0, SQLITE_OK; };
  methods_.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
  methods_.xSectorSize = [](sqlite3_file*) { return static_cast<int>(kSector); };
  methods_.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
  sqlite3_vfs_register(&vfs_, 0);
}
PowerCutVfs::~PowerCutVfs() { sqlite3_vfs_unregister(&vfs_); }

void PowerCutVfs::restore_power() {
  is_off_ = false;
  until_cut_ = 0;
  for (auto& [name, file] : files_) {
    std::string after = file.durable;
    const std::size_t longest = std::max(file.content.size(), file.durable.size());
    for (std::size_t at = 0; at < longest; at += kSector) {
      const std::string now = file.content.substr(std::min(at, file.content.size()), kSector),
                        was = file.durable.substr(std::min(at, file.durable.size()), kSector);
      if (now == was) continue;
      const auto fate = random_() % 3;
      if (fate == 1) continue;  // lost
      if (after.size() < at + now.size()) after.resize(at + now.size(), '\0');
      for (std::size_t i = 0; i < now.size(); ++i) {
        const bool is_written = i >= was.size() || now[i] != was[i];
        after[at + i] = fate == 0 || !is_written ? now[i] : static_cast<char>(random_());
      }
    }
    file.durable = file.content = after;
  }
}

int PowerCutVfs::read(sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
  auto& handle = *reinterpret_cast<Handle*>(file);
  const auto& content = handle.file->content;
  const auto wanted = static_cast<std::size_t>(size), from = static_cast<std::size_t>(at);
  const std::size_t there = from >= content.size() ? 0 : std::min(wanted, content.size() - from);
  std::memset(out, 0, wanted);
  if (there != 0) std::memcpy(out, content.data() + from, there);
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}
int PowerCutVfs::write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  auto& handle = *reinterpret_cast<Handle*>(file);
  if (handle.vfs->is_off()) return SQLITE_IOERR_WRITE;
  if (handle.vfs->is_full) return SQLITE_FULL;
  auto& content = handle.file->content;
  const auto end = static_cast<std::size_t>(at) + static_cast<std::size_t>(size);
  if (content.size() < end) content.resize(end, '\0');
  std::memcpy(content.data() + at, data, static_cast<std::size_t>(size));
  return SQLITE_OK;
}
int PowerCutVfs::truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& handle = *reinterpret_cast<Handle*>(file);
  if (handle.vfs->is_off()) return SQLITE_IOERR_TRUNCATE;
  handle.file->content.resize(static_cast<std::size_t>(size));
  return SQLITE_OK;
}
int PowerCutVfs::sync(sqlite3_file* file, int) {
  auto& handle = *reinterpret_cast<Handle*>(file);
  if (handle.vfs->is_off() || handle.vfs->sync_fails) return SQLITE_IOERR_FSYNC;
  handle.file->durable = handle.file->content;
  return SQLITE_OK;
}
int PowerCutVfs::size(sqlite3_file* file, sqlite3_int64* out) {
  *out = static_cast<sqlite3_int64>(reinterpret_cast<Handle*>(file)->file->content.size());
  return SQLITE_OK;
}
int PowerCutVfs::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                      int* out_flags) {
  auto* const self = static_cast<PowerCutVfs*>(vfs->pAppData);
  auto& handle = *reinterpret_cast<Handle*>(file);
  handle.vfs = self;
  handle.file = &self->files_[name == nullptr ? "temporary" : name];
  handle.base.pMethods = &self->methods_;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}
int PowerCutVfs::remove(sqlite3_vfs* vfs, const char* name, int) {
  auto* const self = static_cast<PowerCutVfs*>(vfs->pAppData);
  if (self->is_off()) return SQLITE_IOERR_DELETE;
  self->files_.erase(name);
  return SQLITE_OK;
}
int PowerCutVfs::access(sqlite3_vfs* vfs, const char* name, int, int* out) {
  *out = static_cast<PowerCutVfs*>(vfs->pAppData)->files_.contains(name) ? 1 : 0;
  return SQLITE_OK;
}
int PowerCutVfs::full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

}  // namespace hector::stores
