#include "types/authoring/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <iterator>
#include <regex>
#include <string_view>

namespace hector::types {

namespace {

const std::set<std::string, std::less<>>& cpp_keywords() {
  static const std::set<std::string, std::less<>> kWords{
      "alignas",       "alignof",     "and",
      "and_eq",        "asm",         "auto",
      "bitand",        "bitor",       "bool",
      "break",         "case",        "catch",
      "char",          "char8_t",     "char16_t",
      "char32_t",      "class",       "co_await",
      "co_return",     "co_yield",    "compl",
      "concept",       "const",       "const_cast",
      "consteval",     "constexpr",   "constinit",
      "continue",      "decltype",    "default",
      "delete",        "do",          "double",
      "dynamic_cast",  "else",        "enum",
      "explicit",      "export",      "extern",
      "false",         "float",       "for",
      "friend",        "goto",        "if",
      "inline",        "int",         "long",
      "mutable",       "namespace",   "new",
      "noexcept",      "not",         "not_eq",
      "nullptr",       "operator",    "or",
      "or_eq",         "private",     "protected",
      "public",        "register",    "reinterpret_cast",
      "requires",      "return",      "short",
      "signed",        "sizeof",      "static",
      "static_assert", "static_cast", "struct",
      "switch",        "template",    "this",
      "thread_local",  "throw",       "true",
      "try",           "typedef",     "typeid",
      "typename",      "union",       "unsigned",
      "using",         "virtual",     "void",
      "volatile",      "wchar_t",     "while",
      "xor",           "xor_eq"};
  return kWords;
}

/// The macros in small letters of glibc's and GCC's headers that cpp.h and Protobuf include, and
/// GCC's own keywords (`g++ -std=gnu++20 -dM -E`).
bool is_macro_in_small_letters(const std::string& name) {
  static const std::set<std::string, std::less<>> kMacros{
      "alloca",   "assert",   "assert_perror", "be16toh",   "be32toh",        "be64toh", "bswap_16",
      "bswap_32", "bswap_64", "errno",         "htobe16",   "htobe32",        "htobe64", "htole16",
      "htole32",  "htole64",  "i386",          "le16toh",   "le32toh",        "le64toh", "linux",
      "makedev",  "offsetof", "setjmp",        "sigsetjmp", "sched_priority", "stderr",  "stdin",
      "stdout",   "strdupa",  "strndupa",      "typeof",    "unix",           "va_arg",  "va_copy",
      "va_end",   "va_start"};
  return kMacros.contains(name) || name.starts_with("pthread_cleanup_");
}

bool is_errnos_name(const std::string& name) {
  constexpr int kErrnoMax = 256;  // Linux has 133
  for (int number = 1; number < kErrnoMax; ++number) {
    const char* const known = strerrorname_np(number);
    if (known != nullptr && name == known) return true;
  }
  return name == "EWOULDBLOCK" || name == "EDEADLOCK" || name == "ENOTSUP";  // second names
}

/// Single ones in capitals.
bool is_known_macro(const std::string& name) {
  static const std::set<std::string, std::less<>> kMacros{"BIG_ENDIAN",
                                                          "BUFSIZ",
                                                          "BYTE_ORDER",
                                                          "CLOCKS_PER_SEC",
                                                          "CSIGNAL",
                                                          "EOF",
                                                          "F_LOCK",
                                                          "F_OK",
                                                          "F_TEST",
                                                          "F_TLOCK",
                                                          "F_ULOCK",
                                                          "L_INCR",
                                                          "L_SET",
                                                          "L_XTND",
                                                          "MAX_CANON",
                                                          "MAX_INPUT",
                                                          "NZERO",
                                                          "PIPE_BUF",
                                                          "R_OK",
                                                          "STDERR_FILENO",
                                                          "STDIN_FILENO",
                                                          "STDOUT_FILENO",
                                                          "TEMP_FAILURE_RETRY",
                                                          "WEOF",
                                                          "W_OK",
                                                          "X_OK",
                                                          "INFINITY",
                                                          "LITTLE_ENDIAN",
                                                          "NAN",
                                                          "NDEBUG",
                                                          "NFDBITS",
                                                          "NULL",
                                                          "PDP_ENDIAN",
                                                          "TIME_UTC",
                                                          "WCONTINUED",
                                                          "WEXITED",
                                                          "WEXITSTATUS",
                                                          "WIFCONTINUED",
                                                          "WIFEXITED",
                                                          "WIFSIGNALED",
                                                          "WIFSTOPPED",
                                                          "WNOHANG",
                                                          "WNOWAIT",
                                                          "WSTOPPED",
                                                          "WSTOPSIG",
                                                          "WTERMSIG",
                                                          "WUNTRACED"};
  static const std::regex kFamilies(
      "(U?CHAR|SCHAR|U?SHRT|U?INT|U?LONG|U?LLONG|U?LONG_LONG|S?SIZE|PTRDIFF|WCHAR|WINT|SIG_ATOMIC|"
      "U?INTMAX|U?INTPTR|U?INT(_FAST|_LEAST)?(8|16|32|64)|BOOL|RAND|PATH|NAME)_(MAX|MIN|WIDTH|C)|"
      "(CHAR|LONG|WORD)_BIT|SEEK_(SET|CUR|END|DATA|HOLE)|EXIT_(SUCCESS|FAILURE)|"
      "LC_(ALL|COLLATE|CTYPE|MESSAGES|MONETARY|NUMERIC|TIME)");
  return kMacros.contains(name) || is_errnos_name(name) || std::regex_match(name, kFamilies);
}

/// Those, and everything that begins or ends as whole families do.
bool is_macro_in_capitals(const std::string& name) {
  static constexpr std::string_view kBeginnings[] = {
      "ADJ_",    "ATOMIC_", "CLOCK_", "CLONE_", "CPU_",   "EXIT_",     "FD_",
      "GOOGLE_", "HECTOR_", "LC_",    "MOD_",   "NL_",    "PROTOBUF_", "PTHREAD_",
      "SCHED_",  "SEEK_",   "STA_",   "SYS_",   "TIMER_", "TL_"};
  static constexpr std::string_view kEndings[] = {"_BIT", "_C", "_MAX", "_MIN", "_WIDTH"};
  const bool is_of_capitals =
      std::none_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c) != 0; });
  const auto begins = [&](std::string_view with) { return name.starts_with(with); };
  const auto ends = [&](std::string_view with) { return name.ends_with(with); };
  return is_known_macro(name) ||
         std::any_of(std::begin(kBeginnings), std::end(kBeginnings), begins) ||
         (is_of_capitals && std::any_of(std::begin(kEndings), std::end(kEndings), ends));
}

