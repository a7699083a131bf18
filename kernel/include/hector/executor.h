// What: the base library's public header of this name.
// Why: kernel/include is the one include path for the whole contract.
// Who: programs, templates and plugins that are built outside this tree.
#pragma once

#include "../../../base/include/hector/executor.h"
