// What: C++ for Hector's own side of an Interface: the servant's base class and a client.
// Why: a service has no table of operations by position; an operation that is forgotten, swapped or
// given the wrong message does not compile.
// Who: hector-typegen and hector_generate_servants().
#pragma once

#include <string>
#include <vector>

#include "types/model/reader.h"

namespace hector::types {

/// A header that stands on hector/operation_calls.h: for each Interface `NameServant` with one pure
/// virtual function for each operation, and `NameClient`. `file` is what it is said to be made
/// from.
std::string generate_servants(const std::vector<TypeDocument>& documents, const std::string& file);

}  // namespace hector::types
