#include "resource_file.h"

#include <fmt/format.h>

#include <ctime>
#include <optional>

#include "hector/plain_text.h"

namespace hector::policy {

namespace {

constexpr std::size_t kTextOctetsMax = 8 * 1024 * 1024;  ///< with what it includes
constexpr int kIncludesMax = 10;  ///< deep: files may include each other in a circle

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_binding(char c) { return c == '.' || c == '*'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }

class Reader {
 public:
  Reader(std::string_view text, const ReadOptions& options,
         const std::function<Status(Entry)>& entry, int depth)
      : text_(text), options_(options), entry_(entry), depth_(depth) {}

  Status read() {
    if (text_.size() > kTextOctetsMax) return refuse("a resource file may have 8 MiB");
    while (at_ < text_.size()) {
      if (auto done = read_line(); !done) return done;
    }
    return {};
  }

 private:
  bool is_strict() const { return options_.dialect == Dialect::kHector; }
  [[nodiscard]] char now() const { return at_ < text_.size() ? text_[at_] : '\n'; }
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    if (at_ < text_.size()) ++at_;
    ++line_;
    line_start_ = at_;
  }
  tl::unexpected<Error> refuse(std::string_view what, std::size_t at) const {
    return fail(Error::invalid_argument(fmt::format("BAD_SPEC: {}:{}:{}: {}", options_.file, line_,
                                                    at - line_start_ + 1, what))
                    .with_type("BAD_SPEC"));
  }
  tl::unexpected<Error> refuse(std::string_view what) const { return refuse(what, at_); }

  Status read_line() {
    skip_spaces();
    if (at_ >= text_.size()) return {};
    if (now() == '\n' || now() == '!') return skip_line(), Status{};
    if (now() == '#') return read_directive();
    Entry entry;
    entry.line = line_;
    if (is_strict()) {
      if (auto marked = read_marks(entry); !marked) return marked;
    }
    const std::size_t column = at_ - line_start_ + 1;
    auto spec = HECTOR_TRY(read_spec());
    if (!spec.has_value()) return {};  // X ignores what is malformed
    entry.spec = *spec;
    skip_spaces();
    while (text_.substr(at_, 2) == "\\\n") {
      at_ += 2;
      next_line();
      skip_spaces();
    }
    entry.value = read_value();
    if (is_strict()) {
      if (auto fits = Database::canonical(entry.spec); !fits) {
        return fail(Error::invalid_argument(fmt::format("{}:{}:{}: {}", options_.file, entry.line,
                                                        column, fits.error().message))
                        .with_type("BAD_SPEC"));
      }
    }
    return entry_(std::move(entry));
  }

  /// "# include "path"", in any spacing; other directives are comments.
  Status read_directive() {
    const std::size_t start = at_++;
    skip_spaces();
    if (text_.substr(at_, 7) != "include") return skip_line(), Status{};
    at_ += 7;
    skip_spaces();
    const std::size_t end =
        now() == '"' ? text_.find_first_of("\"\n", at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos || text_[end] == '\n') {
      if (is_strict()) return refuse("#include needs a file in double quotes", start);
      return skip_line(), Status{};
    }
    const std::string path(text_.substr(at_ + 1, end - at_ - 1));
    if (!options_.include) {
      if (is_strict()) return refuse(fmt::format("'{}' cannot be included here", path), start);
      return skip_line(), Status{};
    }
    if (depth_ >= kIncludesMax)
      return refuse(fmt::format("files include each other {} deep", kIncludesMax), start);
    auto content = options_.include(path);
    if (!content) return refuse(content.error().message, start);
    ReadOptions inner = options_;
    inner.file = path;
    if (is_strict()) *content = plain_text(*content);
    if (auto done = Reader(*content, inner, entry_, depth_ + 1).read(); !done) return done;
    return skip_line(), Status{};
  }

