//! Permissions: what a token may do, and to what.
//!
//! [`Permissions`] is what a token was given; [`Permissions::allow`] tells whether a [`Permission`]
//! that a request needs is among them. How a refusal is answered is left to the HTTP side.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::Id;

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    Write,
}

impl Action {
    pub(crate) const ALL: [Self; 2] = [Self::Read, Self::Write];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Declares the kinds of resource with the server's name for each.
macro_rules! kinds {
    ($($kind:ident = $name:literal),* $(,)?) => {
        /// A kind of resource. Most have no API here, but tokens may name any.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind),*
        }

        impl Kind {
            /// In the order in which the server lists the permissions of its first token.
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),*];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),*
                }
            }
        }
    };
}

kinds! {
    Authorizations = "authorizations",
    Buckets = "buckets",
    Dashboards = "dashboards",
    Orgs = "orgs",
    Sources = "sources",
    Tasks = "tasks",
    Telegrafs = "telegrafs",
    Users = "users",
    Variables = "variables",
    Scrapers = "scrapers",
    Secrets = "secrets",
    Labels = "labels",
    Views = "views",
    Documents = "documents",
    NotificationRules = "notificationRules",
    NotificationEndpoints = "notificationEndpoints",
    Checks = "checks",
    Dbrp = "dbrp",
    Notebooks = "notebooks",
    Annotations = "annotations",
    Remotes = "remotes",
    Replications = "replications",
    Instance = "instance",
}

impl Kind {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// An action on one resource, on all of a kind in one organisation, or on all of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    pub(crate) id: Option<Id>,
    pub(crate) org: Option<Id>,
}

impl Permission {
    /// For everything of a kind.
    pub(crate) fn global(action: Action, kind: Kind) -> Self {
        Self { action, kind, id: None, org: None }
    }

    /// For one resource that belongs to no organisation: a user, or an organisation itself.
    pub(crate) fn resource(action: Action, kind: Kind, id: Id) -> Self {
        Self { action, kind, id: Some(id), org: None }
    }

    /// For everything of a kind in an organisation.
    pub(crate) fn in_org(action: Action, kind: Kind, org: Id) -> Self {
        Self { action, kind, id: None, org: Some(org) }
    }

    /// For one resource of an organisation.
    pub(crate) fn of_org(action: Action, kind: Kind, (id, org): (Id, Id)) -> Self {
        Self { action, kind, id: Some(id), org: Some(org) }
    }

    /// Whether whoever holds this may do what `needed` says. An organisation that is given beside
    /// an identifier does not narrow it, as on the server.
    fn covers(&self, needed: &Self) -> bool {
        if self.action != needed.action {
            return false;
        }
        if self.kind == Kind::Instance {
            return true;
        }
        if self.kind != needed.kind {
            return false;
        }
        match (self.id, self.org) {
            (None, None) => true,
            (Some(id), _) => needed.id == Some(id),
            (None, Some(org)) => needed.org == Some(org),
        }
    }
}

impl fmt::Display for Permission {
    /// As in the server's refusals: `read:orgs/000000000000000a/buckets/000000000000000b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.action.name())?;
        if let Some(org) = self.org {
            write!(f, "orgs/{org}/")?;
        }
        f.write_str(self.kind.name())?;
        self.id.map_or(Ok(()), |id| write!(f, "/{id}"))
    }
}

/// All that a token may do.
#[derive(Clone, Debug)]
pub(crate) struct Permissions(Arc<[Permission]>);

impl Permissions {
    pub(crate) fn new(list: Vec<Permission>) -> Self {
        Self(list.into())
    }

    /// What the first token may do: everything with every kind of resource.
    pub(crate) fn operator() -> Self {
        let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Instance);
        let both = |kind: &Kind| Action::ALL.map(|action| Permission::global(action, *kind));
        Self(kinds.flat_map(both).collect())
    }

    /// Nothing at all: what a token may do that is not active.
    pub(crate) fn none() -> Self {
        Self(Arc::new([]))
    }

    pub(crate) fn allow(&self, needed: Permission) -> bool {
        self.0.iter().any(|held| held.covers(&needed))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }
}

/// Whether a token or a user may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Inactive,
}

impl Status {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> Id {
        Id::parse(&format!("{number:016x}")).unwrap()
    }

    fn read(id: Option<Id>, org: Option<Id>) -> Permission {
        Permission { action: Action::Read, kind: Kind::Buckets, id, org }
    }

    #[test]
    fn a_permission_for_one_bucket_does_not_cover_another() {
        let needed = |bucket| Permission::of_org(Action::Read, Kind::Buckets, (id(bucket), id(9)));
        let held = Permissions::new(vec![read(Some(id(1)), Some(id(9)))]);
        assert!(held.allow(needed(1)));
        assert!(!held.allow(needed(2)));
    }

    #[test]
    fn a_permission_for_an_organisation_covers_its_buckets_only() {
        let needed = |org| Permission::of_org(Action::Read, Kind::Buckets, (id(1), id(org)));
        let held = Permissions::new(vec![read(None, Some(id(9)))]);
        assert!(held.allow(needed(9)));
        assert!(!held.allow(needed(8)));
    }

    #[test]
    fn to_read_is_not_to_write_nor_to_read_something_else() {
        let held = Permissions::new(vec![read(None, None)]);
        assert!(held.allow(Permission::global(Action::Read, Kind::Buckets)));
        assert!(!held.allow(Permission::global(Action::Write, Kind::Buckets)));
        assert!(!held.allow(Permission::global(Action::Read, Kind::Orgs)));
    }

    #[test]
    fn a_permission_prints_as_the_server_prints_it() {
        let shown = read(Some(id(11)), Some(id(10))).to_string();
        assert_eq!(shown, "read:orgs/000000000000000a/buckets/000000000000000b");
        let shown = Permission::resource(Action::Write, Kind::Users, id(5)).to_string();
        assert_eq!(shown, "write:users/0000000000000005");
    }

    #[test]
    fn the_first_token_may_do_everything_but_own_the_instance() {
        assert!(Permissions::operator().allow(Permission::global(Action::Write, Kind::Orgs)));
        assert!(!Permissions::operator().allow(Permission::global(Action::Read, Kind::Instance)));
    }
}
