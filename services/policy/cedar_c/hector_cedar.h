// What: the cedar-policy crate behind a C ABI: rights as policies over entities, read once, asked
// often.
// Why: Cedar is Rust and the Policy service C++; no Rust type and no panic may cross.
// Who: authorisation.cc.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

/// Not ended by 0; HC_REFUSED if it is no UTF-8. Null data: none.
typedef struct hc_text {
  const char* data;
  size_t size;
} hc_text;

typedef enum hc_answer {
  HC_YES = 0,      ///< done, or allowed
  HC_NO = 1,       ///< denied
  HC_REFUSED = 2,  ///< what was given cannot be read; HC_WHY says where and why
  HC_UNFIT = 3,    ///< the schema refuses it; each HC_WHY is a reason
  HC_BROKEN = 4,   ///< a mistake in the library
} hc_answer;

typedef enum hc_topic {
  HC_WHY = 0,     ///< why something is refused
  HC_REASON = 1,  ///< a policy that made the decision: its set's name, and [its number] if several
  HC_ERROR = 2,   ///< what could not be evaluated: POLICY:LINE:COLUMN: WHY
  HC_TYPE = 3,
  HC_ID = 4,
} hc_topic;

/// Called during the call it was given to, on its thread; the text is valid until it returns.
typedef void (*hc_tell_fn)(void* context, hc_topic topic, hc_text text);
typedef struct hc_tell {
  hc_tell_fn tell;
  void* context;
} hc_tell;

typedef struct hc_entity {
  hc_text id;          ///< User::"ann", or User::ann
  hc_text attributes;  ///< a JSON object; empty: none
  hc_text tags;        ///< likewise
  const hc_text* parents;
  size_t parent_count;
} hc_entity;

typedef struct hc_question {
  hc_text principal, action, resource;  ///< an action without a type is an Action
  hc_text context;                      ///< a JSON object; empty: none
} hc_question;

/// Tells HC_TYPE and HC_ID. HC_REFUSED.
hc_answer hc_entity_id(hc_text text, hc_tell tell);
/// Whether the policies can be read, and fit the schema (PolicySchema as JSON; none: any).
/// HC_REFUSED, HC_UNFIT.
hc_answer hc_policies_check(hc_text name, hc_text text, hc_text schema, hc_tell tell);

/// Policies and entities. One thread at a time changes them, or many ask. What is there and cannot
/// be read denies every question: it may be what forbids.
typedef struct hc_rights hc_rights;
hc_rights* hc_rights_new(void);
void hc_rights_free(hc_rights* rights);
/// In place of those of the name. HC_REFUSED.
hc_answer hc_rights_put_policies(hc_rights* rights, hc_text name, hc_text text, hc_tell tell);
void hc_rights_remove_policies(hc_rights* rights, hc_text name);
/// In place of the one of the key, which is the caller's. HC_REFUSED.
hc_answer hc_rights_put_entity(hc_rights* rights, hc_text key, const hc_entity* entity,
                               hc_tell tell);
void hc_rights_remove_entity(hc_rights* rights, hc_text key);
/// Whether it could be put: it can be read, and is not below itself. HC_REFUSED.
hc_answer hc_rights_check_entity(const hc_rights* rights, const hc_entity* entity, hc_tell tell);
/// HC_YES, HC_NO; tells each HC_REASON and HC_ERROR. HC_REFUSED.
/// Allowed if a permit holds and no forbid does. A permit that cannot be evaluated is passed over;
/// a forbid that cannot is as good as one that holds (Cedar passes over both).
hc_answer hc_rights_decide(const hc_rights* rights, const hc_question* question, hc_tell tell);

}  // extern "C"
