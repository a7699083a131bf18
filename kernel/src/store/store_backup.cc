// A backup is a file of records: "hector-backup 1\n", then for each entry {key size, value size,
// CRC-32C of both sizes, key and value; key; value}, all little endian, and at the end a record
// with key size 0 whose value is the number of entries.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "hector/store.h"

namespace hector {

Status begin_epoch_and_wait(Store& store, std::uint64_t epoch);

namespace {

/// With the format's version.
constexpr std::string_view kMagic = "hector-backup 1\n";
/// Entries of one read: at most 260 MB where each has the largest value.
constexpr std::uint32_t kPageEntries = 1'000;
/// Half of what a transaction may have (StoreLimits), so that one more entry fits.
constexpr std::size_t kBatchOctets = 512 * 1024;
/// Half of StoreLimits::operations_max.
constexpr std::size_t kBatchEntries = 50;

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

struct RecordHeader {
  std::uint32_t key_size, value_size, crc;
};

static_assert(sizeof(RecordHeader) == 12, "the file has no padding");
std::uint32_t crc_of(const RecordHeader& header, std::string_view key, std::string_view value) {
  Crc32c crc;
  crc.process_bytes(&header, 8);
  crc.process_bytes(key.data(), key.size());
  crc.process_bytes(value.data(), value.size());
  return crc.checksum();
}

void write_record(std::ostream& out, std::string_view key, std::string_view value) {
  RecordHeader header{static_cast<std::uint32_t>(key.size()),
                      static_cast<std::uint32_t>(value.size()), 0};
  header.crc = crc_of(header, key, value);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.write(key.data(), static_cast<std::streamsize>(key.size()));
  out.write(value.data(), static_cast<std::streamsize>(value.size()));
}

Error damaged(const std::string& path, std::uint64_t offset, const std::string& what) {
  return {Code::kDataLoss,
          fmt::format("CORRUPT: {} at octet {}: {}; nothing was restored, take another backup",
                      path, offset, what),
          std::string(kStoreCorrupt),
          {},
          {}};
}

/// Calls `entry` for each; the whole file is read and checked.
Status each_record(const std::string& path,
                   const std::function<Status(std::string key, std::string value)>& entry) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kNotFound, fmt::format("backup '{}' cannot be read", path));
  std::string magic(kMagic.size(), '\0');
  if (!in.read(magic.data(), static_cast<std::streamsize>(magic.size())) || magic != kMagic)
    return fail(damaged(path, 0, "this is no backup of a store"));
  std::uint64_t count = 0;
  const StoreLimits limits;
  for (std::uint64_t offset = kMagic.size();;) {
    RecordHeader header{};
    if (!in.read(reinterpret_cast<char*>(&header), sizeof header))
      return fail(damaged(path, offset, "it is cut short"));
    if (header.key_size > limits.key_octets_max || header.value_size > limits.value_octets_max)
      return fail(damaged(path, offset, "a record has an impossible size"));
    std::string key(header.key_size, '\0'), value(header.value_size, '\0');
    in.read(key.data(), static_cast<std::streamsize>(key.size()));
    in.read(value.data(), static_cast<std::streamsize>(value.size()));
    if (!in) return fail(damaged(path, offset, "it is cut short"));
    if (header.crc != crc_of(header, key, value))
      return fail(damaged(path, offset, "a record's checksum is wrong"));
    if (key.empty()) {
      if (value != std::to_string(count) || in.peek() != std::char_traits<char>::eof())
        return fail(damaged(path, offset, "its end does not fit"));
      return {};
    }
    if (auto done = entry(std::move(key), std::move(value)); !done) return done;
    ++count;
    offset += sizeof header + header.key_size + header.value_size;
  }
}

Status synchronise(const std::string& path) {
  for (const auto& each : {path, std::filesystem::absolute(path).parent_path().string()}) {
    const int file = open(each.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_kept = file >= 0 && fsync(file) == 0;
    if (file >= 0) close(file);
    if (!is_kept)
      return fail(Code::kUnavailable, fmt::format("backup '{}' cannot be made durable: {}", each,
                                                  std::strerror(errno)));
  }
  return {};
}

/// Puts in transactions of bounded size.
class Filling {
 public:
  explicit Filling(Store& store) : store_(store) {}
  Status put(std::string key, std::string value) {
    octets_ += key.size() + value.size();
    next_.then.push_back(StoreOperation::put(key, Bytes::take(std::move(value))));
    return octets_ < kBatchOctets && next_.then.size() < kBatchEntries ? Status{} : flush();
  }
  Status flush() {
    octets_ = 0;
    return commit_and_wait(store_, std::exchange(next_, {})).map([](const auto&) {});
  }

 private:
  Store& store_;
  StoreTransaction next_;
  std::size_t octets_ = 0;
};

}  // namespace

Status backup(Store& store, const std::string& path) {
  const std::string unfinished = path + ".unfinished";
  std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
  if (!out)
    return fail(Code::kInvalidArgument,
                fmt::format("backup '{}' cannot be written: {}", path, std::strerror(errno)));
  out.write(kMagic.data(), kMagic.size());
  std::uint64_t count = 0;
  StoreRead read{KeyRange::prefix("")};
  read.limit = kPageEntries;
  do {
    auto page = HECTOR_TRY(read_and_wait(store, read));
    for (const auto& entry : page.entries) {
      if (entry.lease != 0) continue;  // its lease is of a capsule that runs now
      write_record(out, entry.key, entry.value.view());
      ++count;
    }
    read.revision = page.revision;
    read.after = page.next;
  } while (!read.after.empty());
  write_record(out, {}, std::to_string(count));
  out.close();
  if (!out)
    return fail(
        Code::kResourceExhausted,
        fmt::format("backup '{}' could not be written in full: {}", path, std::strerror(errno)));
  if (auto done = synchronise(unfinished); !done) return done;
  std::filesystem::rename(unfinished, path);
  return synchronise(path);
}

Status restore(Store& store, Random& random, const std::string& path) {
  if (auto checked = each_record(path, [](auto, auto) { return Status{}; }); !checked)
    return checked;
  auto page = HECTOR_TRY(read_and_wait(store, {KeyRange::prefix("")}));
  bool was_begun = false;
  for (const auto& entry : page.entries) was_begun = was_begun || entry.key == kStoreRestoring;
  if (!page.entries.empty() && !was_begun) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format(
            "a backup is restored into an empty store; this one has {} entries, the first is '{}'",
            page.entries.size(), page.entries.front().key));
  }
  StoreTransaction begin;
  begin.then.push_back(StoreOperation::erase(KeyRange::prefix("")));
  if (was_begun) {
    if (auto done = commit_and_wait(store, std::move(begin)); !done) return fail(done.error());
  }
  Filling filling(store);
  if (auto done =
          filling.put(std::string(kStoreRestoring), path).and_then([&] { return filling.flush(); });
      !done)
    return done;
  if (auto done = each_record(path,
                              [&](std::string key, std::string value) {
                                return filling.put(std::move(key), std::move(value));
                              });
      !done)
    return done;
  if (auto done = filling.flush(); !done) return done;
  if (auto done = begin_epoch_and_wait(store, random.next() | 1); !done) return done;
  StoreTransaction end;
  end.then.push_back(StoreOperation::erase(kStoreRestoring));
  return commit_and_wait(store, std::move(end)).map([](const auto&) {});
}

}  // namespace hector
