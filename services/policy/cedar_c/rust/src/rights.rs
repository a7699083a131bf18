//! Rights.
//!
//! What: policies and entities, each read once, and decisions. Why: a question is answered from what was
//! read before. Who: lib.rs.
use crate::entities::{self, EntityMap, EntityText};
use crate::policies::{explanation, offset_of, place, ReadSet};
use cedar_policy::{
    AuthorizationError, Authorizer, Decision, Entities, EvaluationError, PolicyId, PolicySet,
    Request,
};
use cedar_policy_core::ast::EntityUID;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

/// What evaluating one operator within another takes at most of a stack.
const LEVEL_STACK: usize = 16 * 1024;
const LEAST_STACK: usize = 512 * 1024;

enum StoredSet {
    Read(ReadSet),
    Unread(String),
}

/// Where a policy of the whole comes from; its id is its number here.
struct Origin {
    set: String,
    number: usize,
}

/// All sets as one.
struct Whole {
    policies: PolicySet,
    origins: Vec<Origin>,
    literals: Vec<EntityUID>,
    depth: usize,
    reach: usize,
}

#[derive(Default)]
pub struct Rights {
    sets: BTreeMap<String, StoredSet>,
    entities: EntityMap,
    keys: HashMap<String, EntityUID>,
    unread_entities: BTreeMap<String, String>,
    whole: OnceLock<Whole>,
    authorizer: Authorizer,
}

pub struct Question<'a> {
    pub principal: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
    pub context: &'a str,
}

#[derive(Default)]
pub struct Answer {
    pub is_allowed: bool,
    pub reasons: Vec<String>,
    pub errors: Vec<String>,
}

fn number_of(id: &PolicyId) -> usize {
    AsRef::<str>::as_ref(id).parse().unwrap_or(usize::MAX)
}

impl Rights {
    pub fn put_policies(
        &mut self,
        name: &str,
        text: Result<&str, Vec<String>>,
    ) -> Result<(), Vec<String>> {
        self.whole = OnceLock::new();
        let read = text.and_then(|text| ReadSet::read(name, text));
        let (stored, result) = match read {
            Ok(set) => (StoredSet::Read(set), Ok(())),
            Err(why) => (StoredSet::Unread(why.join("; ")), Err(why)),
        };
        self.sets.insert(name.to_owned(), stored);
        result
    }
    pub fn remove_policies(&mut self, name: &str) {
        self.whole = OnceLock::new();
        self.sets.remove(name);
    }
    pub fn put_entity(
        &mut self,
        key: &str,
        text: Result<EntityText, Vec<String>>,
    ) -> Result<(), Vec<String>> {
        self.remove_entity(key);
        match text.and_then(|text| entities::entity(&text).map_err(|why| vec![why])) {
            Ok(entity) => {
                let uid = entity.uid().clone();
                self.keys.insert(key.to_owned(), uid.clone());
                self.entities.insert(uid, Arc::new(entity));
                Ok(())
            }
            Err(why) => {
                self.unread_entities.insert(key.to_owned(), why.join("; "));
                Err(why)
            }
        }
    }
    pub fn remove_entity(&mut self, key: &str) {
        self.unread_entities.remove(key);
        if let Some(uid) = self.keys.remove(key) {
            self.entities.remove(&uid);
        }
    }
    pub fn check_entity(&self, text: &EntityText) -> Result<(), String> {
        let entity = entities::entity(text)?;
        if entities::is_below_itself(&self.entities, &entity) {
            return Err(format!(
                "{} would be below itself: leave out the parent that belongs to it",
                entity.uid()
            ));
        }
        Ok(())
    }

