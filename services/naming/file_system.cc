// A file system below one folder: folders are contexts, files are references of type "file".
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "systems.h"

namespace hector::naming {

namespace {

namespace fs = std::filesystem;

class FileSystem final : public NamingSystem {
 public:
  explicit FileSystem(fs::path folder) : folder_(std::move(folder)) {}
  Result<v1::NamingBinding> lookup(const Components& name) override {
    auto found = HECTOR_TRY(find(name));
    return binding_of(found);
  }
  Result<std::vector<v1::NamingBinding>> list(const Components& name) override {
    auto found = HECTOR_TRY(find(name));
    std::error_code failed;
    if (!fs::is_directory(found, failed))
      return refuse_name("NOT_A_CONTEXT", name, name.size(),
                         fmt::format("'{}' is a file", found.string()));
    std::vector<v1::NamingBinding> all;
    for (auto each = fs::directory_iterator(found, failed);
         !failed && each != fs::directory_iterator(); each.increment(failed)) {
      all.push_back(binding_of(each->path()));
      all.back().set_name(print_name({each->path().filename().string()}));
    }
    if (failed)
      return refuse_name("CTX_UNAVAILABLE", name, name.size(),
                         fmt::format("'{}' cannot be read: {}", found.string(), failed.message()));
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.name() < b.name(); });
    return all;
  }
  v1::NamingSyntax syntax() const override {
    v1::NamingSyntax syntax;
    syntax.set_direction("left_to_right");
    syntax.set_separator("/");
    return syntax;
  }

 private:
  /// Never above the folder, by ".." or by a symbolic link.
  Result<fs::path> find(const Components& name) const {
    fs::path path = folder_;
    if (is_root(name)) return path;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const auto& each = name[i];
      if (each.empty() && i + 1 == name.size()) break;  // "folder/"
      if (each.empty() || each == "." || each == ".." || each.find('/') != std::string::npos ||
          each.find('\0') != std::string::npos) {
        return refuse_name("ILLEGAL_NAME", name, i, fmt::format("'{}' is no file's name", each));
      }
      path /= each;
      std::error_code failed;
      if (!fs::exists(path, failed))
        return refuse_name("NAME_NOT_FOUND", name, i,
                           fmt::format("there is no '{}'", path.string()));
      const fs::path real = fs::canonical(path, failed);
      const auto [end, rest] =
          std::mismatch(folder_.begin(), folder_.end(), real.begin(), real.end());
      if (failed || end != folder_.end())
        return refuse_name("CTX_NO_PERMISSION", name, i,
                           fmt::format("'{}' leads out of '{}'", path.string(), folder_.string()));
      if (i + 1 < name.size() && !fs::is_directory(path, failed))
        return refuse_name("NOT_A_CONTEXT", name, i + 1,
                           fmt::format("'{}' is a file", path.string()));
    }
    return path;
  }
  static v1::NamingBinding binding_of(const fs::path& path) {
    v1::NamingBinding binding;
    std::error_code failed;
    const bool is_folder = fs::is_directory(path, failed);
    binding.set_type(is_folder ? "folder" : "file");
    auto* const address = binding.add_addresses();
    address->set_type("file");
    address->set_data(path.string());
    const auto size = is_folder ? 0 : fs::file_size(path, failed);
    if (!is_folder && !failed) {
      auto* const attribute = binding.add_attributes();
      attribute->set_id("size");
      attribute->add_values(std::to_string(size));
    }
    return binding;
  }
  const fs::path folder_;
};

}  // namespace

std::unique_ptr<NamingSystem> make_file_system(const std::string& folder) {
  std::error_code failed;
  const fs::path real = fs::canonical(folder, failed);
  return std::make_unique<FileSystem>(failed ? fs::path(folder) : real);
}

}  // namespace hector::naming
