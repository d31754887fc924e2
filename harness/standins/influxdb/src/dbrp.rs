//! Which bucket serves which database and retention policy of the 1.x API.
//!
//! [`Dbrps`] keeps the mappings that were made; every bucket also has a virtual one by its name:
//! `db/rp` serves `db` with `rp`, and `db` serves `db` with `autogen` as its default.

use std::collections::BTreeMap;

use crate::accounts::{Accounts, BucketEntry, Id};

/// A database and retention policy, and the bucket behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) id: Id,
    pub(crate) database: String,
    pub(crate) retention_policy: String,
    pub(crate) default: bool,
    /// Whether the mapping follows from the bucket's name.
    pub(crate) virtual_: bool,
    pub(crate) org: Id,
    pub(crate) bucket: Id,
}

impl Mapping {
    /// Whether the names may be so.
    pub(crate) fn check_names(&self) -> Result<(), DbrpError> {
        if !is_valid_name(&self.database) {
            return Err(DbrpError::Database);
        }
        if !is_valid_name(&self.retention_policy) {
            return Err(DbrpError::RetentionPolicy);
        }
        Ok(())
    }
}

/// What a mapping must be to be found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) id: Option<Id>,
    pub(crate) bucket: Option<Id>,
    pub(crate) database: Option<&'a str>,
    pub(crate) retention_policy: Option<&'a str>,
    pub(crate) default: Option<bool>,
}

impl Filter<'_> {
    fn passes(&self, mapping: &Mapping) -> bool {
        self.id.is_none_or(|id| id == mapping.id)
            && self.bucket.is_none_or(|bucket| bucket == mapping.bucket)
            && self.database.is_none_or(|database| database == mapping.database)
            && self.retention_policy.is_none_or(|policy| policy == mapping.retention_policy)
            && self.default.is_none_or(|default| default == mapping.default)
    }
}

/// Why a mapping could not be made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DbrpError {
    #[error(
        "DBRP provided is invalid: database must contain at least one character and only be \
         letters, numbers, '_', '-', and '.'"
    )]
    Database,
    #[error(
        "DBRP provided is invalid: retentionPolicy must contain at least one character and only \
         be letters, numbers, '_', '-', and '.'"
    )]
    RetentionPolicy,
    #[error("another DBRP mapping with same orgID, db, and rp exists")]
    Exists,
    #[error("unable to find DBRP")]
    NotFound,
}

/// The mappings that were made.
#[derive(Debug, Default)]
pub(crate) struct Dbrps {
    mappings: BTreeMap<Id, Mapping>,
    /// The default mapping of each database of an organisation.
    defaults: BTreeMap<(Id, String), Id>,
}

impl Dbrps {
    /// The mappings of an organisation that pass, those that were made first.
    pub(crate) fn find(&self, org: Id, accounts: &Accounts, filter: &Filter<'_>) -> Vec<Mapping> {
        // A changed virtual mapping is kept, but lists go by the bucket's name nevertheless.
        let listed = |mapping: &&Mapping| mapping.org == org && !mapping.virtual_;
        let made = self.mappings.values().filter(listed);
        let mut found: Vec<Mapping> = made
            .map(|mapping| self.with_default(mapping))
            .filter(|mapping| filter.passes(mapping))
            .collect();
        let mut buckets: Vec<&BucketEntry> = accounts
            .buckets()
            .filter(|bucket| bucket.org == org)
            .filter(|bucket| filter.bucket.is_none_or(|id| id == bucket.id))
            .collect();
        buckets.sort_by(|left, right| left.name.cmp(&right.name));
        for bucket in buckets {
            let mut own = virtual_mapping(bucket);
            let same = found.iter().filter(|known| known.database == own.database);
            let same: Vec<&Mapping> = same.collect();
            if same.iter().any(|known| known.retention_policy == own.retention_policy) {
                continue;
            }
            own.default &= !same.iter().any(|known| known.default);
            if filter.passes(&own) {
                found.push(own);
            }
        }
        found
    }

