//! Who may do what, and which buckets there are: the server's metadata.
//!
//! [`Accounts`] holds the organisations, users, tokens and buckets; [`permission`] says what a
//! token may do. The points of a bucket are in `store`, under the same [`Id`]. Sessions are left
//! out, and so are passwords: one is checked for its length and not kept.

mod permission;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use cutover_model::Secret;

pub(crate) use self::permission::{Action, Kind, Permission, Permissions, Status};

/// The server's identifier of a resource: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u64);

impl Id {
    /// Reads 16 hexadecimal digits that are not all zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u64::from_str_radix(text, 16).ok().filter(|id| *id != 0).map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An organisation.
#[derive(Clone, Debug)]
pub(crate) struct Org {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_ns: i64,
    pub(crate) updated_ns: i64,
}

/// Somebody to whom tokens belong.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) status: Status,
}

/// A token, whose it is and what it is good for.
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    pub(crate) id: Id,
    pub(crate) token: Secret,
    pub(crate) status: Status,
    pub(crate) description: String,
    pub(crate) user: Id,
    pub(crate) org: Id,
    permissions: Permissions,
    pub(crate) created_ns: i64,
    pub(crate) updated_ns: i64,
}

impl Authorization {
    /// What was granted, whether or not the token is active.
    pub(crate) fn granted(&self) -> &Permissions {
        &self.permissions
    }

    /// What the token may do now.
    pub(crate) fn permissions(&self) -> Permissions {
        match self.status {
            Status::Active => self.permissions.clone(),
            Status::Inactive => Permissions::none(),
        }
    }
}

/// What a new token is to be.
#[derive(Debug)]
pub(crate) struct NewAuthorization {
    /// Drawn at random when none is given.
    pub(crate) token: Option<Secret>,
    pub(crate) status: Status,
    pub(crate) description: String,
    pub(crate) user: Id,
    pub(crate) org: Id,
    pub(crate) permissions: Permissions,
}

/// What a bucket is called and how long it keeps its data.
#[derive(Clone, Debug)]
pub(crate) struct BucketEntry {
    pub(crate) id: Id,
    pub(crate) org: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) system: bool,
    pub(crate) retention_s: i64,
    pub(crate) shard_group_s: i64,
    pub(crate) created_ns: i64,
    pub(crate) updated_ns: i64,
}

impl BucketEntry {
    /// What reading this bucket takes. A system bucket is read by whoever may see its organisation.
    pub(crate) fn reading(&self) -> Permission {
        if self.system {
            Permission::resource(Action::Read, Kind::Orgs, self.org)
        } else {
            Permission::of_org(Action::Read, Kind::Buckets, (self.id, self.org))
        }
    }

    /// What writing to this bucket, changing it or deleting from it takes.
    pub(crate) fn writing(&self) -> Permission {
        Permission::of_org(Action::Write, Kind::Buckets, (self.id, self.org))
    }
}

/// What a new bucket is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewBucket {
    pub(crate) org: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) system: bool,
    pub(crate) retention_s: i64,
    pub(crate) shard_group_s: i64,
}

/// Organisations, users, tokens and buckets.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    orgs: BTreeMap<Id, Org>,
    users: BTreeMap<Id, User>,
    authorizations: BTreeMap<Id, Arc<Authorization>>,
    buckets: BTreeMap<Id, BucketEntry>,
    ids_given: u64,
}

/// Identifiers count up from here, so that they look like the server's and are the same in each
/// run.
const FIRST_ID: u64 = 0x0c0f_fee0_0000_0001;

impl Accounts {
    /// Whether the first user is still to be made.
    pub(crate) fn is_empty(&self) -> bool {
        self.orgs.is_empty() && self.users.is_empty()
    }

    /// An identifier that was never given before.
    pub(crate) fn next_id(&mut self) -> Id {
        self.ids_given += 1;
        Id(FIRST_ID + self.ids_given)
    }
}

/// Organisations.
impl Accounts {
    /// Adds an organisation; its name must be free.
    pub(crate) fn add_org(&mut self, name: &str, created_ns: i64) -> Org {
        let org = Org {
            id: self.next_id(),
            name: name.to_owned(),
            description: String::new(),
            created_ns,
            updated_ns: created_ns,
        };
        self.orgs.insert(org.id, org.clone());
        org
    }

    pub(crate) fn org(&self, id: Id) -> Option<&Org> {
        self.orgs.get(&id)
    }

    pub(crate) fn org_mut(&mut self, id: Id) -> Option<&mut Org> {
        self.orgs.get_mut(&id)
    }

