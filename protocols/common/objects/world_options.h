// What: WorldOptions, the settings that every world of foreign objects has.
// Why: read in one place, and named alike everywhere.
// Who: heros, zeromq.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hector::objects {

struct WorldOptions {
  /// Names of foreign objects that become Objects here; "*" at the end is any; empty: none.
  std::vector<std::string> adopt{"*"};
  std::vector<std::string> show{"*"};  ///< names of Objects that are shown there
  bool adopt_capsules = false;         ///< also the Objects that other capsules show
  bool authorise = false;              ///< Policy is asked about each call from there
};
inline constexpr const char* kWorldSettings =
    "adopt and show (lists of names), adopt_capsules and authorise (true or false)";

/// False: it is none of these, or its value is another kind.
bool read_world_setting(std::string_view name, const boost::json::value& value,
                        WorldOptions& options);

}  // namespace hector::objects
