#include "audit/chain.h"

#include <fmt/format.h>

#include <array>
#include <deque>

namespace hector::audit {

namespace {

constexpr std::array<std::string_view, 6> kFaults{"ALTERED",  "REMOVED",    "REORDERED",
                                                  "INSERTED", "INCOMPLETE", "TRUNCATED"};
/// Accepted records that are remembered: so many inserted in a row, each naming the one before it,
/// are still found at the first of them.
constexpr std::size_t kRememberedMax = 1024;

/// A line, and the record that it is.
struct Entry {
  std::uint64_t line = 0;
  std::size_t file = 0;
  bool has_end = true;
  std::optional<ReadRecord> read;

  /// It says what its writer made it say, wherever it stands.
  [[nodiscard]] bool is_own() const { return read && read->is_hash_right; }
  [[nodiscard]] const Record& record() const { return read->record; }
  [[nodiscard]] bool comes_after(const Head& head) const {
    return is_own() && record().sequence == head.sequence + 1 && record().prev == head.hash;
  }
};

class ChainCheck {
 public:
  ChainCheck(LineReader& lines, const Expected& expected)
      : lines_(lines), expected_(expected), head_{0, no_hash()} {}

  Result<Verdict> run() {
    for (;;) {
      auto entry = HECTOR_TRY(next());
      if (!entry) return ended();
      if (records_ == 0) begin_after(*entry);
      if (!entry->has_end) return incomplete(*entry);
      if (!entry->comes_after(head_)) return broken(*entry);
      accept(*entry);
      if (is_other_than_expected()) return other_than_expected(*entry);
    }
  }

 private:
  struct Remembered {
    Head head;
    std::uint64_t line = 0;
    std::size_t file = 0;
  };

  Result<std::optional<Entry>> next() {
    Line line;
    const bool is_there = HECTOR_TRY(lines_.next(line));
    if (!is_there) return std::optional<Entry>();
    last_ = {line.number, line.file};
    return std::optional(Entry{line.number, line.file, line.has_end, read_record(line.text)});
  }

  /// Where the records before are elsewhere, the first one's number is taken as it is.
  void begin_after(const Entry& first) {
    if (expected_.after.empty()) return;
    head_.hash = expected_.after;
    if (first.is_own()) head_.sequence = first.record().sequence - 1;
  }

  void accept(const Entry& entry) {
    head_ = {entry.record().sequence, entry.record().hash};
    ++records_;
    is_head_seen_ = is_head_seen_ || head_.hash == expected_.head;
    remembered_.push_back({head_, entry.line, entry.file});
    if (remembered_.size() > kRememberedMax) remembered_.pop_front();
  }

  Verdict found(Fault fault, const Remembered& at, std::string message) const {
    return {records_, head_,
            Finding{fault, lines_.file(at.file), at.line, at.head.sequence, std::move(message)}};
  }
  /// At this line, where the record after the head belongs.
  Verdict found_here(Fault fault, const Entry& entry, std::string message) const {
    return found(fault, {{head_.sequence + 1, {}}, entry.line, entry.file}, std::move(message));
  }

  // --- the end

  [[nodiscard]] bool is_other_than_expected() const {
    return expected_.count != 0 && head_.sequence == expected_.count && !expected_.head.empty() &&
           head_.hash != expected_.head;
  }
  Verdict other_than_expected(const Entry& entry) const {
    return found(Fault::kAltered, {head_, entry.line, entry.file},
                 fmt::format("record {} is not the one with the hash {}: it or one before it was "
                             "altered, and what follows was hashed again",
                             head_.sequence, expected_.head));
  }
  Verdict incomplete(const Entry& entry) const {
    return found_here(
        Fault::kIncomplete, entry,
        fmt::format("the line has no end: record {} was being written when its writer "
                    "ended, or the file was cut",
                    head_.sequence + 1));
  }
  Result<Verdict> ended() const {
    const bool is_short = head_.sequence < expected_.count;
    if (!is_short && (expected_.head.empty() || is_head_seen_))
      return Verdict{records_, head_, std::nullopt};
    const Remembered after{{head_.sequence + 1, {}}, last_.line + 1, last_.file};
    if (is_short)
      return found(Fault::kTruncated, after,
                   fmt::format("the log ends with record {}: {} cut off", head_.sequence,
                               records_text(head_.sequence + 1, expected_.count)));
    return found(Fault::kTruncated, after,
                 fmt::format("the log ends with record {} and has none with the hash {}: records "
                             "after it were cut off, or the log was written again",
                             head_.sequence, expected_.head));
  }

  /// "record 7 is", "records 7 to 9 are".
  static std::string records_text(std::uint64_t first, std::uint64_t last) {
    return first == last ? fmt::format("record {} is", first)
                         : fmt::format("records {} to {} are", first, last);
  }

