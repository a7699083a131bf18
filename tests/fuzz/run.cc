// What: runs every fuzz target over its corpus and over mutations of it, by seed.
// Why: without a fuzzing compiler too, in every test run.
// Who: ctest; `fuzz_run [SEED [COUNT]]`.
#include <google/protobuf/stubs/logging.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/targets.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  const unsigned seed = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;
  const int count = argc > 2 ? std::atoi(argv[2]) : 10'000;
  google::protobuf::SetLogHandler(nullptr);  // it would report each malformed message
  const char* root = std::getenv("HECTOR_SOURCE");
  std::printf("seed %u, %d mutations a target\n", seed, count);
  std::uint64_t state = seed * 2862933555777941757ULL + 3037000493ULL;
  const auto random = [&](std::size_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return below == 0 ? 0 : static_cast<std::size_t>(state >> 33) % below;
  };
  for (const auto& target : hector::fuzz::targets()) {
    std::vector<std::string> corpus;
    const fs::path folder =
        fs::path(root == nullptr ? "." : root) / "tests/fuzz/corpus" / target.name;
    if (!fs::exists(folder)) {
      std::printf("%s has no corpus\n", target.name.c_str());
      return 1;
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      corpus.push_back(text.str());
    }
    for (const auto& each : corpus)
      target.run(reinterpret_cast<const std::uint8_t*>(each.data()), each.size());
    for (int i = 0; i < count; ++i) {
      std::string input = corpus[random(corpus.size())];
      for (std::size_t changes = 1 + random(4); changes > 0; --changes) {
        const std::size_t at = random(input.size() + 1);
        switch (random(5)) {
          case 0:
            if (at < input.size()) input[at] = static_cast<char>(random(256));
            break;
          case 1:
            input.insert(at, 1, static_cast<char>(random(256)));
            break;
          case 2:
            input.erase(at, random(8));
            break;
          case 3:
            input.insert(at, corpus[random(corpus.size())].substr(0, random(40)));
            break;
          default:
            input.resize(at);
        }
      }
      target.run(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    }
    std::printf("%s ok, %zu in its corpus\n", target.name.c_str(), corpus.size());
  }
  return 0;
}
