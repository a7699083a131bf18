#include "name.h"

#include <fmt/format.h>

namespace hector::naming {

namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_escapable(char c) { return is_quote(c) || c == '/' || c == '\\'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  Result<std::vector<std::string>> read() {
    std::vector<std::string> components;
    for (;;) {
      auto component =
          HECTOR_TRY(at_ < text_.size() && is_quote(text_[at_]) ? quoted() : unquoted());
      components.push_back(std::move(component));
      if (at_ == text_.size()) return components;
      ++at_;  // the separator
    }
  }

 private:
  tl::unexpected<Error> refuse(std::size_t at, std::string_view what) const {
    return fail(Error::invalid_argument(fmt::format("ILLEGAL_NAME: column {}: {}, in: {}", at + 1,
                                                    what, text_.substr(0, 200)))
                    .with_type("ILLEGAL_NAME"));
  }
  /// Within quotes only the same quote is escaped; '/' and every other '\' are what they are.
  Result<std::string> quoted() {
    const std::size_t start = at_;
    const char quote = text_[at_++];
    std::string component;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        component += text_[++at_];
      } else if (text_[at_] == quote) {
        ++at_;
        if (at_ < text_.size() && text_[at_] != '/')
          return refuse(at_,
                        "after the closing quote '/' or the end was expected; quotes enclose a "
                        "whole component");
        return component;
      } else {
        component += text_[at_];
      }
    }
    return refuse(start, "this quote is not closed");
  }
  Result<std::string> unquoted() {
    std::string component;
    for (; at_ < text_.size() && text_[at_] != '/'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && is_escapable(text_[at_ + 1])) ++at_;
      component += text_[at_];
    }
    return component;
  }
  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<std::string>> parse_name(std::string_view text) {
  if (text.size() > kNameOctetsMax)
    return fail(Error::invalid_argument(
                    fmt::format("ILLEGAL_NAME: a name may have {} octets, this one has {}",
                                kNameOctetsMax, text.size()))
                    .with_type("ILLEGAL_NAME"));
  return Reader(text).read();
}

std::string print_name(const std::vector<std::string>& components) {
  std::string text;
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (i != 0) text += '/';
    const std::string& component = components[i];
    for (std::size_t c = 0; c < component.size(); ++c) {
      const bool needs_escape =
          component[c] == '/' || component[c] == '\\' || (c == 0 && is_quote(component[c]));
      if (needs_escape) text += '\\';
      text += component[c];
    }
  }
  return text;
}

}  // namespace hector::naming
