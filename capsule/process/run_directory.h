// What: the run directory, where each capsule of this user leaves the reference of its management
// interface.
// Why: on one host a capsule is found by its name.
// Who: hector-capsule writes it; the command line and `joined:` read it.
#pragma once

#include <string>
#include <vector>

#include "hector/reference.h"

namespace hector {

/// $HECTOR_RUN_DIRECTORY, else $XDG_RUNTIME_DIR/hector, else /tmp/hector-<uid>. Made if missing,
/// for this user only.
std::string run_directory();
/// PERMISSION_DENIED where it is another user's: what runs there cannot be seen.
Status check_run_directory(const std::string& directory);
Status write_capsule_reference(const std::string& directory, const Reference& reference);
void remove_capsule_reference(const std::string& directory, const std::string& capsule);
/// By a capsule's name or a "hector:" text. NOT_FOUND names the capsules that run; UNAVAILABLE:
/// this one was killed, and its reference is left.
Result<Reference> read_capsule_reference(const std::string& directory, const std::string& capsule);
/// When it was written, as "2026-11-25 21:55:01", in this machine's zone; "" if it is not there.
std::string reference_time(const std::string& directory, const std::string& capsule);
/// Those that have a reference there and hold their name's claim, sorted.
std::vector<std::string> running_capsules(const std::string& directory);
/// Those that have left a reference there, also where they were killed, sorted.
std::vector<std::string> known_capsules(const std::string& directory);

/// Where a capsule keeps its state unless told otherwise: in $HECTOR_STATE_DIRECTORY, else in a run
/// directory that was given, else in hector/ below $XDG_STATE_HOME or ~/.local/state.
std::string state_directory();

}  // namespace hector
