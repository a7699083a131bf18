#include "library_copy.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "hector/descriptor.h"
#include "hector/message_files.h"
#include "hector/sha256.h"
#include "open_library.h"
#include "probe.h"

namespace hector::cpp_language {

namespace fs = std::filesystem;

namespace {

Result<std::string> whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream octets;
  if (!file || !(octets << file.rdbuf()))
    return fail(Error::invalid_argument(
        fmt::format("template {} cannot be read: {}", path,
                    fs::is_empty(path) ? "it is empty" : std::strerror(errno))));
  return std::move(octets).str();
}

/// A file without a name, with these octets; -1 with errno.
int unnamed_file(const std::string& name, const std::string& octets) {
  const int file = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -1;
  if (!write_all(file, octets)) {
    close(file);
    return -1;
  }
  return file;
}

template <class Header>
bool read_at(std::string_view file, std::size_t at, Header& header) {
  if (at > file.size() || file.size() - at < sizeof header) return false;
  std::memcpy(&header, file.data() + at, sizeof header);
  return true;
}

Error cut(std::size_t size, std::size_t needed) {
  return Error::invalid_argument(fmt::format(
      "it is a part of a shared object: {} octets, its headers speak of {}; is it still being "
      "written?",
      size, needed));
}

}  // namespace

Status check_whole(std::string_view file) {
  Elf64_Ehdr head;
  if (!read_at(file, 0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
    return fail(Error::invalid_argument("it is no shared object (ELF)"));
  if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_type != ET_DYN)
    return fail(
        Error::invalid_argument("it is no shared object of 64 bits; build it with -shared -fPIC"));
  const std::size_t sections = std::size_t{head.e_shnum} * head.e_shentsize;
  if (head.e_shoff > file.size() || sections > file.size() - head.e_shoff)
    return fail(cut(file.size(), head.e_shoff + sections));
  for (std::size_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!read_at(file, head.e_phoff + i * head.e_phentsize, segment))
      return fail(cut(file.size(), head.e_phoff + std::size_t{head.e_phnum} * head.e_phentsize));
    if (segment.p_offset > file.size() || segment.p_filesz > file.size() - segment.p_offset)
      return fail(cut(file.size(), segment.p_offset + segment.p_filesz));
  }
  return {};
}

Result<LoadedLibrary> LibraryCopies::load(const std::string& path) {
  const std::string octets = HECTOR_TRY(whole_file(path));
  if (auto whole = check_whole(octets); !whole) {
    whole.error().message =
        fmt::format("template {} cannot be loaded: {}", path, whole.error().message);
    return fail(std::move(whole.error()));
  }
  LoadedLibrary library{.digest = sha256_hex(octets)};
  const std::lock_guard lock(mutex_);
  if (const auto known = loaded_.find(library.digest); known != loaded_.end()) return known->second;
  const int file = unnamed_file(fs::path(path).filename().string(), octets);
  if (file < 0)
    return fail(Error::resource_exhausted(
        fmt::format("no memory for a copy of template {}: {}", path, std::strerror(errno))));
  if (auto tried = try_in_a_process(probe_, file, path); !tried) {
    close(file);
    return fail(std::move(tried.error()));
  }
  const MessageFiles files("template " + path);
  const auto opened = open_library(file, path);
  if (!opened) {
    close(file);
    return fail(opened.error());
  }
  // The file stays open: the loader knows the library by its number, which no other may get.
  library.handle = *opened;
  library.conflicts = files.conflicts();
  loaded_.emplace(library.digest, library);
  return library;
}

}  // namespace hector::cpp_language
