#include "objects/world_options.h"

#include <boost/json.hpp>

namespace hector::objects {

bool read_world_setting(std::string_view name, const boost::json::value& value,
                        WorldOptions& options) {
  if (name == "adopt_capsules" || name == "authorise") {
    if (value.is_bool())
      (name == "authorise" ? options.authorise : options.adopt_capsules) = value.as_bool();
    return value.is_bool();
  }
  if ((name != "adopt" && name != "show") || !value.is_array()) return false;
  std::vector<std::string> names;
  for (const auto& each : value.as_array()) {
    if (!each.is_string()) return false;
    names.emplace_back(each.as_string());
  }
  (name == "adopt" ? options.adopt : options.show) = std::move(names);
  return true;
}

}  // namespace hector::objects
