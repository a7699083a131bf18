// What: a file of YAML is one document.
// Why: YAML::Load() reads the first document, and says nothing about what stands behind it.
// Who: read_yaml_file().
#include "process/yaml_file.h"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

namespace hector {

namespace {

/// Remembers where a document begins.
class Documents final : public YAML::EventHandler {
 public:
  YAML::Mark begun;

  void OnDocumentStart(const YAML::Mark& mark) override { begun = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

}  // namespace

void refuse_more_documents(const std::string& text, const std::string& path,
                           const std::string& what) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  Documents documents;
  if (!parser.HandleNextDocument(documents) || !parser.HandleNextDocument(documents)) return;
  throw YamlMistake{fmt::format(
      "{}:{}:{}: {} is one YAML document, another one begins here; put all of it into one, or into "
      "two files",
      path, documents.begun.line + 1, documents.begun.column + 1, what)};
}

}  // namespace hector
