// What: the control Object of one Binding, and its Interface, hector.Binding/1.
// Why: people and programs change a Binding that runs as they call any other Object.
// Who: Bindings makes one for each Binding; relocation calls those of other capsules.
#pragma once

#include <memory>
#include <string>

#include "binding/controller.h"
#include "hector/language.h"

namespace hector {

/// Its operations block on the BlockingPool.
std::unique_ptr<Servant> make_binding_control(BlockingPool& pool,
                                              std::shared_ptr<BindingController> controller);
std::string binding_control_name(std::uint64_t binding);

}  // namespace hector