  /// "[valid-until 2027-01-31]" and "final".
  Status read_marks(Entry& entry) {
    if (now() == '[') {
      const std::size_t end = text_.find_first_of("]\n", at_);
      const std::string mark(text_.substr(at_, end - at_));
      std::tm when{};
      const char* rest = mark.rfind("[valid-until ", 0) == 0
                             ? strptime(mark.c_str() + 13, "%Y-%m-%d", &when)
                             : nullptr;
      if (rest != nullptr && *rest == 'T') rest = strptime(rest, "T%H:%M:%SZ", &when);
      if (end == std::string_view::npos || text_[end] != ']' || rest == nullptr || *rest != '\0')
        return refuse("'[' begins [valid-until YYYY-MM-DD] or [valid-until YYYY-MM-DDThh:mm:ssZ]");
      entry.valid_until_s = timegm(&when);
      at_ = end + 1;
      skip_spaces();
    }
    if (text_.substr(at_, 5) == "final" && at_ + 5 < text_.size() && is_space(text_[at_ + 5])) {
      const std::size_t word = at_;
      at_ += 5;
      skip_spaces();
      entry.is_final = now() != ':';  // "final : x" is an entry of that name
      if (!entry.is_final) at_ = word;
    }
    return {};
  }

  /// Up to and over the ':'; nothing if the line is no entry.
  Result<std::optional<std::string>> read_spec() {
    const std::size_t start = at_;
    bool is_usable = true;
    for (;;) {
      while (at_ < text_.size() && is_binding(text_[at_])) ++at_;
      const std::size_t name = at_;
      while (at_ < text_.size() && !is_binding(text_[at_]) && !is_space(text_[at_]) &&
             text_[at_] != ':' && text_[at_] != '\n')
        ++at_;
      if (at_ == name) is_usable = false;
      if (at_ >= text_.size() || !is_binding(text_[at_])) break;
    }
    std::string spec(text_.substr(start, at_ - start));
    skip_spaces();
    if (now() != ':') {
      if (is_strict()) return refuse("':' was expected after the name");
      return skip_line(), std::nullopt;
    }
    ++at_;
    if (!is_usable && !is_strict()) return skip_value(), std::nullopt;
    return spec;
  }

  void skip_value() { static_cast<void>(read_value()); }

  std::string read_value() {
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\n') {
        next_line();
        return value;
      }
      if (c != '\\') {
        value += c;
        continue;
      }
      if (at_ >= text_.size()) return value;
      const char escaped = text_[at_++];
      if (escaped == '\n') {
        next_line();
      } else if (escaped == 'n') {
        value += '\n';
      } else if (is_octal(escaped) && at_ + 1 < text_.size() && is_octal(text_[at_]) &&
                 is_octal(text_[at_ + 1])) {
        value += static_cast<char>((escaped - '0') * 64 + (text_[at_] - '0') * 8 +
                                   (text_[at_ + 1] - '0'));
        at_ += 2;
      } else {
        value += escaped;
      }
    }
    return value;
  }
  void next_line() {
    ++line_;
    line_start_ = at_;
  }

  const std::string_view text_;
  const ReadOptions& options_;
  const std::function<Status(Entry)>& entry_;
  const int depth_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

Status read_resources(std::string_view text, const ReadOptions& options,
                      const std::function<Status(Entry)>& entry) {
  if (options.dialect == Dialect::kXrm) return Reader(text, options, entry, 0).read();
  const std::string plain = plain_text(text);
  return Reader(plain, options, entry, 0).read();
}

std::string write_resource(const Entry& entry) {
  std::string out;
  if (entry.valid_until_s != 0) {
    const std::time_t until = entry.valid_until_s;
    std::tm when{};
    gmtime_r(&until, &when);
    char text[64];
    std::strftime(text, sizeof text, "[valid-until %Y-%m-%dT%H:%M:%SZ] ", &when);
    out += text;
  }
  if (entry.is_final) out += "final ";
  out += entry.spec + ": ";
  bool is_first = true;
  for (const char c : entry.value) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')  // at a line's end it would be Windows'
      out += "\\015";
    else if (c == '\\')
      out += "\\\\";
    else if (is_first && is_space(c))
      out += {'\\', c};
    else
      out += c;
    is_first = false;
  }
  return out + "\n";
}

}  // namespace hector::policy
