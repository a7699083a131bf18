// What: an Object's arguments, a JSON object, by name.
// Why: the meeting's C++ templates take a few each.
// Who: calendar.cc, room.cc.
#pragma once

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <stdexcept>
#include <string>

namespace diary {

class Arguments {
 public:
  /// Throws std::invalid_argument if it is no JSON object.
  explicit Arguments(const std::string& json) {
    const auto status =
        google::protobuf::util::JsonStringToMessage(json.empty() ? "{}" : json, &values_);
    if (!status.ok())
      throw std::invalid_argument("the arguments are not a JSON object: " +
                                  std::string(status.message()));
  }
  std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.fields().find(name);
    return found == values_.fields().end() ? otherwise : found->second.string_value();
  }
  double number(const std::string& name, double otherwise) const {
    const auto found = values_.fields().find(name);
    return found == values_.fields().end() ? otherwise : found->second.number_value();
  }

 private:
  google::protobuf::Struct values_;
};

}  // namespace diary
