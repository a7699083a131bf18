//! The cedar-policy crate behind a C ABI.
//!
//! What: rights as an opaque handle and a few `extern "C"` functions. Why: the Policy service is C++ and
//! Cedar is Rust; no Rust type and no panic may cross. Who: the Policy service, through `hector_cedar.h`,
//! which states the contract of every function here.
mod entities;
mod names;
mod policies;
mod rights;
mod schema;

use entities::EntityText;
use policies::ReadSet;
use rights::{Question, Rights};
use schema::Schema;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Why something is refused, one or more reasons.
type Why = Vec<String>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    data: *const u8,
    size: usize,
}

impl Text {
    fn of(text: &str) -> Text {
        Text { data: text.as_ptr(), size: text.len() }
    }
    unsafe fn read<'a>(&self) -> Result<&'a str, Why> {
        if self.data.is_null() || self.size == 0 {
            return Ok("");
        }
        let octets = std::slice::from_raw_parts(self.data, self.size);
        std::str::from_utf8(octets).map_err(|error| {
            vec![format!("a text is no UTF-8 from octet {} on", error.valid_up_to() + 1)]
        })
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
enum Topic {
    Why = 0,
    Reason = 1,
    Error = 2,
    Type = 3,
    Id = 4,
}

#[repr(C)]
pub struct Tell {
    tell: extern "C" fn(*mut c_void, i32, Text),
    context: *mut c_void,
}

impl Tell {
    fn say(&self, topic: Topic, text: &str) {
        (self.tell)(self.context, topic as i32, Text::of(text));
    }
    fn say_all(&self, topic: Topic, texts: &[String]) {
        texts.iter().for_each(|each| self.say(topic, each));
    }
}

#[repr(C)]
pub struct EntityGiven {
    id: Text,
    attributes: Text,
    tags: Text,
    parents: *const Text,
    parent_count: usize,
}

#[repr(C)]
pub struct QuestionGiven {
    principal: Text,
    action: Text,
    resource: Text,
    context: Text,
}

const YES: i32 = 0;
const NO: i32 = 1;
const REFUSED: i32 = 2;
const UNFIT: i32 = 3;
const BROKEN: i32 = 4;

/// A panic becomes an answer.
fn guarded(tell: &Tell, body: impl FnOnce() -> Result<i32, Why>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => {
            tell.say_all(Topic::Why, &why);
            REFUSED
        }
        Err(_) => {
            tell.say(Topic::Why, "the cedar-policy library panicked");
            BROKEN
        }
    }
}

fn one(why: String) -> Why {
    vec![why]
}

unsafe fn entity_text<'a>(given: *const EntityGiven) -> Result<EntityText<'a>, Why> {
    let given = &*given;
    let parents: &[Text] = match given.parent_count {
        0 => &[],
        count => std::slice::from_raw_parts(given.parents, count),
    };
    Ok(EntityText {
        id: given.id.read()?,
        attributes: given.attributes.read()?,
        tags: given.tags.read()?,
        parents: parents.iter().map(|each| each.read()).collect::<Result<_, _>>()?,
    })
}

#[no_mangle]
pub unsafe extern "C" fn hc_entity_id(text: Text, tell: Tell) -> i32 {
    guarded(&tell, || {
        let uid = entities::entity_uid(text.read()?).map_err(one)?;
        tell.say(Topic::Type, &uid.type_name().to_string());
        tell.say(Topic::Id, uid.id().unescaped());
        Ok(YES)
    })
}

#[no_mangle]
pub unsafe extern "C" fn hc_policies_check(
    name: Text,
    text: Text,
    schema: Text,
    tell: Tell,
) -> i32 {
    guarded(&tell, || {
        let set = ReadSet::read(name.read()?, text.read()?)?;
        if schema.data.is_null() {
            return Ok(YES);
        }
        let reasons = schema::reasons(&set, &Schema::read(schema.read()?).map_err(one)?);
        tell.say_all(Topic::Why, &reasons);
        Ok(if reasons.is_empty() { YES } else { UNFIT })
    })
}

#[no_mangle]
pub extern "C" fn hc_rights_new() -> *mut Rights {
    Box::into_raw(Box::default())
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_free(rights: *mut Rights) {
    if !rights.is_null() {
        let rights = AssertUnwindSafe(Box::from_raw(rights));
        let _ = catch_unwind(move || drop(rights));
    }
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_put_policies(
    rights: *mut Rights,
    name: Text,
    text: Text,
    tell: Tell,
) -> i32 {
    guarded(&tell, || (*rights).put_policies(name.read()?, text.read()).map(|()| YES))
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_remove_policies(rights: *mut Rights, name: Text) {
    let _ =
        catch_unwind(AssertUnwindSafe(|| name.read().map(|name| (*rights).remove_policies(name))));
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_put_entity(
    rights: *mut Rights,
    key: Text,
    given: *const EntityGiven,
    tell: Tell,
) -> i32 {
    guarded(&tell, || (*rights).put_entity(key.read()?, entity_text(given)).map(|()| YES))
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_remove_entity(rights: *mut Rights, key: Text) {
    let _ = catch_unwind(AssertUnwindSafe(|| key.read().map(|key| (*rights).remove_entity(key))));
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_check_entity(
    rights: *const Rights,
    given: *const EntityGiven,
    tell: Tell,
) -> i32 {
    guarded(&tell, || (*rights).check_entity(&entity_text(given)?).map(|()| YES).map_err(one))
}

#[no_mangle]
pub unsafe extern "C" fn hc_rights_decide(
    rights: *const Rights,
    given: *const QuestionGiven,
    tell: Tell,
) -> i32 {
    guarded(&tell, || {
        let given = &*given;
        let question = Question {
            principal: given.principal.read()?,
            action: given.action.read()?,
            resource: given.resource.read()?,
            context: given.context.read()?,
        };
        let answer = (*rights).decide(&question).map_err(one)?;
        tell.say_all(Topic::Reason, &answer.reasons);
        tell.say_all(Topic::Error, &answer.errors);
        Ok(if answer.is_allowed { YES } else { NO })
    })
}
