// What: LibraryCopy, a shared object as this process runs it: from a copy of its own, found by its
// content.
// Why: the loader knows a file by its place, so a new build at an old path would not run, and a
// file that is written over while it is mapped ends the process.
// Who: the cpp language.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector::cpp_language {

struct LoadedLibrary {
  void* handle = nullptr;  ///< of dlopen(); never closed
  std::string digest;      ///< SHA-256 of the file, in hexadecimal
  /// Message files that are in the process with another content; see hector/message_files.h.
  std::vector<std::string> conflicts;
};

/// Any thread.
class LibraryCopies {
 public:
  /// `probe`: the program that tries each new library first.
  explicit LibraryCopies(std::string probe) : probe_(std::move(probe)) {}
  /// Reads the whole file once, loads a copy of it that nobody else can change, and gives the same
  /// library for the same octets. What it needs from its own folder is loaded from there.
  /// INVALID_ARGUMENT: it is no shared object, a part of one, does not load, or would end the
  /// process.
  Result<LoadedLibrary> load(const std::string& path);

 private:
  const std::string probe_;
  std::mutex mutex_;
  std::map<std::string, LoadedLibrary> loaded_;  ///< by digest
};

/// Whether these are all octets of an ELF file, by its own headers. Else what is wrong.
Status check_whole(std::string_view file);

}  // namespace hector::cpp_language