    pub(crate) fn org_named(&self, name: &str) -> Option<&Org> {
        self.orgs.values().find(|org| org.name == name)
    }

    pub(crate) fn orgs(&self) -> impl Iterator<Item = &Org> {
        self.orgs.values()
    }

    /// Removes an organisation with its buckets and tells which those were.
    pub(crate) fn remove_org(&mut self, id: Id) -> Vec<Id> {
        self.orgs.remove(&id);
        let of_org = self.buckets.values().filter(|bucket| bucket.org == id);
        let buckets: Vec<Id> = of_org.map(|bucket| bucket.id).collect();
        self.buckets.retain(|_, bucket| bucket.org != id);
        buckets
    }
}

/// Users and their tokens.
impl Accounts {
    /// Adds a user; the name must be free.
    pub(crate) fn add_user(&mut self, name: &str, status: Status) -> User {
        let user = User { id: self.next_id(), name: name.to_owned(), status };
        self.users.insert(user.id, user.clone());
        user
    }

    pub(crate) fn user(&self, id: Id) -> Option<&User> {
        self.users.get(&id)
    }

    pub(crate) fn user_mut(&mut self, id: Id) -> Option<&mut User> {
        self.users.get_mut(&id)
    }

    pub(crate) fn user_named(&self, name: &str) -> Option<&User> {
        self.users.values().find(|user| user.name == name)
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Removes a user. The user's tokens stay, and none of them lets anybody in any more.
    pub(crate) fn remove_user(&mut self, id: Id) {
        self.users.remove(&id);
    }

    /// Adds a token.
    pub(crate) fn authorize(
        &mut self,
        new: NewAuthorization,
        created_ns: i64,
    ) -> Arc<Authorization> {
        let NewAuthorization { token, status, description, user, org, permissions } = new;
        let authorization = Arc::new(Authorization {
            id: self.next_id(),
            token: token.unwrap_or_else(|| Secret::new(draw_token())),
            status,
            description,
            user,
            org,
            permissions,
            created_ns,
            updated_ns: created_ns,
        });
        self.authorizations.insert(authorization.id, Arc::clone(&authorization));
        authorization
    }

    pub(crate) fn authorization(&self, id: Id) -> Option<&Arc<Authorization>> {
        self.authorizations.get(&id)
    }

    pub(crate) fn authorization_mut(&mut self, id: Id) -> Option<&mut Authorization> {
        self.authorizations.get_mut(&id).map(Arc::make_mut)
    }

    pub(crate) fn authorizations(&self) -> impl Iterator<Item = &Arc<Authorization>> {
        self.authorizations.values()
    }

    pub(crate) fn remove_authorization(&mut self, id: Id) {
        self.authorizations.remove(&id);
    }

    /// Whose token this is.
    pub(crate) fn by_token(&self, token: &str) -> Option<&Arc<Authorization>> {
        self.authorizations.values().find(|known| known.token.expose() == token)
    }
}

/// Buckets.
impl Accounts {
    pub(crate) fn bucket(&self, id: Id) -> Option<&BucketEntry> {
        self.buckets.get(&id)
    }

    pub(crate) fn bucket_mut(&mut self, id: Id) -> Option<&mut BucketEntry> {
        self.buckets.get_mut(&id)
    }

    pub(crate) fn bucket_named(&self, org: Id, name: &str) -> Option<&BucketEntry> {
        self.buckets.values().find(|bucket| bucket.org == org && bucket.name == name)
    }

    pub(crate) fn buckets(&self) -> impl DoubleEndedIterator<Item = &BucketEntry> {
        self.buckets.values()
    }

    /// Adds a bucket; its name must be free in its organisation.
    pub(crate) fn add_bucket(&mut self, new: NewBucket, created_ns: i64) -> BucketEntry {
        let NewBucket { org, name, description, system, retention_s, shard_group_s } = new;
        let bucket = BucketEntry {
            id: self.next_id(),
            org,
            name,
            description,
            system,
            retention_s,
            shard_group_s,
            created_ns,
            updated_ns: created_ns,
        };
        self.buckets.insert(bucket.id, bucket.clone());
        bucket
    }

    pub(crate) fn remove_bucket(&mut self, id: Id) {
        self.buckets.remove(&id);
    }
}

/// A token that cannot be guessed from an earlier one.
fn draw_token() -> String {
    let draws = (0..4).map(|part: u8| format!("{:016x}", RandomState::new().hash_one(part)));
    draws.collect()
}
