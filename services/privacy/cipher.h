// What: Cipher and Signer, one key at work: what stands behind a ciphertext's prefix.
// Why: keysets choose the key and judge the version; how octets are protected is a template's own.
// Who: keysets; cipher.cc has a class for each template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "secret.h"
#include "templates.h"

namespace hector::privacy {

/// Any thread.
class Cipher {
 public:
  virtual ~Cipher() = default;
  /// Appends the body.
  virtual void protect(std::string_view text, std::string_view aad, std::string& out) const = 0;
  [[nodiscard]] std::string protect(std::string_view text, std::string_view aad) const {
    std::string body;
    protect(text, aad, body);
    return body;
  }
  /// None: any octet of either is another than it was.
  [[nodiscard]] virtual std::optional<std::string> reveal(std::string_view body,
                                                          std::string_view aad) const = 0;
};

/// Any thread.
class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual std::string sign(std::string_view data) const = 0;
  [[nodiscard]] virtual bool verify(std::string_view data, std::string_view signature) const = 0;
};

/// `key` has the template's length. The template encrypts.
std::unique_ptr<Cipher> make_cipher(TemplateId id, Secret key);
/// The template signs.
std::unique_ptr<Signer> make_signer(TemplateId id, Secret key);

}  // namespace hector::privacy
