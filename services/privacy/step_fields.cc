#include "step_fields.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <cmath>

#include "base64.h"
#include "refusals.h"

namespace hector::privacy {

namespace json = boost::json;

namespace {

constexpr std::size_t kDepthMax = 16;

/// Boost.JSON's parser calls it for each token. Its own values keep the last of two fields of one
/// name; here that is a mistake.
class NameCheck {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX,
                               max_key_size = SIZE_MAX, max_string_size = SIZE_MAX;
  using Code = boost::system::error_code;
  using Text = json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return names_.emplace_back(), true; }
  bool on_object_end(std::size_t, Code&) { return names_.pop_back(), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text part, std::size_t, Code&) { return key_.append(part), true; }
  bool on_key(Text part, std::size_t, Code&) {
    key_.append(part);
    if (!names_.back().insert(key_).second && twice_.empty()) twice_ = key_;
    key_.clear();
    return true;
  }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
  [[nodiscard]] const std::string& twice() const { return twice_; }

 private:
  std::string key_, twice_;
  std::vector<std::set<std::string>> names_;
};

/// The first name that an object of this JSON has twice; empty: none.
std::string name_given_twice(std::string_view line) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::basic_parser<NameCheck> parser(options);
  boost::system::error_code error;
  parser.write_some(false, line.data(), line.size(), error);
  return parser.handler().twice();
}

std::optional<std::int64_t> integer_of(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return INT64_MAX;  // beyond every limit, whatever it is of
  constexpr double kExact = 9'007'199'254'740'992;
  if (!value.is_double() || std::abs(value.get_double()) > kExact ||
      std::trunc(value.get_double()) != value.get_double())
    return std::nullopt;
  return static_cast<std::int64_t>(value.get_double());
}

/// N of "$N", or none.
std::optional<std::size_t> reference_of(std::string_view text) {
  constexpr std::size_t kDigitsMax = 9;
  if (!text.starts_with('$') || text.size() < 2 || text.size() > kDigitsMax + 1 || text[1] == '0')
    return std::nullopt;
  std::size_t number = 0;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  return number;
}

void append_big_endian(std::string& out, std::uint64_t number, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift & 0xffU);
}

}  // namespace

tl::unexpected<Error> no_step(std::string message) {
  return fail(Error::invalid_argument(std::move(message)).with_type(kNoStep));
}

Result<Step> read_step(std::string_view line) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code error;
  auto parsed = json::parse(json::string_view(line.data(), line.size()), error, {}, options);
  if (error) return no_step(fmt::format("it is no JSON: {}", error.message()));
  if (!parsed.is_object()) return no_step("a step is an object of one field, its name");
  if (const auto twice = name_given_twice(line); !twice.empty())
    return no_step(fmt::format("'{}' is given twice", twice));
  auto& object = parsed.get_object();
  if (object.size() != 1)
    return no_step(
        fmt::format("a step is an object of one field, its name; here are {}", object.size()));
  auto& [name, body] = *object.begin();
  return Step{std::string(name), std::move(body)};
}

const json::value* StepFields::find(std::string_view name) {
  asked_.emplace(name);
  return fields_.if_contains(json::string_view(name.data(), name.size()));
}

Result<const json::value*> StepFields::need(std::string_view name) {
  if (const auto* const found = find(name)) return found;
  return no_step(fmt::format("{} has no '{}'", place_, name));
}

tl::unexpected<Error> StepFields::wrong(std::string_view name, std::string_view form) const {
  return no_step(fmt::format("'{}' of {} is not {}", name, place_, form));
}

Result<std::string> StepFields::text(std::string_view name) {
  const auto* const value = HECTOR_TRY(need(name));
  if (!value->is_string()) return wrong(name, "a text");
  return std::string(value->get_string());
}

Result<std::optional<std::string>> StepFields::optional_text(std::string_view name) {
  if (find(name) == nullptr) return std::nullopt;
  return text(name);
}

