//! Entities.
//!
//! What: entities read from JSON, and the few that a question can reach. Why: a service has up to a
//! million of them and a question asks about three: what it cannot reach is not looked at, and a change
//! of one costs nothing for the others. Who: rights.rs.
use crate::names;
use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast::{self, Entity, EntityUID, Literal, PartialValue, Value, ValueKind};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::jsonvalue::JsonValueWithNoDuplicateKeys;
use cedar_policy_core::parser::unescape::to_unescaped_string;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub type EntityMap = HashMap<EntityUID, Arc<Entity>>;

/// Type::"id", with the escapes of Cedar's strings, or Type::id.
pub fn entity_uid(text: &str) -> Result<EntityUid, String> {
    let wrong = |why: &str| format!("'{}' is no entity: write User::\"ann\"{why}", shortened(text));
    let (kind, id) = match text.split_once('"') {
        Some((kind, rest)) => {
            let kind = kind.trim_end().strip_suffix("::").ok_or_else(|| wrong(""))?;
            (kind, unquoted(rest).map_err(|why| wrong(&why))?)
        }
        None => {
            let (kind, id) = text.rsplit_once("::").ok_or_else(|| wrong(""))?;
            (kind, id.to_owned())
        }
    };
    let name = kind.trim().parse::<EntityTypeName>().map_err(|_| {
        wrong(&format!(" ('{}' is no type: identifiers with :: between them)", shortened(kind)))
    })?;
    if id.is_empty() && !text.contains('"') {
        return Err(wrong(""));
    }
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

/// Of what follows the first quote.
fn unquoted(rest: &str) -> Result<String, String> {
    let mut end = None;
    let mut is_escaped = false;
    for (at, each) in rest.char_indices() {
        if each == '"' && !is_escaped {
            end = Some(at);
            break;
        }
        is_escaped = each == '\\' && !is_escaped;
    }
    match end {
        Some(at) if rest[at + 1..].trim().is_empty() => to_unescaped_string(&rest[..at])
            .map(String::from)
            .map_err(|errors| format!(" ({})", errors.head)),
        Some(_) => Err(" and nothing after it".to_owned()),
        None => Err(" (the quote is not closed)".to_owned()),
    }
}

/// An action may be written without its type.
pub fn action_uid(text: &str) -> Result<EntityUid, String> {
    if text.contains("::") || text.is_empty() {
        return entity_uid(text);
    }
    let kind = "Action".parse::<EntityTypeName>().map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(text)))
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// With 3.0 as 3: programs write whole numbers so.
fn whole(value: serde_json::Value) -> serde_json::Value {
    const EXACT_MAX: f64 = 9e15;
    match value {
        serde_json::Value::Number(number) if number.is_f64() => match number.as_f64() {
            Some(real) if real.fract() == 0.0 && real.abs() <= EXACT_MAX => (real as i64).into(),
            _ => number.into(),
        },
        serde_json::Value::Array(elements) => elements.into_iter().map(whole).collect(),
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (name, whole(field))).collect()
        }
        other => other,
    }
}

