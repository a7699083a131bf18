//! Policies beside a schema.
//!
//! What: the reasons why a PolicySchema refuses policies. Why: a misspelt type or attribute is found when
//! the policy is put, not when it fails to permit. Cedar's own validator wants element types of sets and
//! records, which PolicySchema does not say. Who: lib.rs.
use crate::policies::ReadSet;
use cedar_policy_core::ast::{
    ActionConstraint, EntityType, EntityUID, Expr, ExprKind, Literal,
    PrincipalOrResourceConstraint, Template, Var,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The fields of PolicySchema.
pub struct Schema(Value);

impl Schema {
    pub fn read(text: &str) -> Result<Schema, String> {
        serde_json::from_str(text)
            .map(Schema)
            .map_err(|error| format!("the schema cannot be read: {error}"))
    }
    fn has_type(&self, name: &str) -> bool {
        self.0["entities"].get(name).is_some()
    }
    fn has_action(&self, id: &str) -> bool {
        self.0["actions"].get(id).is_some()
    }
    fn attribute(&self, of: &str, name: &str) -> Option<&str> {
        self.0["entities"][of]["attributes"].get(name)?.as_str()
    }
    /// What an action's principals or resources may be.
    fn types_of(&self, actions: &[String], side: &str) -> BTreeSet<String> {
        let Some(all) = self.0["actions"].as_object() else { return BTreeSet::new() };
        all.iter()
            .filter(|(id, _)| actions.is_empty() || actions.contains(id))
            .filter_map(|(_, action)| action[side].as_array())
            .flatten()
            .filter_map(|each| each.as_str().map(str::to_owned))
            .collect()
    }
}

struct Check<'a> {
    schema: &'a Schema,
    name: &'a str,
    statement: &'a Template,
    guarded: BTreeSet<(String, String)>,
    reasons: Vec<String>,
}

/// principal.level as ("principal", "level").
fn access(expr: &Expr, attribute: &str) -> Option<(String, String)> {
    match expr.expr_kind() {
        ExprKind::Var(variable @ (Var::Principal | Var::Resource)) => {
            Some((variable.to_string(), attribute.to_owned()))
        }
        _ => None,
    }
}

impl Check<'_> {
    fn say(&mut self, why: String) {
        self.reasons.push(format!("{}: {why}", self.name));
    }
    fn know_type(&mut self, kind: &EntityType) {
        let name = kind.to_string();
        if !self.schema.has_type(&name) && name != "Action" {
            self.say(format!("the schema has no entity type '{name}'"));
        }
    }
    fn know_entity(&mut self, uid: &EntityUID) {
        let eid: &str = uid.eid().as_ref();
        if uid.is_action() && !self.schema.has_action(eid) {
            self.say(format!("the schema has no action '{eid}'"));
        }
        self.know_type(uid.entity_type());
    }
    fn actions(&self) -> Vec<EntityUID> {
        match self.statement.action_constraint() {
            ActionConstraint::In(all) => all.iter().map(|each| (**each).clone()).collect(),
            ActionConstraint::Eq(one) => vec![(**one).clone()],
            _ => Vec::new(),
        }
    }
    fn scope(&self, variable: &str) -> &PrincipalOrResourceConstraint {
        match variable {
            "principal" => self.statement.principal_constraint().as_inner(),
            _ => self.statement.resource_constraint().as_inner(),
        }
    }
    fn check_scope(&mut self, variable: &str) {
        use PrincipalOrResourceConstraint::{Is, IsIn};
        let scope = self.scope(variable).clone();
        if let Is(kind) | IsIn(kind, _) = &scope {
            self.know_type(kind);
        }
        if let Some(uid) = scope.get_euid() {
            self.know_entity(uid);
        }
    }
    /// What the variable may be: by the scope, else by the actions that the policy is about.
    fn types_of(&self, variable: &str) -> BTreeSet<String> {
        use PrincipalOrResourceConstraint::{Eq, Is, IsIn};
        let scope = self.scope(variable);
        match (scope, scope.get_euid()) {
            (Is(kind) | IsIn(kind, _), _) => BTreeSet::from([kind.to_string()]),
            (Eq(_), Some(uid)) => BTreeSet::from([uid.entity_type().to_string()]),
            _ => {
                let actions: Vec<String> = self
                    .actions()
                    .iter()
                    .map(|each| AsRef::<str>::as_ref(each.eid()).to_owned())
                    .collect();
                self.schema.types_of(&actions, &format!("{variable}s"))
            }
        }
    }
    fn check_attribute(&mut self, (variable, name): (String, String)) {
        for kind in self.types_of(&variable) {
            if !self.schema.has_type(&kind) {
                continue;
            }
            let access = format!("{variable}.{name}");
            match self.schema.attribute(&kind, &name) {
                None => self
                    .say(format!("{access}: entities of type {kind} have no attribute '{name}'")),
                Some(found)
                    if found.ends_with('?')
                        && !self.guarded.contains(&(variable.clone(), name.clone())) =>
                {
                    self.say(format!(
                        "{access}: '{name}' of {kind} need not be there; ask '{variable} has {name}' first"
                    ));
                }
                Some(_) => {}
            }
        }
    }
    fn run(&mut self) {
        self.check_scope("principal");
        for action in self.actions() {
            self.know_entity(&action);
        }
        self.check_scope("resource");
        let Some(condition) = self.statement.non_scope_constraints() else { return };
        let all: Vec<&Expr> = condition.subexpressions().collect();
        for each in &all {
            match each.expr_kind() {
                ExprKind::HasAttr { expr, attr } => self.guarded.extend(access(expr, attr)),
                ExprKind::ExtHasAttr { expr, attrs } => {
                    self.guarded.extend(access(expr, attrs.first()))
                }
                _ => {}
            }
        }
        for each in all {
            match each.expr_kind() {
                ExprKind::Lit(Literal::EntityUID(uid)) => self.know_entity(uid),
                ExprKind::Is { entity_type, .. } => self.know_type(entity_type),
                ExprKind::GetAttr { expr, attr } => {
                    if let Some(found) = access(expr, attr) {
                        self.check_attribute(found);
                    }
                }
                _ => {}
            }
        }
    }
}

pub fn reasons(set: &ReadSet, schema: &Schema) -> Vec<String> {
    let mut all = Vec::new();
    for (name, statement) in &set.statements {
        let mut check =
            Check { schema, name, statement, guarded: BTreeSet::new(), reasons: Vec::new() };
        check.run();
        all.append(&mut check.reasons);
    }
    all
}
