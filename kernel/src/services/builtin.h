// What: Interfaces of the kernel's own Objects, made from message classes.
// Why: coordinator, management and the standard services are Objects like any other, with types
// like any other.
// Who: the coordinator, management, the service table.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "hector/type/v1/type.pb.h"
#include "types/model/messages.h"

namespace hector {

struct BuiltinOperation {
  std::string name;
  const google::protobuf::Descriptor* input;
  const google::protobuf::Descriptor* output;
  bool is_flow = false;  ///< one request, messages out until the caller ends it
};

template <class In, class Out>
BuiltinOperation builtin_rpc(std::string name) {
  return {std::move(name), In::descriptor(), Out::descriptor()};
}

template <class In, class Out>
BuiltinOperation builtin_flow(std::string name) {
  return {std::move(name), In::descriptor(), Out::descriptor(), true};
}

inline hector::type::v1::Interface builtin_interface(
    const std::string& name, const std::string& description,
    const std::vector<BuiltinOperation>& operations) {
  hector::type::v1::Interface model;
  model.set_name(name);
  model.set_major(1);
  model.set_description(description);
  std::vector<const google::protobuf::Descriptor*> messages;
  for (const auto& operation : operations) {
    auto* added = model.add_operations();
    added->set_name(operation.name);
    added->set_kind(operation.is_flow ? hector::type::v1::KIND_STREAM : hector::type::v1::KIND_RPC);
    if (operation.is_flow) added->set_flow(hector::type::v1::FLOW_OUT);
    added->set_input(operation.input->full_name());
    added->set_output(operation.output->full_name());
    messages.push_back(operation.input);
    messages.push_back(operation.output);
  }
  model.set_descriptors(types::compiled_files(messages).SerializeAsString());
  return model;
}

}  // namespace hector