    /// The mapping with this identifier; a virtual one has that of its bucket.
    pub(crate) fn get(&self, org: Id, accounts: &Accounts, id: Id) -> Option<Mapping> {
        let made = self.mappings.get(&id).filter(|mapping| mapping.org == org);
        made.map(|mapping| self.with_default(mapping))
            .or_else(|| accounts.bucket(id).map(virtual_mapping))
    }

    /// Adds a mapping. The first of a database becomes its default.
    pub(crate) fn add(&mut self, mut mapping: Mapping) -> Result<Mapping, DbrpError> {
        self.check(&mapping)?;
        let key = (mapping.org, mapping.database.clone());
        if mapping.default || !self.defaults.contains_key(&key) {
            mapping.default = true;
            self.defaults.insert(key, mapping.id);
        }
        self.mappings.insert(mapping.id, mapping.clone());
        Ok(mapping)
    }

    /// Takes over a changed mapping. When it is no longer the default, the next one becomes it.
    pub(crate) fn update(&mut self, mapping: Mapping) -> Result<(), DbrpError> {
        self.check(&mapping)?;
        let key = (mapping.org, mapping.database.clone());
        let id = mapping.id;
        let was_default = self.defaults.get(&key) == Some(&id);
        if mapping.default {
            self.defaults.insert(key, id);
        } else if was_default && let Some(next) = self.first_but(&key, id) {
            self.defaults.insert(key, next);
        }
        self.mappings.insert(id, mapping);
        Ok(())
    }

    /// Removes a mapping, if there is one.
    pub(crate) fn remove(&mut self, org: Id, id: Id) {
        let known = self.mappings.get(&id).is_some_and(|mapping| mapping.org == org);
        let Some(mapping) = known.then(|| self.mappings.remove(&id)).flatten() else { return };
        let key = (mapping.org, mapping.database);
        if self.defaults.get(&key) != Some(&id) {
            return;
        }
        match self.first_but(&key, id) {
            Some(next) => drop(self.defaults.insert(key, next)),
            None => drop(self.defaults.remove(&key)),
        }
    }

    fn with_default(&self, mapping: &Mapping) -> Mapping {
        let key = (mapping.org, mapping.database.clone());
        let default = self.defaults.get(&key) == Some(&mapping.id);
        Mapping { default, ..mapping.clone() }
    }

    fn first_but(&self, key: &(Id, String), id: Id) -> Option<Id> {
        let same = |other: &&Mapping| other.org == key.0 && other.database == key.1;
        self.mappings.values().filter(same).map(|other| other.id).find(|other| *other != id)
    }

    fn check(&self, mapping: &Mapping) -> Result<(), DbrpError> {
        mapping.check_names()?;
        let taken = self.mappings.values().any(|other| {
            other.id != mapping.id
                && other.org == mapping.org
                && other.database == mapping.database
                && other.retention_policy == mapping.retention_policy
        });
        if taken { Err(DbrpError::Exists) } else { Ok(()) }
    }
}

/// Whether a database or retention policy may be called so.
fn is_valid_name(name: &str) -> bool {
    let printable =
        name.chars().all(|read| read == ' ' || !(read.is_control() || read.is_whitespace()));
    printable && !matches!(name, "" | "." | "..") && !name.contains(['/', '\\'])
}

/// The mapping that follows from a bucket's name.
fn virtual_mapping(bucket: &BucketEntry) -> Mapping {
    let (database, policy) = match bucket.name.split_once('/') {
        Some((database, policy)) => (database, policy),
        None => (bucket.name.as_str(), "autogen"),
    };
    Mapping {
        id: bucket.id,
        database: database.to_owned(),
        retention_policy: policy.to_owned(),
        default: bucket.name == database,
        virtual_: true,
        org: bucket.org,
        bucket: bucket.id,
    }
}