bool is_identifier(const std::string& name) {
  const auto may_stand = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), may_stand);
}

}  // namespace

bool is_cpp_word(const std::string& name) {
  return cpp_keywords().contains(name) || is_macro_in_small_letters(name) ||
         is_macro_in_capitals(name);
}

bool is_unknown_to_protoc(const std::string& name) {
  static const std::set<std::string, std::less<>> kNewer{
      "char8_t",  "char16_t", "char32_t",  "co_await",  "co_return",
      "co_yield", "concept",  "consteval", "constinit", "requires"};
  return name != "NULL" &&
         (kNewer.contains(name) || is_macro_in_small_letters(name) || is_known_macro(name));
}

Result<std::string> cpp_identifier(const std::string& name, const std::string& what) {
  if (!is_identifier(name))
    return fail(Code::kInvalidArgument,
                fmt::format("{} cannot be a name in C++: letters, digits and '_' may stand in one, "
                            "no digit first",
                            what));
  return is_cpp_word(name) ? name + "_" : name;
}

bool is_python_keyword(const std::string& name) {
  static const std::set<std::string, std::less<>> kWords{
      "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
      "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
      "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
      "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
  return kWords.contains(name);
}

std::string python_identifier(const std::string& name) {
  return is_python_keyword(name) ? name + "_" : name;
}

}  // namespace hector::types
