#include "types/authoring/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text/read_file.h"
#include "hector/check.h"
#include "types/model/reader.h"

namespace hector::types {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

void strip_end(std::string& text) {
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.pop_back();
}

/// "indent", "key", what is between the colon and the value, "value" of a line `key: value`; no
/// key: any other line.
struct Line {
  std::string indent, key, gap, value;
};
Line split(const std::string& text) {
  Line line;
  std::size_t at = 0;
  while (at < text.size() && text[at] == ' ') ++at;
  const std::size_t begin = at;
  while (at < text.size() && (is_word(text[at]) || text[at] == '-' || text[at] == '.')) ++at;
  std::size_t colon = at;
  while (colon < text.size() && text[colon] == ' ') ++colon;
  if (at == begin || colon >= text.size() || text[colon] != ':' ||
      (colon + 1 < text.size() && text[colon + 1] != ' '))
    return line;
  line.indent = text.substr(0, begin);
  line.key = text.substr(begin, at - begin);
  std::size_t value = colon + 1;
  while (value < text.size() && text[value] == ' ') ++value;
  line.gap = text.substr(colon + 1, value - colon - 1);
  line.value = text.substr(value);
  return line;
}

/// What stands in {…} and […], from its first bracket on, over as many lines as it takes. Quoted
/// texts and comments are passed over.
class FlowFormatter {
 public:
  /// The rest of the text behind the closing bracket is returned in `rest`. False: it does not end.
  bool run(const std::string& text, std::size_t& at, std::string& out) {
    int depth = 0;
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '"' || c == '\'') {
        quoted(text, at, out);
      } else if (c == '#' && (at == 0 || is_blank(text[at - 1]) || text[at - 1] == '\n')) {
        while (at < text.size() && text[at] != '\n') out += text[at++];
        --at;
      } else if (c == '{' || c == '[') {
        ++depth;
        out += c;
        skip_blanks(text, at);
      } else if (c == '}' || c == ']') {
        if (!ends_line(out)) strip_blanks(out);
        out += c;
        if (--depth == 0) {
          ++at;
          return true;
        }
      } else if (c == ',') {
        if (!ends_line(out)) strip_blanks(out);
        out += c;
        one_blank_at_least(text, at, out);
      } else if (c == ':' && at + 1 < text.size() &&
                 (is_blank(text[at + 1]) || text[at + 1] == '{' || text[at + 1] == '[' ||
                  text[at + 1] == '\n')) {
        strip_blanks(out);
        out += c;
        one_blank_at_least(text, at, out);
      } else if (c == '\n') {
        strip_blanks(out);
        out += c;
        while (at + 1 < text.size() && is_blank(text[at + 1]))
          out += text[++at];  // how lines go on is the writer's
      } else {
        out += c;
      }
    }
    return false;
  }

 private:
  static void quoted(const std::string& text, std::size_t& at, std::string& out) {
    const char mark = text[at];
    out += text[at++];
    while (at < text.size() && text[at] != mark) {
      if (mark == '"' && text[at] == '\\' && at + 1 < text.size()) out += text[at++];
      out += text[at++];
    }
    if (at < text.size()) out += text[at];
  }
  static void skip_blanks(const std::string& text, std::size_t& at) {
    while (at + 1 < text.size() && is_blank(text[at + 1])) ++at;
  }
  /// More are left: they make columns.
  static void one_blank_at_least(const std::string& text, std::size_t& at, std::string& out) {
    const std::size_t begin = at;
    skip_blanks(text, at);
    if (at + 1 < text.size() && text[at + 1] != '\n')
      out += at == begin ? " " : text.substr(begin + 1, at - begin);
  }
  static void strip_blanks(std::string& out) {
    while (!out.empty() && is_blank(out.back())) out.pop_back();
  }
  static bool ends_line(const std::string& out) {
    const auto last = out.find_last_not_of(" \t");
    return last != std::string::npos && out[last] == '\n';
  }
};

/// A line that is an entry of a section and stands on one line: what is aligned with its
/// neighbours.
bool is_entry(const Line& line) {
  return !line.indent.empty() && !line.key.empty() &&
         (line.value.starts_with('{') || line.value.starts_with('['));
}

void align(std::vector<std::string>& lines) {
  for (std::size_t first = 0; first < lines.size();) {
    std::vector<Line> entries;
    std::size_t last = first;
    std::size_t width = 0;
    for (; last < lines.size(); ++last) {
      Line line = split(lines[last]);
      if (!is_entry(line) || (!entries.empty() && line.indent != entries.front().indent)) break;
      width = std::max(width, line.key.size());
      entries.push_back(std::move(line));
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      lines[first + i] =
          fmt::format("{}{}:{}{}", entries[i].indent, entries[i].key,
                      std::string(width - entries[i].key.size() + 1, ' '), entries[i].value);
    }
    first = std::max(last, first + 1);
  }
}

