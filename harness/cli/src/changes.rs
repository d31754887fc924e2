//! What a saved plan of Terraform does, from the document of `terraform show -json`.
//!
//! The main type is [`Changes`]. Addresses and the names of attributes are taken from the document,
//! and no value: it holds every secret of the stack in plain text.

use serde::Deserialize;
use serde_json::Value;

/// The types of which an instance is a database: when one goes, its data goes.
pub(crate) const DATABASES: [&str; 2] =
    ["aws_timestreaminfluxdb_db_instance", "aws_timestreaminfluxdb_db_cluster"];

/// What happens to the resources of a plan, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) resources: Vec<Change>,
    /// Whether Terraform failed while it planned, so that a part is missing.
    pub(crate) errored: bool,
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) address: String,
    kind: String,
    pub(crate) action: Action,
    /// Why, where Terraform tells it.
    pub(crate) because: Option<String>,
}

/// The kinds of change, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Create,
    Update,
    /// It stays, and Terraform knows nothing of it any more.
    Forget,
    Replace,
    Destroy,
}

/// A document that is not that of a plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangesError {
    #[error("`terraform show -json` wrote something else than the document of a plan")]
    NoPlan(#[source] serde_json::Error),
    #[error("the plan does `{}` to `{address}`, which is not known here", actions.join(", "))]
    UnknownAction { address: String, actions: Vec<String> },
}

#[derive(Deserialize)]
struct PlanWire {
    /// A state has other keys; a plan has this one.
    #[serde(rename = "planned_values")]
    _planned_values: Value,
    #[serde(default)]
    resource_changes: Vec<ResourceWire>,
    #[serde(default)]
    errored: bool,
}

#[derive(Deserialize)]
struct ResourceWire {
    address: String,
    #[serde(rename = "type")]
    kind: String,
    change: ChangeWire,
    #[serde(default)]
    action_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChangeWire {
    actions: Vec<String>,
    #[serde(default)]
    replace_paths: Vec<Vec<Value>>,
}

impl Action {
    const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Forget, Self::Replace, Self::Destroy];

    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "change",
            Self::Forget => "forget",
            Self::Replace => "REPLACE",
            Self::Destroy => "DESTROY",
        }
    }

    /// `None` where nothing is done.
    fn of(actions: &[String]) -> Result<Option<Self>, ()> {
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        Ok(Some(match actions.as_slice() {
            ["no-op" | "read"] => return Ok(None),
            ["create"] => Self::Create,
            ["update"] => Self::Update,
            ["delete"] => Self::Destroy,
            ["delete", "create"] | ["create", "delete"] => Self::Replace,
            ["forget"] | ["create", "forget"] => Self::Forget,
            _ => return Err(()),
        }))
    }
}

impl Changes {
    /// Reads the document. An action that is not known is an error: it might destroy something.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, ChangesError> {
        let wire: PlanWire = serde_json::from_slice(document).map_err(ChangesError::NoPlan)?;
        let mut resources = Vec::new();
        for ResourceWire { address, kind, change, action_reason } in wire.resource_changes {
            let Ok(action) = Action::of(&change.actions) else {
                return Err(ChangesError::UnknownAction { address, actions: change.actions });
            };
            let because = because(action_reason.as_deref(), &change.replace_paths);
            if let Some(action) = action {
                resources.push(Change { address, kind, action, because });
            }
        }
        Ok(Self { resources, errored: wire.errored })
    }

    /// Those of the given types that would not survive.
    pub(crate) fn lost(&self, kinds: &[&str]) -> impl Iterator<Item = &Change> {
        let going = |it: &&Change| matches!(it.action, Action::Replace | Action::Destroy);
        self.resources.iter().filter(going).filter(|it| kinds.contains(&it.kind.as_str()))
    }

    /// A line for each resource, what goes last, and the counts.
    pub(crate) fn describe(&self) -> String {
        let of = |action| self.resources.iter().filter(move |it| it.action == action);
        let mut lines: Vec<String> = Action::ALL
            .into_iter()
            .flat_map(of)
            .map(|it| format!("  {:<8} {}\n", it.action.word(), it.describe()))
            .collect();
        let counts =
            Action::ALL.map(|action| format!("{} to {}", of(action).count(), action.word()));
        lines.push(format!("{}\n", counts.join(", ").to_lowercase()));
        lines.concat()
    }
}

impl Change {
    /// Its address and why it goes.
    pub(crate) fn describe(&self) -> String {
        match &self.because {
            Some(because) => format!("{}, because {because}", self.address),
            None => self.address.clone(),
        }
    }
}

