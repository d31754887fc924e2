//! Secrets of AWS Secrets Manager.

use cutover_model::Secret;

use super::AwsAccount;
use super::error::classify_by_word;
use crate::error::ClientError;

const OPERATION: &str = "get secret value";

impl AwsAccount {
    /// The text of a secret, by its ARN or name, in its current version.
    pub async fn secret(&self, id: &str) -> Result<Secret, ClientError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let answer = client.get_secret_value().secret_id(id).send().await;
        let answer = answer.map_err(|error| classify_by_word(OPERATION, error))?;
        let text = answer.secret_string().ok_or_else(|| ClientError::Malformed {
            operation: OPERATION,
            problem: "the secret holds bytes and no text".to_owned(),
        })?;
        Ok(Secret::new(text))
    }
}
