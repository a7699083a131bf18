// What: WorldOptions, the settings that every world of objects has.
// Why: read once, and named alike everywhere.
// Who: the protocols that are worlds of objects of their own.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hector::objects {

struct WorldOptions {
  std::vector<std::string> adopt{
      "*"};  ///< names of its objects that become Objects here, "*" at the end is any; empty: none
  std::vector<std::string> show{"*"};  ///< names of Objects that are shown there
  bool adopt_capsules = false;         ///< also what other capsules show
  bool authorise = false;              ///< Policy is asked about each call from there
};
inline constexpr const char* kWorldSettings =
    "adopt and show (lists of names), adopt_capsules and authorise (true or false)";

/// False: it is none of these, or its value is another kind.
bool read_world_setting(std::string_view name, const boost::json::value& value,
                        WorldOptions& options);

}  // namespace hector::objects
