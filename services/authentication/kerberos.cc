#include "kerberos.h"

#include <fmt/format.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include <algorithm>

#include "bounds.h"

namespace hector::authentication {

namespace {

constexpr std::size_t kTokenOctetsMax = 64 * 1024;  ///< tickets hold group lists
constexpr std::size_t kNameOctetsMax = 2048;
constexpr std::size_t kBindingOctetsMax = 1024;

/// GSSAPI's handles of one acceptance, released together.
struct Handles {
  Handles() = default;
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, &answer);
    gss_release_buffer(&ignored, &shown_name);
    gss_release_name(&ignored, &name);
    gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&ignored, &acceptor);
  }
  gss_cred_id_t acceptor = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_name_t name = GSS_C_NO_NAME;
  gss_buffer_desc answer = GSS_C_EMPTY_BUFFER, shown_name = GSS_C_EMPTY_BUFFER;
};

gss_buffer_desc buffer_of(std::string_view octets) {
  return {octets.size(), const_cast<char*>(octets.data())};
}

/// What libkrb5 says of its own reason.
std::string reason_of(OM_uint32 minor) {
  OM_uint32 ignored = 0, next = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  gss_display_status(&ignored, minor, GSS_C_MECH_CODE, const_cast<gss_OID>(gss_mech_krb5), &next,
                     &text);
  std::string reason(static_cast<const char*>(text.value), text.length);
  gss_release_buffer(&ignored, &text);
  return reason;
}

const char* fault_of(OM_uint32 major, OM_uint32 minor) {
  switch (static_cast<krb5_error_code>(minor)) {
    case KRB5KRB_AP_ERR_REPEAT:
      return kReplay;
    case KRB5KRB_AP_ERR_TKT_EXPIRED:
    case KRB5KRB_AP_ERR_SKEW:
      return kExpired;
    case KRB5KRB_AP_ERR_TKT_NYV:
      return "NOT_YET_VALID";
    case KRB5KRB_AP_ERR_NOT_US:
    case KRB5KRB_AP_WRONG_PRINC:
    case KRB5_KT_NOTFOUND:
    case KRB5_KT_KVNONOTFOUND:
    case KRB5KRB_AP_ERR_NOKEY:
      return "WRONG_AUDIENCE";
    case KRB5_PROG_ETYPE_NOSUPP:
    case KRB5_NOPERM_ETYPE:
      return "ALG_REFUSED";
    default:
      break;
  }
  switch (GSS_ROUTINE_ERROR(major)) {
    case GSS_S_BAD_BINDINGS:
      return kBindingMismatch;
    case GSS_S_DUPLICATE_TOKEN:
      return kReplay;
    case GSS_S_CREDENTIALS_EXPIRED:
      return kExpired;
    case GSS_S_DEFECTIVE_TOKEN:
    case GSS_S_BAD_MECH:
      return kMalformed;
    default:
      return "BAD_SIGNATURE";
  }
}

Status acquire(const std::string& keytab, Handles& handles) {
  const std::string location = "FILE:" + keytab;
  gss_key_value_element_desc element{"keytab", location.c_str()};
  const gss_key_value_set_desc where{1, &element};
  gss_OID_set_desc mechanisms{1, const_cast<gss_OID>(gss_mech_krb5)};
  OM_uint32 minor = 0;
  const OM_uint32 major =
      gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT,
                            &where, &handles.acceptor, nullptr, nullptr);
  if (!GSS_ERROR(major)) return {};
  return fail(Error::failed_precondition(
      fmt::format("the keytab '{}' cannot be used: {}", keytab, reason_of(minor))));
}

/// Bits of the session's key, as SASL counts them.
int strength_of(gss_ctx_id_t context) {
  OM_uint32 minor = 0;
  gss_buffer_set_t found = GSS_C_NO_BUFFER_SET;
  const OM_uint32 major = gss_inquire_sec_context_by_oid(
      &minor, context, const_cast<gss_OID>(GSS_C_SEC_CONTEXT_SASL_SSF), &found);
  int bits = 0;
  if (!GSS_ERROR(major) && found != nullptr && found->count > 0 && found->elements[0].length == 4) {
    const auto* const octets = static_cast<const unsigned char*>(found->elements[0].value);
    bits = octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3];
  }
  gss_release_buffer_set(&minor, &found);
  return bits;
}

Result<Shown> shown_of(Handles& handles, OM_uint32 seconds, identity::Instant now) {
  OM_uint32 minor = 0;
  if (GSS_ERROR(gss_display_name(&minor, handles.name, &handles.shown_name, nullptr)))
    return refuse_credential(kMalformed, "the ticket's principal has no name");
  const std::string name(static_cast<const char*>(handles.shown_name.value),
                         handles.shown_name.length);
  const auto at = name.rfind('@');
  const bool is_visible =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (at == std::string::npos || name.size() > kNameOctetsMax || !is_visible)
    return refuse_credential(kMalformed,
                             "the ticket's principal is no NAME@REALM of visible ASCII");
  Shown shown;
  shown.method = "gss";
  shown.accepted.id = "krb:" + name;
  shown.accepted.trust_domain = name.substr(at + 1);
  shown.accepted.not_after.seconds = now.seconds + seconds;
  shown.accepted.strength_bits = strength_of(handles.context);
  return shown;
}

}  // namespace

Result<Shown> Kerberos::accept(std::string_view token, std::string_view channel_binding,
                               identity::Instant now) const {
  if (keytab_.empty())
    return refuse_argument(
        "gss is not accepted here: the service has no keytab (settings: keytab)");
  if (token.size() > kTokenOctetsMax || channel_binding.size() > kBindingOctetsMax)
    return refuse_credential(
        kMalformed, fmt::format("a gss token has {} octets at most, its channel binding {}",
                                kTokenOctetsMax, kBindingOctetsMax));
  Handles handles;
  HECTOR_TRY(acquire(keytab_, handles));
  gss_channel_bindings_struct bindings{};
  bindings.application_data = buffer_of(channel_binding);
  auto input = buffer_of(token);
  OM_uint32 minor = 0, flags = 0, seconds = 0;
  // Also where there is no channel: a ticket that is bound to one is refused then.
  const OM_uint32 major =
      gss_accept_sec_context(&minor, &handles.context, handles.acceptor, &input, &bindings,
                             &handles.name, nullptr, &handles.answer, &flags, &seconds, nullptr);
  if (GSS_ERROR(major))
    return refuse_credential(fault_of(major, minor), "the ticket is refused: " + reason_of(minor));
  if (major != GSS_S_COMPLETE)
    return refuse_credential(kMalformed, "the token begins an exchange of several; give one alone");
  return shown_of(handles, seconds, now);
}

}  // namespace hector::authentication
