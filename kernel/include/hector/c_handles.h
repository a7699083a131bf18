// What: from the kernel's objects to the C API's handles.
// Why: a language plugin receives C++ objects and hands handles to compiled templates.
// Who: languages/cpp and other languages that stand on the C API.
#pragma once

#include <memory>

#include "hector/call.h"
#include "hector/capsule.h"
#include "hector/hector.h"

namespace hector {

inline hector_call* handle_of(Call& call) { return reinterpret_cast<hector_call*>(&call); }
inline hector_capsule* handle_of(Capsule& capsule) {
  return reinterpret_cast<hector_capsule*>(&capsule);
}
/// Held once; ended with hector_session_release.
hector_session* make_session_handle(std::shared_ptr<Session> session);

}  // namespace hector
