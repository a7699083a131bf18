// What: nothing of its own. Why: a shared library has to have a source; what it exports is the
// archive's. Who: the linker.
#include "cedar_c/hector_cedar.h"
