//! What the names of Hector's own entities say.
//!
//! What: the parents that follow from an entity's name: the Objects of a capsule are in it, an operation
//! is in its Interface. Why: a policy speaks of all operators, or of one capsule's Objects, and nobody has
//! to put an entity for each of them. Who: entities.rs. docs/guides/rights.md is the list for people.
use cedar_policy_core::ast::{Eid, EntityType, EntityUID};

fn uid(kind: &str, id: &str) -> Option<EntityUID> {
    let kind = kind.parse::<EntityType>().ok()?;
    Some(EntityUID::from_components(kind, Eid::new(id), None))
}

/// "capsule:north/ana": what is before the first colon, but for the Objects of a capsule and who is known
/// by a SPIFFE id.
fn of_principal(id: &str) -> Vec<Option<EntityUID>> {
    if let Some(path) = id.strip_prefix("spiffe://") {
        let domain = path.split('/').next().unwrap_or_default();
        return vec![uid("Kind", "foreign"), uid("Domain", domain)];
    }
    if let Some(name) = id.strip_prefix("capsule:") {
        let (capsule, kind) = match name.split_once('/') {
            Some((capsule, _)) => (capsule, "object"),
            None => (name, "capsule"),
        };
        return vec![uid("Kind", kind), uid("Capsule", capsule)];
    }
    vec![uid("Kind", id.split(':').next().unwrap_or_default())]
}

/// "diary.Calendar/1.hold" is of "diary.Calendar/1": the version is digits.
fn of_member(kind: &str, id: &str) -> Vec<Option<EntityUID>> {
    let Some((name, rest)) = id.split_once('/') else { return Vec::new() };
    match rest.split_once('.') {
        Some((major, _)) => vec![uid(kind, &format!("{name}/{major}"))],
        None => Vec::new(),
    }
}

/// None for an entity that is not one of Hector's own.
pub fn parents_of(entity: &EntityUID) -> Vec<EntityUID> {
    let id: &str = entity.eid().as_ref();
    let found = match entity.entity_type().to_string().as_str() {
        "Principal" => of_principal(id),
        "Operation" => of_member("Interface", id),
        "Role" => of_member("Binding", id),
        "Object" => match id.split_once('/') {
            Some((capsule, _)) => vec![uid("Capsule", capsule)],
            None => Vec::new(),
        },
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}
