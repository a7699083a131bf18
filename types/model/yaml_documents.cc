#include "types/model/yaml_documents.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <sstream>

#include "base/text/read_file.h"
#include "base/yaml/yaml_node.h"
#include "hector/check.h"

namespace hector::types {

namespace {

/// More documents in one file than anybody writes; a bound for what a file of marks alone may cost.
constexpr std::size_t kDocumentsMax = 1'000;

/// Counts the levels of a document while it is parsed, before the tree is built: a tree may hold
/// itself by an alias, the events never do. Brackets in comments and texts are none.
class DepthCounter final : public YAML::EventHandler {
 public:
  explicit DepthCounter(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    enter(mark);
  }
  void OnSequenceEnd() override { leave(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    enter(mark);
  }
  void OnMapEnd() override { leave(); }

 private:
  void enter(const YAML::Mark& mark) {
    if (++depth_ <= kTypeFileDepthMax) return;
    throw YamlMistake{fmt::format("{}:{}:{}: more than {} maps and lists inside each other", file_,
                                  mark.line + 1, mark.column + 1, kTypeFileDepthMax)};
  }
  void leave() {
    HECTOR_CHECK(depth_ > 0, "yaml-cpp ended a map or list that it had not begun");
    --depth_;
  }

  const std::string& file_;
  std::size_t depth_ = 0;
};

/// YAML reserves '@' at the beginning of a value, but a protocol expression may begin with it. This
/// puts such an expression, with its continuation lines, in quotes, so that people need not.
std::string quote_choosers(const std::string& text) {
  // The one key whose value is an order.
  static constexpr std::string_view kKey = "protocol:";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end_of = [&](std::size_t from) {
      return std::min(text.find('\n', from), text.size());
    };
    std::size_t end = end_of(at);
    const std::string_view line(text.data() + at, end - at);
    const auto value = line.starts_with(kKey) ? line.find_first_not_of(" \t", kKey.size())
                                              : std::string_view::npos;
    if (value != std::string_view::npos && line[value] == '@') {
      while (end + 1 < text.size() && (text[end + 1] == ' ' || text[end + 1] == '\t'))
        end = end_of(end + 1);
      std::string whole = text.substr(at + value, end - at - value);
      for (auto quote = whole.find('\''); quote != std::string::npos;
           quote = whole.find('\'', quote + 2))
        whole.insert(quote, 1, '\'');
      out.append(line.substr(0, value)).append("'").append(whole).append("'");
    } else {
      out.append(line);
    }
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

}  // namespace

// Not YAML::LoadAll: in yaml-cpp 0.7 it never ends on some malformed files (found by fuzzing).
std::vector<std::string> split_documents(std::string_view file) {
  const std::string plain = plain_text(file);
  const std::string_view yaml = plain;
  std::vector<std::string> documents(1);
  std::size_t line = 0;
  for (std::size_t at = 0; at < yaml.size(); ++line) {
    const auto end = std::min(yaml.find('\n', at), yaml.size() - 1);
    const std::string_view text = yaml.substr(at, end - at + 1);
    at = end + 1;
    const bool is_mark =
        text.starts_with("---") &&
        (text.size() == 3 || std::isspace(static_cast<unsigned char>(text[3])) != 0);
    if (is_mark && documents.size() < kDocumentsMax) documents.emplace_back(line, '\n');
    documents.back() += text;
  }
  return documents;
}

std::string id_of(const std::string& text) {
  for (const char* key : {"interface:", "binding:", "interaction:"}) {
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
      if (at != 0 && text[at - 1] != '\n') continue;
      auto begin = text.find_first_not_of(" \t\"'", at + std::strlen(key));
      if (begin == std::string::npos) return {};
      return text.substr(begin, text.find_first_of(" \t\r\n\"'#", begin) - begin);
    }
  }
  return {};
}

YAML::Node load_document(const std::string& document, const std::string& file) {
  const std::string text = quote_choosers(document);
  std::istringstream in(text);
  DepthCounter counter(file);
  YAML::Parser(in).HandleNextDocument(counter);
  return YAML::Load(text);
}

}  // namespace hector::types
