//! The SDK's errors in our words.
//!
//! The main function is [`classify`]. What the service said comes from the SDK; what broke on the
//! way comes from our own [`connector`](super::connector), through the SDK.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{Cause, ClientError};

/// How much of the service's message is kept.
const MESSAGE_CAP: usize = 4 * 1024;

/// Turns the SDK's error of an operation into ours.
pub(crate) fn classify<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> ClientError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(refused) => {
            let (error, answer) = (refused.err(), refused.raw());
            let retry_after = answer.headers().get("retry-after");
            ClientError::Answered {
                operation,
                status: answer.status().as_u16(),
                code: error.code().unwrap_or_default().to_owned(),
                message: shortened(error.message().unwrap_or("no message")),
                retry_after: retry_after
                    .and_then(|value| value.trim().parse().ok())
                    .map(Duration::from_secs),
            }
        }
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            let problem = format!("the SDK finds no sense in it (status {status})");
            ClientError::Malformed { operation, problem }
        }
        SdkError::DispatchFailure(_) => match error.into_source() {
            Ok(cause) => of_transport(operation, cause),
            Err(_) => ClientError::Interrupted { operation, cause: "no cause is known".into() },
        },
        other => {
            let cause = other.into_source().map_or_else(|_| "unknown".into(), |c| c.to_string());
            ClientError::invalid(operation, format!("cannot be sent: {cause}"))
        }
    }
}

/// The same, with the service's word for the mistake in the message: what it says beside that is
/// written for people, and is sometimes nothing.
pub(super) fn classify_by_word<E>(
    operation: &'static str,
    error: SdkError<E, HttpResponse>,
) -> ClientError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let mut error = classify(operation, error);
    if let ClientError::Answered { code, message, .. } = &mut error {
        *message = format!("{code}: {message}");
    }
    error
}

/// Takes our own error out of the SDK's and gives it the operation's name.
fn of_transport(operation: &'static str, cause: Cause) -> ClientError {
    let cause = match cause.downcast::<ConnectorError>() {
        Ok(error) => error.into_source(),
        Err(cause) => cause,
    };
    match cause.downcast::<ClientError>() {
        Ok(error) => error.renamed(operation),
        Err(cause) => ClientError::Interrupted { operation, cause },
    }
}

pub(crate) fn shortened(message: &str) -> String {
    let end = message.floor_char_boundary(MESSAGE_CAP);
    message[..end].to_owned()
}