    pub fn decide(&self, question: &Question) -> Result<Answer, String> {
        let principal = entities::entity_uid(question.principal)?;
        let action = entities::action_uid(question.action)?;
        let resource = entities::entity_uid(question.resource)?;
        let context = entities::context(question.context)?;
        if let Some(answer) = self.denied_as_unread() {
            return Ok(answer);
        }
        let whole = self.whole.get_or_init(|| Whole::of(&self.sets));
        let mut start: Vec<EntityUID> = [&principal, &action, &resource]
            .into_iter()
            .map(|each| each.as_ref().clone())
            .collect();
        if whole.reach > 0 {
            start.extend(entities::uids_of_context(&context));
            start.extend(whole.literals.iter().cloned());
        }
        let reachable: Entities = match entities::reachable(&self.entities, start, whole.reach) {
            Ok(found) => found.into(),
            Err(why) => return Ok(Answer { errors: vec![why], ..Answer::default() }),
        };
        let request = Request::new(principal, action, resource, context, None)
            .map_err(|error| error.to_string())?;
        let stack = LEAST_STACK + whole.depth * LEVEL_STACK;
        let response = stacker::maybe_grow(stack, 2 * stack, || {
            self.authorizer.is_authorized(&request, &whole.policies, &reachable)
        });
        Ok(self.answer(whole, &response))
    }

    /// What cannot be read may be what forbids.
    fn denied_as_unread(&self) -> Option<Answer> {
        let mut answer = Answer::default();
        for (name, stored) in &self.sets {
            if let StoredSet::Unread(why) = stored {
                answer.reasons.push(name.clone());
                answer.errors.push(format!("{why}; put policies '{name}' again, or remove them"));
            }
        }
        for (key, why) in &self.unread_entities {
            answer.errors.push(format!("{key} cannot be read: {why}; put it again, or remove it"));
        }
        (!answer.errors.is_empty()).then_some(answer)
    }

    fn set_of(&self, origin: &Origin) -> &ReadSet {
        match self.sets.get(&origin.set) {
            Some(StoredSet::Read(set)) => set,
            _ => {
                unreachable!("the whole is made of sets that were read, and anew when one changes")
            }
        }
    }

    fn error_text(&self, origin: &Origin, error: &EvaluationError) -> String {
        let set = self.set_of(origin);
        let at = place(&set.text, offset_of(error));
        format!("{}:{at}: {}", set.policies[origin.number].name, explanation(error))
    }

    fn answer(&self, whole: &Whole, response: &cedar_policy::Response) -> Answer {
        let is_forbid = |number: &usize| {
            let origin = &whole.origins[*number];
            self.set_of(origin).policies[origin.number].forbids()
        };
        let mut errors: Vec<(usize, &EvaluationError)> = response
            .diagnostics()
            .errors()
            .map(|AuthorizationError::PolicyEvaluationError(error)| {
                (number_of(error.policy_id()), error.inner())
            })
            .collect();
        errors.sort_by_key(|each| each.0);
        let made: BTreeSet<usize> = response.diagnostics().reason().map(number_of).collect();
        let erring = errors.iter().map(|each| each.0).filter(is_forbid);
        let forbids: BTreeSet<usize> =
            made.iter().copied().filter(is_forbid).chain(erring).collect();
        let is_allowed = response.decision() == Decision::Allow && forbids.is_empty();
        let names = |numbers: BTreeSet<usize>| {
            numbers
                .into_iter()
                .map(|number| {
                    let origin = &whole.origins[number];
                    self.set_of(origin).policies[origin.number].name.clone()
                })
                .collect()
        };
        Answer {
            is_allowed,
            reasons: names(if is_allowed { made } else { forbids }),
            errors: errors
                .into_iter()
                .map(|(n, error)| self.error_text(&whole.origins[n], error))
                .collect(),
        }
    }
}

impl Whole {
    fn of(sets: &BTreeMap<String, StoredSet>) -> Whole {
        let mut whole = Whole {
            policies: PolicySet::new(),
            origins: Vec::new(),
            literals: Vec::new(),
            depth: 0,
            reach: 0,
        };
        for (name, stored) in sets {
            let StoredSet::Read(set) = stored else { continue };
            for (number, each) in set.policies.iter().enumerate() {
                let id = PolicyId::new(whole.origins.len().to_string());
                whole.policies.add(each.policy.new_id(id)).expect("numbers are given once");
                whole.origins.push(Origin { set: name.clone(), number });
            }
            whole.literals.extend(set.literals.iter().cloned());
            whole.depth = whole.depth.max(set.depth);
            whole.reach = whole.reach.max(set.reach);
        }
        whole
    }
}