/// A JSON object in which no field stands twice; empty text is an empty one.
fn object(text: &str) -> Result<serde_json::Value, String> {
    if text.is_empty() {
        return Ok(serde_json::Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str::<JsonValueWithNoDuplicateKeys>(text).map(|read| (*read).clone()) {
        Ok(value) if value.is_object() => Ok(whole(value)),
        Ok(_) => Err(format!("'{}' is no JSON object", shortened(text))),
        Err(error) => Err(format!("'{}' is no JSON object: {error}", shortened(text))),
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        next = cause.source();
    }
    text
}

pub fn context(text: &str) -> Result<Context, String> {
    Context::from_json_value(object(text)?, None)
        .map_err(|error| format!("the context cannot be read: {}", causes(&error)))
}

pub struct EntityText<'a> {
    pub id: &'a str,
    pub attributes: &'a str,
    pub tags: &'a str,
    pub parents: Vec<&'a str>,
}

pub fn entity(text: &EntityText) -> Result<Entity, String> {
    let uid = entity_uid(text.id)?;
    let json = |uid: &EntityUid| serde_json::json!({"type": uid.type_name().to_string(), "id": uid.id().unescaped()});
    let mut parents = Vec::new();
    for each in &text.parents {
        parents.push(json(&entity_uid(each)?));
    }
    let whole = serde_json::json!({
        "uid": json(&uid),
        "attrs": object(text.attributes)?,
        "tags": object(text.tags)?,
        "parents": parents,
    });
    let entity = cedar_policy::Entity::from_json_value(whole, None)
        .map_err(|error| format!("{uid}: {}", causes(&error)))?;
    Ok(entity.as_ref().clone())
}

fn uids_of_value(value: &Value, found: &mut Vec<EntityUID>) {
    match &value.value {
        ValueKind::Lit(Literal::EntityUID(uid)) => found.push((**uid).clone()),
        ValueKind::Set(set) => set.authoritative.iter().for_each(|each| uids_of_value(each, found)),
        ValueKind::Record(record) => record.values().for_each(|each| uids_of_value(each, found)),
        _ => {}
    }
}

pub fn uids_of_context(context: &Context) -> Vec<EntityUID> {
    let mut found = Vec::new();
    if let ast::Context::Value(fields) = context.as_ref() {
        fields.values().for_each(|each| uids_of_value(each, &mut found));
    }
    found
}

fn uids_of_entity(entity: &Entity) -> Vec<EntityUID> {
    let mut found = Vec::new();
    for (_, value) in entity.attrs().chain(entity.tags()) {
        if let PartialValue::Value(value) = value {
            uids_of_value(value, &mut found);
        }
    }
    found
}

/// Whether `uid` would be below itself with these parents.
pub fn is_below_itself(all: &EntityMap, entity: &Entity) -> bool {
    let mut open: Vec<EntityUID> = entity.parents().cloned().collect();
    open.extend(names::parents_of(entity.uid()));
    let mut seen = HashSet::new();
    while let Some(uid) = open.pop() {
        if uid == *entity.uid() {
            return true;
        }
        if seen.insert(uid.clone()) {
            open.extend(names::parents_of(&uid));
            open.extend(all.get(&uid).into_iter().flat_map(|each| each.parents().cloned()));
        }
    }
    false
}

/// As it was put, and what its name says; nothing of one that was not put and whose name says nothing.
fn known(all: &EntityMap, uid: &EntityUID) -> Option<Arc<Entity>> {
    let parents = names::parents_of(uid);
    let stored = all.get(uid);
    if parents.is_empty() {
        return stored.cloned();
    }
    let mut entity = match stored {
        Some(stored) => (**stored).clone(),
        None => Entity::with_uid(uid.clone()),
    };
    parents.into_iter().for_each(|parent| entity.add_parent(parent));
    Some(Arc::new(entity))
}

/// Entities that are `reach` attributes away from the start, each with all it belongs to.
pub fn reachable(all: &EntityMap, start: Vec<EntityUID>, reach: usize) -> Result<Entities, String> {
    let mut taken = HashMap::new();
    let mut looked_into = HashSet::new();
    let mut next = start;
    for _ in 0..reach.max(1) {
        let mut found = Vec::new();
        for uid in std::mem::take(&mut next) {
            let Some(entity) = known(all, &uid) else { continue };
            if looked_into.insert(uid) {
                found.extend(uids_of_entity(&entity));
                take_with_parents(all, entity, &mut taken);
            }
        }
        next = found;
    }
    Entities::new()
        .add_entities(
            taken.into_values(),
            None::<&NoEntitiesSchema>,
            TCComputation::ComputeNow,
            Extensions::all_available(),
        )
        .map_err(|error| causes(&error))
}

fn take_with_parents(
    all: &EntityMap,
    entity: Arc<Entity>,
    taken: &mut HashMap<EntityUID, Arc<Entity>>,
) {
    let mut open = vec![entity];
    while let Some(each) = open.pop() {
        if taken.contains_key(each.uid()) {
            continue;
        }
        open.extend(each.parents().filter_map(|uid| known(all, uid)));
        taken.insert(each.uid().clone(), each);
    }
}
