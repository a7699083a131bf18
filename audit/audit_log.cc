#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>

#include "audit/chain.h"
#include "audit/log_file.h"
#include "audit/parts.h"
#include "hector/audit.h"

namespace hector::audit {

namespace {

/// Octets that one fsync is for: a small record does not wait for many large ones.
constexpr std::size_t kGroupOctetsMax = std::size_t{4} << 20U;

std::string time_text(std::chrono::system_clock::time_point at) {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (time - seconds).count());
}

Error broken_log(const std::string& path, const std::string& why) {
  return Error::data_loss(fmt::format(
      "audit log '{}' is not whole: {}. See `hector audit verify {}`; to go on, move its files "
      "away and keep them: a new log begins then",
      path, why, path));
}

/// The hash before the first record of the file: of the part before it, or, where that is kept
/// elsewhere, as the record itself says. Empty: it is the first of the log.
Result<std::string> hash_before(const std::string& path, const std::string& part) {
  if (!part.empty()) {
    const Head head = HECTOR_TRY(last_record(part));
    return head.hash;
  }
  LineReader lines({path});
  Line line;
  const bool is_there = HECTOR_TRY(lines.next(line));
  const auto first = is_there ? read_record(line.text) : std::nullopt;
  return first && first->record.prev != no_hash() ? first->record.prev : std::string();
}

/// Of the current file, all of which is read; where it is empty, of the part before it.
Result<Head> head_of(const std::string& path, const std::string& part) {
  const std::string after = HECTOR_TRY(hash_before(path, part));
  LineReader lines({path});
  const Verdict verdict = HECTOR_TRY(check_chain(lines, {after}));
  if (verdict.finding)
    return fail(broken_log(
        path, fmt::format("line {}: {}", verdict.finding->line, verdict.finding->message)));
  if (verdict.records == 0 && !part.empty()) return last_record(part);
  return verdict.head;
}

}  // namespace

/// Whoever finds nobody writing writes everything that waits, under one fsync.
class AuditLog::Appender {
 public:
  Appender(std::string path, const Clock& clock, LogOptions options)
      : path_(std::move(path)), clock_(clock), options_(options) {}

  Status open() {
    auto file = HECTOR_TRY(LogFile::open(path_));
    const auto parts = earlier_parts(path_);
    const std::string newest = parts.empty() ? std::string() : part_path(path_, parts.back());
    parts_ = parts.empty() ? 0 : parts.back();
    const std::uint64_t before = file.size();
    set_aside_ = HECTOR_TRY(file.set_aside_tail());
    const std::uint64_t octets = before - file.size();
    head_ = HECTOR_TRY(head_of(path_, newest));
    file_ = std::make_unique<LogFile>(std::move(file));
    if (set_aside_.empty()) return {};
    const auto told = append({"audit",
                              "",
                              "set aside a half-written line",
                              set_aside_,
                              Outcome::kDone,
                              {fmt::format("{} octets without a line end came after record {}; "
                                           "their writer ended while it wrote",
                                           octets, head_.sequence)}});
    if (!told) return fail(told.error());
    return {};
  }

  Result<Head> append(const Event& event) {
    Waiting mine{fitted(event), {}};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    while (!mine.result) {
      if (is_writing_)
        changed_.wait(lock);
      else
        write_group(lock);
    }
    return std::move(*mine.result);
  }

  [[nodiscard]] Head head() const {
    const std::lock_guard lock(mutex_);
    return head_;
  }
  [[nodiscard]] const std::string& set_aside() const { return set_aside_; }

 private:
  struct Waiting {
    Event event;
    std::optional<Result<Head>> result;
  };
  struct Group {
    std::vector<Waiting*> members;
    std::vector<Head> heads;
    std::string lines;
  };

  /// With the lock, which is given up while the disk is at work.
  void write_group(std::unique_lock<std::mutex>& lock) {
    is_writing_ = true;
    Group group = next_group();
    lock.unlock();
    Status written = write(group.lines);
    lock.lock();
    for (std::size_t i = 0; i < group.members.size(); ++i) {
      if (written)
        group.members[i]->result.emplace(group.heads[i]);
      else
        group.members[i]->result.emplace(fail(written.error()));
    }
    if (written) head_ = group.heads.back();
    is_writing_ = false;
    changed_.notify_all();
  }

  Group next_group() {
    Group group;
    Head head = head_;
    while (!waiting_.empty() && group.lines.size() < kGroupOctetsMax) {
      Waiting& next = *waiting_.front();
      waiting_.pop_front();
      Record record{
          head.sequence + 1, time_text(clock_.wall()), std::move(next.event), head.hash, {}};
      group.lines += write_record(record) + "\n";
      head = {record.sequence, record.hash};
      group.heads.push_back(head);
      group.members.push_back(&next);
    }
    return group;
  }

  Status write(const std::string& lines) {
    const bool is_full =
        file_ && file_->size() != 0 && file_->size() + lines.size() > options_.file_octets_max;
    if (is_full) HECTOR_TRY(set_down());
    if (!file_) HECTOR_TRY(begin_file());
    return file_->append(lines);
  }
  Status set_down() {
    const std::string part = part_path(path_, parts_ + 1);
    if (::access(part.c_str(), F_OK) == 0) return fail(cannot_write_log(part, EEXIST));
    if (::rename(path_.c_str(), part.c_str()) != 0) return fail(cannot_write_log(part, errno));
    ++parts_;
    file_.reset();
    return {};
  }
  Status begin_file() {
    auto file = HECTOR_TRY(LogFile::open(path_));
    if (file.size() != 0)
      return fail(broken_log(path_, "another program wrote a file in its place"));
    file_ = std::make_unique<LogFile>(std::move(file));
    return {};
  }

  const std::string path_;
  const Clock& clock_;
  const LogOptions options_;
  std::string set_aside_;
  mutable std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  std::deque<Waiting*> waiting_;
  bool is_writing_ = false;
  Head head_;
  // Of whoever is writing:
  std::unique_ptr<LogFile> file_;  ///< none between two files
  std::uint64_t parts_ = 0;        ///< the last one's number
};

AuditLog::AuditLog(std::unique_ptr<Appender> appender) : appender_(std::move(appender)) {}
AuditLog::AuditLog(AuditLog&&) noexcept = default;
AuditLog& AuditLog::operator=(AuditLog&&) noexcept = default;
AuditLog::~AuditLog() = default;

Result<AuditLog> AuditLog::open(const std::string& path, const Clock& clock, LogOptions options) {
  auto appender = std::make_unique<Appender>(path, clock, options);
  HECTOR_TRY(appender->open());
  return AuditLog(std::move(appender));
}

Result<Head> AuditLog::append(const Event& event) { return appender_->append(event); }

Head AuditLog::head() const { return appender_->head(); }

const std::string& AuditLog::set_aside() const { return appender_->set_aside(); }

Result<Verdict> verify(const std::vector<std::string>& files, const Expected& expected) {
  LineReader lines(files);
  return check_chain(lines, expected);
}

Result<std::uint64_t> read(const std::vector<std::string>& files,
                           const std::function<void(const Record&)>& tell) {
  LineReader lines(files);
  std::uint64_t others = 0;
  for (Line line;;) {
    const bool is_there = HECTOR_TRY(lines.next(line));
    if (!is_there) return others;
    if (const auto read = read_record(line.text))
      tell(read->record);
    else
      ++others;
  }
}

}  // namespace hector::audit
