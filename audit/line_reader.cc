#include "audit/line_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hector/audit.h"

namespace hector::audit {

namespace {

constexpr std::size_t kReadOctets = std::size_t{256} << 10U;

tl::unexpected<Error> cannot_read(const std::string& path) {
  return fail(Code::kNotFound,
              fmt::format("log '{}' cannot be read: {}", path, std::strerror(errno)));
}

}  // namespace

Status LineReader::open() {
  descriptor_ = Descriptor(::open(files_[at_].c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor_.is_open()) return cannot_read(files_[at_]);
  number_ = 0;
  return {};
}

/// Reads on; false at the end of the file.
Result<bool> LineReader::fill() {
  if (buffer_.size() - begin_ > kLineOctetsMax) {
    is_too_long_ = true;
    begin_ = buffer_.size();
  }
  buffer_.erase(0, begin_);
  begin_ = 0;
  searched_ = buffer_.size();
  buffer_.resize(searched_ + kReadOctets);
  ssize_t count = 0;
  do {
    count = ::read(descriptor_.get(), buffer_.data() + searched_, kReadOctets);
  } while (count < 0 && errno == EINTR);
  buffer_.resize(searched_ + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return cannot_read(files_[at_]);
  return count > 0;
}

void LineReader::take(std::size_t octets, Line& line) {
  const bool is_too_long = is_too_long_ || octets > kLineOctetsMax;
  line.text = std::string_view(buffer_).substr(begin_, is_too_long ? 0 : octets);
  line.number = ++number_;
  line.file = at_;
  is_too_long_ = false;
  begin_ += octets;
  searched_ = begin_;
}

Result<bool> LineReader::next(Line& line) {
  while (at_ < files_.size()) {
    if (!descriptor_.is_open()) HECTOR_TRY(open());
    const auto end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      take(end - begin_, line);
      line.has_end = true;
      searched_ = ++begin_;
      return true;
    }
    const bool is_more = HECTOR_TRY(fill());
    if (is_more) continue;
    const bool has_rest = begin_ < buffer_.size() || is_too_long_;
    if (has_rest) {
      take(buffer_.size() - begin_, line);
      line.has_end = false;
    }
    descriptor_.reset();
    ++at_;
    if (has_rest) return true;
  }
  return false;
}

}  // namespace hector::audit
