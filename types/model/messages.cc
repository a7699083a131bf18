#include "types/model/messages.h"

#include <fmt/ranges.h>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <filesystem>
#include <functional>
#include <set>

#include "hector/check.h"

namespace hector::types {

namespace pb = google::protobuf;
namespace fs = std::filesystem;

namespace {

class FirstError final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    if (!text_.empty()) return;
    text_ = line < 0 ? fmt::format("{}: {}", file, message)
                     : fmt::format("{}:{}:{}: {}", file, line + 1, column + 1, message);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class PoolErrors final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const pb::Message*,
                ErrorLocation, const std::string& message) override {
    if (text.empty()) text = fmt::format("{}: {}: {}", file, element, message);
  }
  std::string text;
};

void collect(const pb::FileDescriptor* file, std::set<std::string>& seen,
             pb::FileDescriptorSet& out) {
  if (!seen.insert(file->name()).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) collect(file->dependency(i), seen, out);
  file->CopyTo(out.add_file());
}

void collect_names(const pb::Descriptor* message, std::vector<std::string>& names) {
  names.push_back(message->full_name());
  for (int i = 0; i < message->nested_type_count(); ++i)
    collect_names(message->nested_type(i), names);
}

/// The files of google/protobuf/ that people import without having them on disk.
class BuiltInTree final : public pb::compiler::SourceTree {
 public:
  explicit BuiltInTree(const ProtoSource& source) : texts_(source.texts) {
    for (const auto& root : source.roots) disk_.MapPath("", root);
  }
  pb::io::ZeroCopyInputStream* Open(const std::string& file) override {
    if (texts_ != nullptr) {
      if (const auto found = texts_->find(file); found != texts_->end())
        return new pb::io::ArrayInputStream(found->second.data(),
                                            static_cast<int>(found->second.size()));
      if (!file.starts_with("google/protobuf/")) {
        error_ = "File not found.";
        return nullptr;
      }
    }
    if (auto* stream = disk_.Open(file)) return stream;
    error_ = disk_.GetLastErrorMessage();
    return nullptr;
  }
  std::string GetLastErrorMessage() override { return error_; }
  void map(const std::string& folder) { disk_.MapPath("", folder); }

 private:
  const std::map<std::string, std::string>* texts_;
  pb::compiler::DiskSourceTree disk_;
  std::string error_;
};

/// The folder and all around it, the nearest first.
std::vector<std::string> folders_from(const std::string& folder) {
  std::vector<std::string> all;
  // A text that is no file has no folder: the working directory's files are its neighbours.
  fs::path at = fs::absolute(folder.empty() ? "." : folder).lexically_normal();
  if (!at.has_filename()) at = at.parent_path();  // "/a/b/"
  for (; at != at.parent_path(); at = at.parent_path()) all.push_back(at.string());
  return all;
}

Result<pb::FileDescriptorSet> parse(const ProtoSource& source,
                                    const std::vector<std::string>& files) {
  BuiltInTree tree(source);
  for (const char* place : {"/usr/include", "/usr/local/include"}) {
    if (fs::exists(std::string(place) + "/google/protobuf/any.proto")) tree.map(place);
  }
  FirstError errors;
  pb::compiler::Importer importer(&tree, &errors);
  pb::FileDescriptorSet set;
  std::set<std::string> seen;
  for (const std::string& file : files) {
    const pb::FileDescriptor* descriptor = importer.Import(file);
    if (descriptor == nullptr) {
      return fail(Code::kInvalidArgument,
                  errors.text().empty() ? file + ": cannot be read" : errors.text());
    }
    collect(descriptor, seen, set);
  }
  return set;
}

/// An import that is not found: says where it was looked for.
Error with_places(Error error, const std::vector<std::string>& places) {
  if (error.message.ends_with("File not found."))
    error.message +=
        fmt::format(" Looked for it from {}; -I says where imports begin", fmt::join(places, ", "));
  return error;
}

Result<ProtoFile> read_from_roots(const fs::path& place, const std::vector<std::string>& roots) {
  for (const auto& root : roots) {
    const auto name = place.lexically_relative(fs::absolute(root).lexically_normal());
    if (name.empty() || *name.begin() == "..") continue;
    auto files = parse(ProtoSource(roots), {name.string()});
    if (!files) return fail(with_places(std::move(files.error()), roots));
    return ProtoFile{root, name.string(), std::move(*files)};
  }
  return fail(Code::kInvalidArgument,
              fmt::format("'{}' is in none of the folders that imports begin at: {}",
                          place.string(), fmt::join(roots, ", ")));
}

}  // namespace

Result<pb::FileDescriptorSet> read_proto_files(const ProtoSource& source,
                                               const std::vector<std::string>& files) {
  if (source.texts != nullptr || files.empty()) return parse(source, files);
  const auto places = source.roots.empty() ? folders_from(source.folder) : source.roots;
  for (std::size_t i = 0; source.roots.empty() && i < places.size(); ++i) {
    if (!fs::exists(fs::path(places[i]) / files.front())) continue;
    if (auto found = parse(ProtoSource(std::vector{places[i]}), files)) return found;
  }
  return parse(ProtoSource(places), files);
}

Result<ProtoFile> read_proto_file(const std::string& path, const std::vector<std::string>& roots) {
  const auto place = fs::absolute(path).lexically_normal();
  std::error_code error;
  if (!fs::exists(place, error))
    return fail(Code::kNotFound, fmt::format("'{}' cannot be read", path));
  if (!roots.empty()) return read_from_roots(place, roots);
  const auto places = folders_from(place.parent_path().string());
  for (const auto& root : places) {
    const std::string name = place.lexically_relative(root).string();
    if (auto files = parse(ProtoSource(std::vector{root}), {name}))
      return ProtoFile{root, name, std::move(*files)};
  }
  auto files = parse(ProtoSource(places), {place.filename().string()});
  if (!files) return fail(with_places(std::move(files.error()), places));
  return ProtoFile{places.front(), place.filename().string(), std::move(*files)};
}

pb::FileDescriptorSet compiled_files(const std::vector<const pb::Descriptor*>& messages) {
  pb::FileDescriptorSet set;
  std::set<std::string> seen;
  for (const auto* message : messages) collect(message->file(), seen, set);
  return set;
}

Result<std::unique_ptr<const MessagePool>> MessagePool::make(const pb::FileDescriptorSet& files) {
  auto made = std::make_unique<MessagePool>();
  PoolErrors errors;
  for (const auto& file : files.file()) {
    const auto* descriptor = made->pool_.BuildFileCollectingErrors(file, &errors);
    if (descriptor == nullptr) return fail(Code::kInvalidArgument, "message types: " + errors.text);
    for (int i = 0; i < descriptor->message_type_count(); ++i)
      collect_names(descriptor->message_type(i), made->names_);
  }
  return std::unique_ptr<const MessagePool>(std::move(made));
}

const pb::Descriptor* MessagePool::find(const std::string& message) const {
  return pool_.FindMessageTypeByName(message);
}

std::unique_ptr<pb::Message> MessagePool::create(const pb::Descriptor* type) const {
  HECTOR_CHECK(type != nullptr && type->file()->pool() == &pool_, "a message of another pool");
  return std::unique_ptr<pb::Message>(factory_.GetPrototype(type)->New());
}

std::vector<std::string> MessagePool::names() const { return names_; }

}  // namespace hector::types