Result<std::vector<std::string>> StepFields::texts(std::string_view name) {
  const auto* const value = HECTOR_TRY(need(name));
  if (!value->is_array()) return wrong(name, "a list of texts");
  std::vector<std::string> all;
  for (const auto& each : value->get_array()) {
    if (!each.is_string()) return wrong(name, "a list of texts");
    all.emplace_back(each.get_string());
  }
  return all;
}

Result<std::int64_t> StepFields::integer(std::string_view name) {
  const auto* const value = HECTOR_TRY(need(name));
  const auto number = integer_of(*value);
  if (!number) return wrong(name, "an integer");
  return *number;
}

Result<std::optional<std::int64_t>> StepFields::optional_integer(std::string_view name,
                                                                 Range range) {
  if (find(name) == nullptr) return std::nullopt;
  const auto number = HECTOR_TRY(integer(name));
  if (number < range.least || number > range.most)
    refuse_at_end(fmt::format("'{}' is {} to {}", name, range.least, range.most));
  return number;
}

Result<bool> StepFields::flag(std::string_view name) {
  const auto* const value = find(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) return wrong(name, "true or false");
  return value->get_bool();
}

Result<std::string> StepFields::octets(std::string_view name) {
  const auto encoded = HECTOR_TRY(text(name));
  auto decoded = base64_decode(encoded, Padding::kWith);
  if (!decoded) return wrong(name, "base64 with padding");
  return std::move(*decoded);
}

Result<std::optional<std::string>> StepFields::optional_octets(std::string_view name) {
  if (find(name) == nullptr) return std::nullopt;
  return octets(name);
}

Result<std::string> StepFields::octets_or_printed(std::string_view name) {
  const auto given = HECTOR_TRY(text(name));
  if (!given.starts_with('$')) return octets(name);
  const auto step = reference_of(given);
  auto found = step ? printed_(*step, name) : std::nullopt;
  if (!found)
    return no_step(
        fmt::format("'{}' of {} is {}, and no step before it with that number printed "
                    "a '{}'",
                    name, place_, given, name));
  return std::move(*found);
}

Result<json::object> StepFields::optional_object(std::string_view name) {
  const auto* const value = find(name);
  if (value == nullptr) return json::object();
  if (!value->is_object()) return wrong(name, "an object");
  return value->get_object();
}

Result<std::string> StepFields::associated_data(std::string_view name) {
  const auto* const value = HECTOR_TRY(need(name));
  if (value->is_string()) return octets(name);
  if (!value->is_object()) return wrong(name, "base64, or an object of service, path and rev");
  StepFields place(value->get_object(), fmt::format("'{}' of {}", name, place_), printed_);
  const auto service = HECTOR_TRY(place.text("service"));
  const auto path = HECTOR_TRY(place.text("path"));
  const auto rev = HECTOR_TRY(place.integer("rev"));
  HECTOR_TRY(place.end());
  if (rev < 0) refuse_at_end("a revision is not negative");
  const auto& exact = value->get_object().at("rev");
  return octets_of_place(service, path,
                         exact.is_uint64() ? exact.get_uint64() : static_cast<std::uint64_t>(rev));
}

Status StepFields::end() const {
  for (const auto& field : fields_) {
    const std::string_view name(field.key().data(), field.key().size());
    if (!asked_.contains(name)) return no_step(fmt::format("{} has no field '{}'", place_, name));
  }
  if (refused_) return fail(*refused_);
  return {};
}

void StepFields::refuse_at_end(std::string text) {
  if (!refused_) refused_ = refuse_argument(text).value();
}

std::string octets_of_place(std::string_view service, std::string_view path, std::uint64_t rev) {
  std::string out;
  for (const auto part : {service, path}) {
    append_big_endian(out, part.size(), 4);
    out += part;
  }
  append_big_endian(out, rev, 8);
  return out;
}

}  // namespace hector::privacy
