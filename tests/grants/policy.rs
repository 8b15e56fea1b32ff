//! Grants as Cedar policies, and questions as Cedar requests.

use std::collections::HashMap;
use std::fmt::Write as _;

use cedar_policy::{
    Context, EntityId, EntityTypeName, EntityUid, PolicySet, Request, RestrictedExpression,
};
use lienthong_domain::code::ProcedureCode;
use lienthong_domain::identity::grant::DossierFacts;
use lienthong_domain::identity::{Binding, FieldSet, Grant, Mode, Purpose};

use crate::draw::{Question, World};

/// One `permit` per grant; Cedar's world is closed by itself.
pub(crate) fn of(world: &World) -> PolicySet {
    policies(world, true)
}

/// The same with a mistake: grants that never begin or end.
pub(crate) fn without_validity(world: &World) -> PolicySet {
    policies(world, false)
}

fn policies(world: &World, with_validity: bool) -> PolicySet {
    let mut text = String::new();
    for (system, grant) in &world.grants {
        let purpose = world
            .purpose(&grant.purpose)
            .expect("drawn from the purposes");
        for (action, fields) in actions(grant) {
            let mut conditions = vec![fields];
            if with_validity {
                conditions.extend(validity(grant));
            }
            conditions.extend(binding(purpose, grant));
            let conditions = conditions.join(" && ");
            writeln!(
                text,
                "permit(principal == System::\"{system}\", action == Action::\"{action}\", \
                 resource == Purpose::\"{}\") when {{ {conditions} }};",
                grant.purpose
            )
            .expect("writing to a string");
        }
    }
    text.parse().expect("policies are written well")
}

/// The actions a grant permits, with the condition on their fields.
fn actions(grant: &Grant) -> Vec<(&'static str, String)> {
    let fields = list(grant.fields.iter().map(|field| field.name().to_owned()));
    let verify = ("verify", format!("{fields}.containsAll(context.fields)"));
    match grant.mode {
        Mode::Verify => vec![verify],
        Mode::Disclose => {
            let disclose = format!("{fields}.containsAny(context.fields)");
            vec![verify, ("disclose", disclose)]
        }
        Mode::Usage => vec![("usage", "true".to_owned())],
    }
}

fn validity(grant: &Grant) -> Vec<String> {
    let from = format!("context.now >= {}", grant.valid_from.as_second());
    let until = grant.valid_until;
    let until = until.map(|until| format!("context.now < {}", until.as_second()));
    [Some(from), until].into_iter().flatten().collect()
}

fn binding(purpose: &Purpose, grant: &Grant) -> Vec<String> {
    match purpose.binding {
        Binding::NotNeeded => Vec::new(),
        Binding::Recorded => vec!["context.dossier != \"not named\"".to_owned()],
        Binding::Required => {
            let mut conditions = vec!["context.dossier == \"open\"".to_owned()];
            for procedures in [&purpose.procedures, &grant.procedures] {
                if !procedures.is_empty() {
                    let procedures = list(procedures.iter().map(ProcedureCode::to_string));
                    conditions.push(format!("{procedures}.contains(context.procedure)"));
                }
            }
            conditions
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let quoted = items.map(|item| format!("\"{item}\"")).collect::<Vec<_>>();
    format!("[{}]", quoted.join(", "))
}

/// The question about `fields`.
pub(crate) fn request(question: &Question, fields: FieldSet) -> Request {
    let (dossier, procedure) = match &question.dossier {
        DossierFacts::NotNamed => ("not named", None),
        DossierFacts::Named => ("named", None),
        DossierFacts::NotHeld => ("not held", None),
        DossierFacts::Held { open, procedure } => {
            (if *open { "open" } else { "closed" }, procedure.as_ref())
        }
    };
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let fields = fields.iter().map(|field| text(field.name()));
    let context = HashMap::from([
        (
            "now".to_owned(),
            RestrictedExpression::new_long(question.asked.now.as_second()),
        ),
        ("fields".to_owned(), RestrictedExpression::new_set(fields)),
        ("dossier".to_owned(), text(dossier)),
        (
            "procedure".to_owned(),
            text(procedure.map_or("none", ProcedureCode::as_str)),
        ),
    ]);
    let context = Context::from_pairs(context).expect("a good context");
    let (principal, action, resource) = (
        entity("System", question.system),
        entity("Action", question.asked.mode.name()),
        entity("Purpose", question.purpose.as_str()),
    );
    Request::new(principal, action, resource, context, None).expect("a request without schema")
}

fn entity(kind: &str, id: &str) -> EntityUid {
    let kind: EntityTypeName = kind.parse().expect("a good type");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}
