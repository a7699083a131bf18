#include "hector/type_check.h"

#include "types/repository.h"

namespace hector {

Result<std::vector<std::string>> check_type_file(const std::string& path) {
  types::Repository repository;
  return repository.load_file(path);
}

}  // namespace hector
