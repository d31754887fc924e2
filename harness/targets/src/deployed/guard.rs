//! Whether a deployed stack may be written to: three have to say yes.
//!
//! The main function is [`decide`]. The user says so with an option, the stack's own outputs say
//! so, and so does the instance itself by its tag, at the moment of asking: outputs can be old, or
//! of another stack.

use std::collections::BTreeMap;

use super::stack::Stack;
use crate::Permission;

/// The tag of an instance that may be written to. Its value is then `true`.
pub const WRITES_TAG: &str = "cutover:allow-writes";

/// Whether the user wants to write to the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowWrites {
    /// `--allow-writes` was passed.
    Asked,
    /// It was not.
    NotAsked,
}

/// What the instance's tags say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WritesTag {
    /// Nobody asked.
    Unasked,
    /// The tag has this value, or is not there.
    Is(Option<String>),
    /// The tags could not be read.
    Unreadable(String),
}

impl WritesTag {
    /// Finds the tag among all of an instance's.
    pub(super) fn among(tags: &BTreeMap<String, String>) -> Self {
        Self::Is(tags.get(WRITES_TAG).cloned())
    }
}

/// Decides, and names everything that stands against it.
pub(super) fn decide(asked: AllowWrites, stack: &Stack, tag: &WritesTag) -> Permission {
    let mut against = Vec::new();
    if asked == AllowWrites::NotAsked {
        against.push("`--allow-writes` was not passed".to_owned());
    }
    if !stack.writes_allowed {
        against.push("the stack's output `writes_allowed` is false".to_owned());
    }
    let instance = format!("the instance `{}`", stack.influxdb.instance_name);
    match tag {
        WritesTag::Is(Some(value)) if value == "true" => {}
        WritesTag::Is(Some(value)) => {
            against.push(format!("{instance} has the tag `{WRITES_TAG}` of `{value}`"));
        }
        WritesTag::Is(None) => against.push(format!("{instance} has no tag `{WRITES_TAG}`")),
        WritesTag::Unreadable(why) => {
            against.push(format!("the tags of {instance} could not be read: {why}"));
        }
        // Nobody asks where something else already stands against it. Nothing stands for it.
        WritesTag::Unasked if against.is_empty() => {
            against.push(format!("{instance} was not asked for its tags"));
        }
        WritesTag::Unasked => {}
    }
    if against.is_empty() {
        Permission::Granted
    } else {
        Permission::Refused(format!("the stack may not be written to: {}", against.join("; ")))
    }
}