  // --- a break between the head and an entry

  Result<Verdict> broken(const Entry& entry) {
    if (!entry.is_own()) return spoiled(entry);
    const Record& record = entry.record();
    if (record.sequence == head_.sequence + 1) return other_chain(entry);
    if (record.sequence > head_.sequence) return skipped(entry);
    return repeated(entry);
  }

  /// No record, or one with another hash than its own.
  Result<Verdict> spoiled(const Entry& entry) {
    const auto after = HECTOR_TRY(next());
    const std::string what =
        entry.read ? "its hash is not that of its content" : "it is no record in canonical form";
    if (after && after->comes_after(head_))
      return found_here(
          Fault::kInserted, entry,
          fmt::format("{}, and record {} stands in the next line", what, head_.sequence + 1));
    return found_here(Fault::kAltered, entry,
                      fmt::format("record {} was altered: {}", head_.sequence + 1, what));
  }

  /// The right number after another record than the head.
  Result<Verdict> other_chain(const Entry& entry) {
    const auto after = HECTOR_TRY(next());
    if (after && after->comes_after(head_))
      return found_here(Fault::kInserted, entry,
                        fmt::format("record {} stands here, and in the next line, which is the one "
                                    "that follows record {}",
                                    entry.record().sequence, head_.sequence));
    const bool is_refuted = after && after->is_own() && !vouches(after, entry);
    if (remembered_.empty() || is_refuted)
      return found_here(Fault::kAltered, entry,
                        fmt::format("record {} was altered: it names another one before it, {}",
                                    entry.record().sequence, entry.record().prev));
    return found(Fault::kAltered, remembered_.back(),
                 fmt::format("record {} was altered and hashed again, or one before it: record {} "
                             "was written after one with the hash {}",
                             head_.sequence, entry.record().sequence, entry.record().prev));
  }
  [[nodiscard]] bool vouches(const std::optional<Entry>& after, const Entry& entry) const {
    const std::string& hash = entry.record().hash;
    return hash == expected_.head || (after && after->is_own() && after->record().prev == hash);
  }

  /// A number beyond the next one: the next one comes later, or this one once more, or neither.
  Result<Verdict> skipped(const Entry& entry) {
    std::optional<Remembered> missing;
    bool is_copy = false;
    for (;;) {
      const auto after = HECTOR_TRY(next());
      if (!after) break;
      if (!missing && after->comes_after(head_)) missing = {{}, after->line, after->file};
      is_copy = is_copy || (after->is_own() && after->record().hash == entry.record().hash);
    }
    const std::uint64_t number = head_.sequence + 1, there = entry.record().sequence;
    if (!missing) return found_here(Fault::kRemoved, entry, removed_text(number, there - 1));
    const std::string text = fmt::format(
        "record {} stands where {} belongs, which stands in line "
        "{} of '{}'",
        there, number, missing->line, lines_.file(missing->file));
    if (!is_copy) return found_here(Fault::kReordered, entry, text);
    return found(Fault::kInserted, {{there, {}}, entry.line, entry.file}, text);
  }
  [[nodiscard]] std::string removed_text(std::uint64_t first, std::uint64_t last) const {
    const std::string which = records_text(first, last);
    if (records_ != 0) return which + " gone";
    return which +
           " not here: name the log's earlier files too, or give the last one's hash "
           "(`--after`)";
  }

  /// A number that was there already: a copy, or what follows something inserted.
  Result<Verdict> repeated(const Entry& entry) {
    const Record& record = entry.record();
    const auto after = HECTOR_TRY(next());
    for (const auto& each : remembered_) {
      if (each.head.sequence != record.sequence) continue;
      if (each.head.hash == record.hash || !vouches(after, entry)) break;
      return found(Fault::kInserted, each,
                   fmt::format("another record {} stands in line {} of '{}', and what follows was "
                               "written after that one",
                               record.sequence, entry.line, lines_.file(entry.file)));
    }
    return found(
        Fault::kInserted, {{record.sequence, {}}, entry.line, entry.file},
        fmt::format("record {} stands here, after record {}", record.sequence, head_.sequence));
  }

  LineReader& lines_;
  const Expected& expected_;
  Head head_;
  std::uint64_t records_ = 0;
  bool is_head_seen_ = false;
  struct Place {
    std::uint64_t line = 0;
    std::size_t file = 0;
  };
  Place last_;
  std::deque<Remembered> remembered_;
};

}  // namespace

std::string_view fault_name(Fault fault) noexcept {
  return kFaults[static_cast<std::size_t>(fault)];
}

Result<Verdict> check_chain(LineReader& lines, const Expected& expected) {
  return ChainCheck(lines, expected).run();
}

}  // namespace hector::audit
