#include "identity/pem.h"

#include <optional>

#include "identity/base64.h"

namespace hector::identity {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kWhite = " \t\r\n\v\f";

std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  const auto last = line.find_last_not_of(kWhite);
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

/// "-----BEGIN LABEL-----"; nothing where the line does not end so.
std::optional<std::string_view> label_of(std::string_view line, std::string_view begin) {
  line.remove_prefix(begin.size());
  if (!line.ends_with(kDashes)) return std::nullopt;
  line.remove_suffix(kDashes.size());
  if (line.find(kDashes) != std::string_view::npos) return std::nullopt;
  return line;
}

/// Reads line by line; at most one block is open.
class Reader {
 public:
  /// What is wrong with the line; empty if nothing is.
  std::string_view take(std::string_view line) {
    if (line.starts_with(kBegin)) return begin(label_of(line, kBegin));
    if (line.starts_with(kEnd)) return end(label_of(line, kEnd));
    if (label_ == "CERTIFICATE") {
      for (const char c : line) {
        if (kWhite.find(c) == std::string_view::npos) body_ += c;
      }
    }
    return {};
  }

  [[nodiscard]] bool is_open() const { return label_.has_value(); }
  std::vector<std::string> certificates;

 private:
  std::string_view begin(std::optional<std::string_view> label) {
    if (!label) return "a line -----BEGIN does not end in -----";
    if (label_) return "a block has no end before the next one begins";
    label_ = label;
    body_.clear();
    return {};
  }

  std::string_view end(std::optional<std::string_view> label) {
    if (!label_) return {};  // text, as all that is not in a block
    if (label != label_) return "a line -----END is not that of the block before it";
    label_.reset();
    if (label != "CERTIFICATE") return {};
    auto der = read_base64(body_, Base64::kPadded);
    if (!der || der->empty()) return "a block CERTIFICATE does not hold base64";
    certificates.push_back(std::move(*der));
    return {};
  }

  std::optional<std::string_view> label_;
  std::string body_;
};

}  // namespace

bool looks_like_pem(std::string_view text) noexcept {
  return text.find(kBegin) != std::string_view::npos;
}

tl::expected<std::vector<std::string>, std::string> read_pem_certificates(std::string_view text) {
  Reader reader;
  while (!text.empty()) {
    if (const auto mistake = reader.take(next_line(text)); !mistake.empty())
      return tl::unexpected(std::string(mistake));
  }
  if (reader.is_open()) return tl::unexpected(std::string("the last block has no end"));
  if (reader.certificates.empty())
    return tl::unexpected(std::string("there is no block CERTIFICATE"));
  return std::move(reader.certificates);
}

}  // namespace hector::identity
