// What: the commands of `hector type`: what is wrong with type files, and whether an Interface may
// play a Role.
// Why: they need no capsule, only files.
// Who: cli_main.cc.
#pragma once

#include <string>
#include <vector>

namespace hector {

/// A line for each type; with format "jsonl" an object a line: type, ok, rule, trace, who, text,
/// file. The exit code: 0 all are right, 2 a file cannot be read as types, 7 a type cannot work.
int type_check(const std::vector<std::string>& paths, const std::string& format);
/// Prints "yes", or the reasons; format "json": conforms, rule, reasons. The exit code: 0 or 7, 2
/// and 3 for what is given.
int type_conforms(const std::string& interface, const std::string& role, const std::string& format);

/// The picture of a type on the standard output, as "svg", or "dot" for Graphviz's own language.
/// The exit code: 0, 2 or 3.
int type_draw(const std::string& path, const std::string& type, const std::string& form);

/// What differs, a line each; exit code 0.
int type_diff(const std::string& older, const std::string& newer);
/// "yes", or why users of the older types would break; exit code 0 or 7.
int type_breaking(const std::string& older, const std::string& newer, const std::string& format);
/// YAML on the standard output; with `folder`, files there: types.hector.yaml and the .proto files
/// of a descriptor set.
int type_import(const std::string& path, unsigned major, const std::string& folder);
/// Lays files out in the one way and names those that change; with `check` it only names them, and
/// exit code 1 says there are some.
int type_fmt(const std::vector<std::string>& paths, bool check);
/// Code made from a type file, as a C++ header ("h") or for editors of Python ("pyi"), into a file,
/// or on the standard output.
int type_gen(const std::string& path, const std::string& form, const std::string& out);
/// The .proto of an Interface on the standard output.
int type_export(const std::string& interface);

}  // namespace hector