/// Terraform's reason in words. One that is not known here is told in Terraform's own.
fn because(reason: Option<&str>, paths: &[Vec<Value>]) -> Option<String> {
    Some(match reason? {
        "replace_because_cannot_update" if !paths.is_empty() => {
            let paths: Vec<String> =
                paths.iter().map(|path| format!("`{}`", dotted(path))).collect();
            format!("{} cannot be changed in place", paths.join(", "))
        }
        "replace_because_tainted" => "it is tainted: it was not made whole".to_owned(),
        "replace_by_request" => "-replace asks for it".to_owned(),
        "replace_by_triggers" => "what it is to be replaced with changes".to_owned(),
        "delete_because_no_resource_config" | "delete_because_no_module" => {
            "it is no longer in the configuration".to_owned()
        }
        "delete_because_count_index" | "delete_because_each_key" => {
            "`count` or `for_each` no longer has it".to_owned()
        }
        other => other.replace('_', " "),
    })
}

/// `a[0].b`.
fn dotted(path: &[Value]) -> String {
    let step = |(position, step): (usize, &Value)| match step {
        Value::String(name) if position == 0 => name.clone(),
        Value::String(name) => format!(".{name}"),
        other => format!("[{other}]"),
    };
    path.iter().enumerate().map(step).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(kind: &str, actions: &[&str]) -> Value {
        json!({
            "address": format!("module.x.{kind}.this"), "type": kind, "mode": "managed",
            "change": { "actions": actions, "before": { "password": "hunter2" } },
        })
    }

    fn parse(resources: &Value) -> Result<Changes, ChangesError> {
        let document = json!({ "planned_values": {}, "resource_changes": resources });
        Changes::parse(document.to_string().as_bytes())
    }

    fn lost(kind: &str, actions: &[&str]) -> usize {
        parse(&json!([resource(kind, actions)])).unwrap().lost(&DATABASES).count()
    }

    #[test]
    fn a_database_is_lost_by_being_destroyed_or_replaced_either_way_round() {
        for kind in DATABASES {
            assert_eq!(lost(kind, &["delete"]), 1);
            assert_eq!(lost(kind, &["delete", "create"]), 1);
            assert_eq!(lost(kind, &["create", "delete"]), 1);
        }
    }

    #[test]
    fn a_database_that_is_made_changed_or_forgotten_is_not_lost() {
        for actions in [&["create"][..], &["update"], &["no-op"], &["forget"], &["read"]] {
            assert_eq!(lost(DATABASES[0], actions), 0, "{actions:?}");
        }
    }

    #[test]
    fn what_is_no_database_may_go() {
        assert_eq!(lost("aws_cloudwatch_metric_alarm", &["delete", "create"]), 0);
    }

    #[test]
    fn an_action_that_is_not_known_is_refused() {
        let error = parse(&json!([resource("aws_x", &["shred"])])).unwrap_err();
        assert!(error.to_string().contains("`shred` to `module.x.aws_x.this`"), "{error}");
    }

    #[test]
    fn the_document_of_a_state_is_no_plan() {
        let error = Changes::parse(br#"{"format_version":"1.0","values":{}}"#).unwrap_err();
        assert!(matches!(error, ChangesError::NoPlan(_)));
    }

    #[test]
    fn what_forces_a_replacement_is_told_by_its_path() {
        let mut it = resource(DATABASES[0], &["delete", "create"]);
        it["action_reason"] = json!("replace_because_cannot_update");
        it["change"]["replace_paths"] = json!([["organization"], ["s3", 0, "bucket"]]);
        let told = parse(&json!([it])).unwrap().describe();
        let wanted = "because `organization`, `s3[0].bucket` cannot be changed in place";
        assert!(told.contains(wanted), "{told}");
    }

    #[test]
    fn no_value_of_the_document_is_told() {
        let changes = parse(&json!([resource(DATABASES[0], &["delete"])])).unwrap();
        assert!(!format!("{changes:?}{}", changes.describe()).contains("hunter2"));
    }

    #[test]
    fn what_goes_is_told_last_and_counted() {
        let changes = parse(&json!([
            resource("a", &["delete"]),
            resource("b", &["create"]),
            resource("c", &["no-op"]),
        ]));
        let told = changes.unwrap().describe();
        let wanted = "  create   module.x.b.this\n  DESTROY  module.x.a.this\n1 to create, \
            0 to change, 0 to forget, 0 to replace, 1 to destroy\n";
        assert_eq!(told, wanted);
    }
}
