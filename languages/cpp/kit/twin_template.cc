// What: a template with message classes of its own; TWIN_NAME is its name.
// Why: templates of one .proto are loaded into one process, and each uses its own classes.
// Who: cpp_language_test.
#include <string>

#include "hector/hector.h"
#include "twin/messages.pb.h"

namespace {

/// What the classes say of themselves after a message went to octets and back.
std::string tried() {
  twin::Ballot ballot;
  ballot.set_text("aye");
  ballot.add_votes(7);
  ballot.MutableExtension(twin::second)->set_text("nay");
  twin::Ballot back;
  if (!back.ParseFromString(ballot.SerializeAsString())) return "does not parse";
  const auto* const field = back.GetDescriptor()->FindFieldByName("text");
  return back.GetTypeName() + " " + back.text() + " " + back.GetExtension(twin::second).text() +
         " " + field->options().GetExtension(twin::unit);
}

const char* const kOperations[] = {"echo", nullptr};
int instance;

}  // namespace

extern "C" __attribute__((visibility("default"))) const hector_template* hector_template_v1(void) {
  static const std::string kTried = tried();
  static const hector_template kDescribed = {
      .size = sizeof(hector_template),
      .abi = HECTOR_C_ABI,
      .name = TWIN_NAME,
      .interface_id = "kit.Echo/1",
      .description = kTried.c_str(),
      .operations = kOperations,
      .create = [](hector_capsule*, const char*, hector_text_fn, void*) -> void* {
        return &instance;
      },
      .destroy = [](void*) {},
      .invoke = [](void*, uint32_t, hector_call* call) { hector_call_done(call); },
  };
  return &kDescribed;
}
