// What: OMG's constraint and preference languages (formal/00-06-27, appendix B).
// Why: a role says what it needs in one line.
// Who: Trading; the command line, to try a constraint out.
#pragma once

#include "expression/program.h"

namespace hector::expression {

/// INVALID_ARGUMENT of type "IllegalConstraint" (or `error`) with the column. `column` is added to
/// those it names.
Result<Tree> read_constraint(std::string_view text, std::string_view error = "IllegalConstraint",
                             std::size_t column = 0);
/// Empty: Program::always().
Result<Program> compile_constraint(std::string_view text, CompileOptions options);

struct Preference {
  enum class Kind : std::uint8_t { kFirst, kRandom, kMax, kMin, kWith };
  Kind kind = Kind::kFirst;
  Program program = Program::always();  ///< of kMax, kMin, kWith
};
/// Empty is "first". INVALID_ARGUMENT of type "IllegalPreference".
Result<Preference> compile_preference(std::string_view text, CompileOptions options);

}  // namespace hector::expression
