// What: names of types as identifiers of C++ and Python, where a word of the language needs another
// spelling.
// Why: an operation `delete` or a message `None` is right in .proto, and the code made of it has to
// compile; the one rule is a trailing underscore, as protoc has it for C++.
// Who: generation.cc, python_generation.cc. languages/python/hector/messages.py has the same rule.
#pragma once

#include <set>
#include <string>

#include "hector/result.h"

namespace hector::types {

/// A keyword of C++20, or a macro of the headers that generated code includes (NULL, EOF, errno).
[[nodiscard]] bool is_cpp_word(const std::string& name);
/// A word of C++ that protoc 3.21 writes into its C++ as it is (it knows C++17's keywords and
/// NULL): no compiler takes what comes of it.
[[nodiscard]] bool is_unknown_to_protoc(const std::string& name);
/// The name, with an underscore behind it where C++ has the word for itself. INVALID_ARGUMENT if it
/// is no identifier; `what` names it in the message ("operation 'a-b'").
[[nodiscard]] Result<std::string> cpp_identifier(const std::string& name, const std::string& what);

/// Python 3.11's reserved words; the soft ones (match, type, …) may be names.
[[nodiscard]] bool is_python_keyword(const std::string& name);
/// The name, with an underscore behind it where it is one of them.
[[nodiscard]] std::string python_identifier(const std::string& name);

/// Gives out names that are free, and keeps them.
class TakenNames {
 public:
  void take(const std::string& name) { names_.insert(name); }
  [[nodiscard]] bool has(const std::string& name) const { return names_.contains(name); }
  /// `wanted`, with as many underscores behind it as it takes.
  std::string claim(std::string wanted) {
    while (!names_.insert(wanted).second) wanted += '_';
    return wanted;
  }

 private:
  std::set<std::string> names_;
};

}  // namespace hector::types
