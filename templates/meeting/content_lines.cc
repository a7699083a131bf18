#include "content_lines.h"

#include <unicode/ustring.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace diary {

namespace {

constexpr std::size_t kDepthMax = 16;  ///< components within components

/// RFC 5545 allows neither '_' nor '.', and files have them in names that nothing here reads.
bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool is_utf8(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t size = 0;
  u_strFromUTF8(nullptr, 0, &size, text.data(), static_cast<std::int32_t>(text.size()), &status);
  return status != U_INVALID_CHAR_FOUND;
}

class Reader {
 public:
  Reader(const std::string& text, const std::string& path) : path_(path) {
    if (text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE"))
      refuse(path, 1, "the file is UTF-16; save it as UTF-8");
    for (std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < text.size();) {
      const auto end = std::min(text.find_first_of("\r\n", at), text.size());
      physical_line(text.substr(at, end - at));
      at = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
    }
    flush();
    if (!open_.empty())
      refuse(path, open_.back().line, "BEGIN:" + open_.back().name + " has no END");
    if (calendars_.empty())
      refuse(path, 1, "the file is no iCalendar: BEGIN:VCALENDAR was expected");
  }
  std::vector<Component> take() { return std::move(calendars_); }

 private:
  void physical_line(const std::string& line) {
    ++number_;
    if (line.empty()) return;
    if (line[0] == ' ' || line[0] == '\t') {
      if (current_.empty()) refuse(path_, number_, "a continued line has nothing before it");
      current_ += line.substr(1);
      return;
    }
    flush();
    current_ = line;
    current_line_ = number_;
  }

  void flush() {
    if (current_.empty()) return;
    const std::string line = std::exchange(current_, {});
    if (!is_utf8(line)) refuse(path_, current_line_, "not UTF-8; save the file as UTF-8");
    std::vector<std::string> parts;  // the name and the parameters
    bool quoted = false;
    std::size_t from = 0, at = 0;
    for (; at < line.size() && (quoted || line[at] != ':'); ++at) {
      if (line[at] == '"') quoted = !quoted;
      if (quoted || line[at] != ';') continue;
      parts.push_back(line.substr(from, at - from));
      from = at + 1;
    }
    if (at == line.size())
      refuse(path_, current_line_,
             "not a content line, NAME:VALUE was expected: " + line.substr(0, 60));
    parts.push_back(line.substr(from, at - from));
    ContentLine content{upper(parts[0]), {}, line.substr(at + 1), current_line_};
    if (!is_name(content.name))
      refuse(path_, current_line_, "'" + content.name.substr(0, 40) + "' is not a property name");
    for (std::size_t i = 1; i < parts.size(); ++i) add_parameter(content, parts[i]);
    place(std::move(content));
  }

  static void add_parameter(ContentLine& content, const std::string& part) {
    const auto equals = part.find('=');
    if (equals == std::string::npos) return;  // as in ENCODING's days: a value alone
    std::string value = part.substr(equals + 1);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    content.parameters.emplace(upper(part.substr(0, equals)), std::move(value));
  }

  void place(ContentLine content) {
    const std::string word = upper(content.value);
    if (open_.empty() && (content.name != "BEGIN" || word != "VCALENDAR"))
      refuse(path_, content.line, "BEGIN:VCALENDAR was expected");
    if (content.name == "BEGIN") {
      if (open_.size() == kDepthMax)
        refuse(path_, content.line, "components are nested more than 16 deep");
      open_.push_back({word, content.line, {}, {}});
    } else if (content.name == "END") {
      if (open_.back().name != word)
        refuse(path_, content.line,
               "END:" + word + " where END:" + open_.back().name + " was expected");
      Component done = std::move(open_.back());
      open_.pop_back();
      (open_.empty() ? calendars_ : open_.back().parts).push_back(std::move(done));
    } else {
      open_.back().lines.push_back(std::move(content));
    }
  }

  const std::string& path_;
  std::string current_;
  std::size_t current_line_ = 0;
  std::size_t number_ = 0;
  std::vector<Component> open_;
  std::vector<Component> calendars_;
};

}  // namespace

const ContentLine* Component::find(const std::string& property) const {
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const ContentLine& each) { return each.name == property; });
  return found == lines.end() ? nullptr : &*found;
}

void refuse(const std::string& path, std::size_t line, const std::string& why) {
  throw std::invalid_argument(path + ":" + std::to_string(line) + ": " + why);
}

std::vector<Component> read_components(const std::string& text, const std::string& path) {
  return Reader(text, path).take();
}

}  // namespace diary
