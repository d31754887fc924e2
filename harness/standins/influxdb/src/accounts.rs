//! Who may do what, and which buckets there are: the server's metadata.
//!
//! [`Accounts`] holds the organisations, the tokens and the buckets by name. The points of a bucket
//! are in `store`, under the same [`Id`]. Sessions, passwords and scoped tokens are left out: the
//! password is checked for its length and not kept, and every token may do everything.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use cutover_model::Secret;

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
    pub(crate) created_ns: i64,
}

/// A token and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    pub(crate) id: Id,
    pub(crate) token: Secret,
    pub(crate) user: Id,
    pub(crate) user_name: String,
    pub(crate) org: Id,
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

/// Organisations, tokens and buckets.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    orgs: BTreeMap<Id, Org>,
    authorizations: BTreeMap<Id, Authorization>,
    buckets: BTreeMap<Id, BucketEntry>,
    ids_given: u64,
}

/// Identifiers count up from here, so that they look like the server's and are the same in each
/// run.
const FIRST_ID: u64 = 0x0c0f_fee0_0000_0001;

impl Accounts {
    /// Whether the first user is still to be made.
    pub(crate) fn is_empty(&self) -> bool {
        self.orgs.is_empty()
    }

    fn next_id(&mut self) -> Id {
        self.ids_given += 1;
        Id(FIRST_ID + self.ids_given)
    }

    /// Adds an organisation.
    pub(crate) fn add_org(&mut self, name: &str, created_ns: i64) -> Org {
        let org = Org { id: self.next_id(), name: name.to_owned(), created_ns };
        self.orgs.insert(org.id, org.clone());
        org
    }

    /// Adds a user with a token, drawn at random when none is given.
    pub(crate) fn add_user(&mut self, name: &str, org: Id, token: Option<String>) -> Authorization {
        let user = self.next_id();
        let id = self.next_id();
        let token = Secret::new(token.filter(|token| !token.is_empty()).unwrap_or_else(draw_token));
        let user_name = name.to_owned();
        let authorization = Authorization { id, token, user, user_name, org };
        self.authorizations.insert(id, authorization.clone());
        authorization
    }

    /// Whose token this is.
    pub(crate) fn by_token(&self, token: &str) -> Option<&Authorization> {
        self.authorizations.values().find(|known| known.token.expose() == token)
    }

    pub(crate) fn org(&self, id: Id) -> Option<&Org> {
        self.orgs.get(&id)
    }

    pub(crate) fn org_named(&self, name: &str) -> Option<&Org> {
        self.orgs.values().find(|org| org.name == name)
    }

    pub(crate) fn orgs(&self) -> impl Iterator<Item = &Org> {
        self.orgs.values()
    }

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
