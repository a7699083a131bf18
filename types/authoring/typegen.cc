// What: hector-typegen, the generator of servants and clients as a program of its own.
// Why: the kernel's own Interfaces are generated before there is a kernel, so what generates them
// stands on types alone.
// Who: the build, through hector_generate_servants().
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "types/authoring/servant_generation.h"

namespace {

namespace fs = std::filesystem;
using hector::types::ProtoSource;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Every .proto below `folder`, by the path that imports name it with.
void add_protos(const fs::path& folder, std::map<std::string, std::string>& texts) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".proto")
      texts.emplace(fs::relative(entry.path(), folder).generic_string(), text_of(entry.path()));
  }
}

int usage() {
  std::cerr << "hector-typegen FILE.hector.yaml OUT.h [FOLDER…]: FOLDER has the .proto files\n";
  return 2;
}

int run(const fs::path& file, const fs::path& out,
        const std::map<std::string, std::string>& protos) {
  const auto documents =
      hector::types::read_type_documents(text_of(file), file.string(), ProtoSource(&protos));
  if (!documents) {
    std::cerr << documents.error().text() << "\n";
    return 1;
  }
  for (const auto& document : *documents) {
    if (!document.mistake) continue;
    std::cerr << document.mistake->text() << "\n";
    return 1;
  }
  const std::string made = hector::types::generate_servants(*documents, file.filename().string());
  // What has not changed keeps its time: nothing that includes it is compiled again.
  if (text_of(out) != made) std::ofstream(out, std::ios::binary) << made;
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return usage();
  std::map<std::string, std::string> protos;
  for (int i = 3; i < count; ++i) add_protos(arguments[i], protos);
  return run(arguments[1], arguments[2], protos);
}
