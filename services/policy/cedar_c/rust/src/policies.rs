//! Policies of a text.
//!
//! What: a text as policies, each with its place in it, and how deep they go. Why: a mistake is told
//! with its line and column, and no text, however nested, may exhaust a thread's stack. Who: rights.rs.
use cedar_policy::{Effect, Policy, PolicySet};
use cedar_policy_core::ast::{BinaryOp, EntityUID, Expr, ExprKind, Literal, Template};
use miette::Diagnostic;
use std::collections::HashSet;

pub const OCTETS_MAX: usize = 64 * 1024;
/// Brackets in brackets. What recurses over a text is bounded by this and by its size.
const BRACKETS_MAX: usize = 100;
/// Operators within operators; a chain of || counts each.
const DEPTH_MAX: usize = 1_000;
/// Enough for the deepest text of OCTETS_MAX octets and BRACKETS_MAX brackets: a nested `if` takes 16
/// octets and less than 32 KiB of stack.
const READING_STACK: usize = 256 * 1024 * 1024;

/// One policy that applies by itself; templates do not.
pub struct ReadPolicy {
    pub name: String,
    pub policy: Policy,
}

pub struct ReadSet {
    pub text: String,
    pub policies: Vec<ReadPolicy>,
    /// All statements, templates too, by name.
    pub statements: Vec<(String, Template)>,
    /// Entities that the conditions name.
    pub literals: HashSet<EntityUID>,
    pub depth: usize,
    /// How many entities are looked into one behind the other: 2 in principal.boss.level.
    pub reach: usize,
}

impl ReadPolicy {
    pub fn forbids(&self) -> bool {
        self.policy.effect() == Effect::Forbid
    }
}

/// LINE:COLUMN, both from 1.
pub fn place(text: &str, offset: usize) -> String {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    format!("{line}:{column}")
}

pub fn offset_of(diagnostic: &dyn Diagnostic) -> usize {
    diagnostic.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset())
}

/// What is wrong, what was expected, and what helps.
pub fn explanation(diagnostic: &dyn Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    let label = diagnostic
        .labels()
        .and_then(|mut labels| labels.next())
        .and_then(|label| label.label().map(str::to_owned));
    if let Some(label) = label {
        text += &format!(": {label}");
    }
    if let Some(help) = diagnostic.help() {
        text += &format!("; {help}");
    }
    text
}

/// Where the brackets outside of strings and comments are too deep.
fn too_deep_at(text: &str) -> Option<usize> {
    let octets = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while at < octets.len() {
        match octets[at] {
            b'"' => {
                at += 1;
                while at < octets.len() && octets[at] != b'"' {
                    at += if octets[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'/' if octets.get(at + 1) == Some(&b'/') => {
                while at < octets.len() && octets[at] != b'\n' {
                    at += 1;
                }
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > BRACKETS_MAX {
                    return Some(at);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

fn operands(expr: &Expr) -> Vec<&Expr> {
    match expr.expr_kind() {
        ExprKind::If { test_expr, then_expr, else_expr } => vec![test_expr, then_expr, else_expr],
        ExprKind::And { left, right } | ExprKind::Or { left, right } => vec![left, right],
        ExprKind::BinaryApp { arg1, arg2, .. } => vec![arg1, arg2],
        ExprKind::UnaryApp { arg, .. } => vec![arg],
        ExprKind::GetAttr { expr, .. }
        | ExprKind::HasAttr { expr, .. }
        | ExprKind::ExtHasAttr { expr, .. }
        | ExprKind::Like { expr, .. }
        | ExprKind::Is { expr, .. } => vec![expr],
        ExprKind::ExtensionFunctionApp { args, .. } => args.iter().collect(),
        ExprKind::Set(elements) => elements.iter().collect(),
        ExprKind::Record(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

/// How many entities the operator itself looks into, one behind the other.
fn own_reach(expr: &Expr) -> usize {
    match expr.expr_kind() {
        ExprKind::GetAttr { .. } | ExprKind::HasAttr { .. } => 1,
        ExprKind::ExtHasAttr { attrs, .. } => attrs.len(),
        ExprKind::BinaryApp { op: BinaryOp::In | BinaryOp::GetTag | BinaryOp::HasTag, .. } => 1,
        _ => 0,
    }
}

/// Depth and reach.
fn measured(expr: &Expr) -> (usize, usize) {
    let (depth, reach) = operands(expr)
        .into_iter()
        .map(measured)
        .fold((0, 0), |most, each| (most.0.max(each.0), most.1.max(each.1)));
    (depth + 1, reach + own_reach(expr))
}

impl ReadSet {
    /// "NAME:LINE:COLUMN: WHY", one for each mistake.
    pub fn read(name: &str, text: &str) -> Result<ReadSet, Vec<String>> {
        let wrong = |offset, why: String| vec![format!("{name}:{}: {why}", place(text, offset))];
        if text.len() > OCTETS_MAX {
            return Err(wrong(
                0,
                format!("policies may have {OCTETS_MAX} octets together; put them as several sets"),
            ));
        }
        if let Some(offset) = too_deep_at(text) {
            return Err(wrong(offset, format!("nested more than {BRACKETS_MAX} deep")));
        }
        stacker::grow(READING_STACK, || {
            let set = text.parse::<PolicySet>().map_err(|errors| {
                errors
                    .iter()
                    .map(|each| {
                        format!("{name}:{}: {}", place(text, offset_of(each)), explanation(each))
                    })
                    .collect::<Vec<_>>()
            })?;
            ReadSet::of(name, text, &set)
        })
    }

    fn of(name: &str, text: &str, set: &PolicySet) -> Result<ReadSet, Vec<String>> {
        let count = set.num_of_policies() + set.num_of_templates();
        if count == 0 {
            return Err(vec![format!(
                "{name}:1:1: there is no policy: write permit (principal, action, resource); or forbid …"
            )]);
        }
        let mut read = ReadSet {
            text: text.to_owned(),
            policies: Vec::new(),
            statements: Vec::new(),
            literals: HashSet::new(),
            depth: 0,
            reach: 0,
        };
        for number in 0..count {
            let shown =
                if count == 1 { name.to_owned() } else { format!("{name}[{}]", number + 1) };
            let id = cedar_policy::PolicyId::new(format!("policy{number}"));
            if let Some(policy) = set.policy(&id) {
                read.statements.push((shown.clone(), policy.as_ref().template().clone()));
                read.policies.push(ReadPolicy { name: shown, policy: policy.clone() });
            } else if let Some(template) = set.template(&id) {
                read.statements.push((shown, template.as_ref().clone()));
            }
        }
        read.measure(name)?;
        Ok(read)
    }

    fn measure(&mut self, name: &str) -> Result<(), Vec<String>> {
        for (_, statement) in &self.statements {
            let Some(condition) = statement.non_scope_constraints() else { continue };
            let (depth, reach) = measured(condition);
            if depth > DEPTH_MAX {
                let offset = statement.loc().map_or(0, |loc| loc.start());
                return Err(vec![format!(
                    "{name}:{}: more than {DEPTH_MAX} operators within each other; ask a set ([…].contains(…)), or write several policies",
                    place(&self.text, offset)
                )]);
            }
            self.depth = self.depth.max(depth);
            self.reach = self.reach.max(reach);
            for each in condition.subexpressions() {
                if let ExprKind::Lit(Literal::EntityUID(uid)) = each.expr_kind() {
                    self.literals.insert((**uid).clone());
                }
            }
        }
        Ok(())
    }
}
