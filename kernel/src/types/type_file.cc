#include "hector/type_file.h"

#include "types/messages.h"
#include "types/repository.h"

namespace hector {

Result<std::vector<std::string>> check_type_file(const std::string& path) {
  types::Repository repository;
  return repository.load_file(path);
}

Result<std::vector<TypeDescription>> read_type_descriptions(const std::string& path) {
  types::Repository repository;
  auto ids = repository.load_file(path);
  if (!ids) return fail(ids.error());
  std::vector<TypeDescription> list;
  for (const auto& interface : repository.interfaces()) list.push_back({interface->id(), false, interface->model(), interface->descriptors()});
  for (const auto& binding : repository.bindings()) list.push_back({types::binding_id(binding), true, binding.SerializeAsString(), {}});
  return list;
}

std::string type_model_descriptors() {
  return types::compiled_files({hector::type::v1::Interface::descriptor()}).SerializeAsString();
}

}  // namespace hector