/// A protocol's value: quoted or not, over several lines where they go on deeper than the key.
std::string format_protocol(const std::string& value) {
  if (value.empty()) return value;
  const char mark = value.front();
  if (mark != '"' && mark != '\'') return format_expression(value);
  const auto end = value.find(mark, 1);
  if (end == std::string::npos || value.find('\\') != std::string::npos) return value;
  return mark + format_expression(value.substr(1, end - 1)) + value.substr(end);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    strip_end(lines.back());
    at = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::size_t indent_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

/// A value in brackets, with the lines below that it takes until they close. Of one that never
/// closes, as far as it goes.
std::string take_flow(const std::vector<std::string>& lines, std::string value, std::size_t& next) {
  for (;;) {
    std::size_t at = 0;
    std::string made;
    if (FlowFormatter().run(value, at, made)) return made + value.substr(at);
    if (next >= lines.size()) return made;
    value += "\n" + lines[next++];
  }
}

/// A protocol, with the lines below that stand deeper than its key.
std::string take_protocol(const std::vector<std::string>& lines, const Line& key,
                          std::size_t& next) {
  std::string value = key.value;
  while (next < lines.size() && !lines[next].empty() && indent_of(lines[next]) > key.indent.size())
    value += "\n" + lines[next++];
  return format_protocol(value);
}

/// The line at `next` with all that belongs to it. What a block scalar holds stays as it is.
void take_line(const std::vector<std::string>& lines, std::size_t& next,
               std::vector<std::string>& out) {
  const std::string& first = lines[next++];
  const Line line = split(first);
  const bool is_text = line.value.starts_with('|') || line.value.starts_with('>');
  if (line.key.empty() || line.value.empty() || is_text) {
    out.push_back(first);
    while (is_text && next < lines.size() &&
           (lines[next].empty() || indent_of(lines[next]) > line.indent.size()))
      out.push_back(lines[next++]);
    return;
  }
  const bool is_flow = line.value.front() == '{' || line.value.front() == '[';
  const std::string made = is_flow                  ? take_flow(lines, line.value, next)
                           : line.key == "protocol" ? take_protocol(lines, line, next)
                                                    : line.value;
  const std::string gap = is_flow && !line.gap.empty() ? line.gap : " ";
  const auto whole = lines_of(fmt::format("{}{}:{}{}", line.indent, line.key, gap, made));
  out.insert(out.end(), whole.begin(), whole.end());
}

std::string format_lines(const std::vector<std::string>& lines) {
  std::vector<std::string> out;
  for (std::size_t next = 0; next < lines.size();) {
    const std::size_t before = next;
    take_line(lines, next, out);
    HECTOR_CHECK(next > before && next <= lines.size(),
                 "no line was taken, or more than there are");
  }
  align(out);
  std::string text;
  for (const auto& each : out) text += each + "\n";
  return text;
}

/// What a file says, for comparison: its models, or its mistakes.
Result<std::string> meaning(const std::string& text, const std::string& name,
                            const std::string& folder) {
  auto documents = HECTOR_TRY(read_type_documents(text, name, folder));
  std::string all;
  for (const auto& document : documents) {
    if (document.mistake) {
      // A type that lacks others can be laid out all the same; what is no YAML cannot.
      if (document.mistake->message.find("not YAML") != std::string::npos)
        return fail(*document.mistake);
      all += document.mistake->message.substr(document.mistake->message.rfind(": ") + 1);
    }
    if (document.interface) all += document.interface->SerializeAsString();
    if (document.binding) all += document.binding->SerializeAsString();
  }
  return all;
}

/// Lays out an expression character by character; strings of operators and blanks become one form.
class ExpressionFormatter {
 public:
  explicit ExpressionFormatter(const std::string& text) : text_(text) {}
  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        comment();
      else if (c == '\n')
        line_end();
      else if (is_blank(c))
        blanks();
      else if (c == ';' || c == '|' || c == '&')
        binary_operator();
      else
        out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  void comment() {
    while (at_ < text_.size() && text_[at_] != '\n') out_ += text_[at_++];
  }
  void line_end() {
    strip();
    out_ += text_[at_++];
    while (at_ < text_.size() && is_blank(text_[at_])) out_ += text_[at_++];
  }
  /// Blanks stay between words, and before a comment as many as there are.
  void blanks() {
    const auto next = std::min(text_.find_first_not_of(" \t", at_), text_.size());
    const char c = next < text_.size() ? text_[next] : '\0';
    if (c == '#')
      out_ += text_.substr(at_, next - at_);
    else if ((is_word(c) || c == '$') && ends_operand())
      out_ += ' ';
    at_ = next;
  }
  void binary_operator() {
    strip();
    if (!out_.empty() && out_.back() != '\n') out_ += ' ';
    out_ += text_[at_++];
    const auto next = text_.find_first_not_of(" \t", at_);
    if (next != std::string::npos && text_[next] != '\n' && text_[next] != '#') out_ += ' ';
  }
  [[nodiscard]] bool ends_operand() const {
    // What an operand of an order may end with, beside a word.
    constexpr std::string_view kEnds = ")]}*+?";
    return !out_.empty() &&
           (is_word(out_.back()) || kEnds.find(out_.back()) != std::string_view::npos);
  }
  void strip() {
    while (!out_.empty() && is_blank(out_.back())) out_.pop_back();
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string format_expression(const std::string& text) { return ExpressionFormatter(text).run(); }

Result<std::string> format_types(const std::string& text, const std::string& name,
                                 const std::string& folder) {
  auto documents = read_type_documents(text, name, folder);
  if (documents && std::none_of(documents->begin(), documents->end(),
                                [](const auto& each) { return !each.id.empty(); })) {
    return fail(Code::kFailedPrecondition, fmt::format("{} has no types", name));
  }
  auto before = HECTOR_TRY(meaning(text, name, folder));
  std::string made = format_lines(lines_of(plain_text(text)));
  auto after = meaning(made, name, folder);
  if (!after || *after != before)
    return fail(Code::kInternal,
                fmt::format("{}: its layout is not understood; nothing was changed", name));
  return made;
}

}  // namespace hector::types
