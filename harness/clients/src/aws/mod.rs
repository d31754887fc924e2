//! An AWS account, as far as a deployed stack needs it, and what all of our AWS clients share.
//!
//! The main type is [`AwsAccount`]: credentials from the SDK's ordinary chain, secrets of Secrets
//! Manager, and instances of Timestream for InfluxDB with their tags. Nothing is made, changed or
//! deleted from here. The data of a Timestream is [`timestream`](crate::timestream)'s part, which
//! shares the transport and the reading of errors.

mod account;
mod clock;
mod connector;
mod error;
mod instances;
mod secrets;

pub use self::account::{AwsAccount, AwsIdentity, CredentialsError};
pub use self::instances::InfluxInstance;

pub(crate) use self::clock::ClockTime;
pub(crate) use self::connector::Connector;
pub(crate) use self::error::{classify, shortened};
