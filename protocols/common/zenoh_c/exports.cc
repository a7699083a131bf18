// A shared library has to have a source; what it exports is the archive's.
#include "zenoh_c/hector_zenoh.h"
