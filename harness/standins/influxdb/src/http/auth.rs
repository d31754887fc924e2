//! Who asks: credentials of a request, and what they are good for.
//!
//! [`require_token`] guards the API of release 2, [`require_credentials`] that of release 1, which
//! takes tokens in three places more. Both put a [`Caller`] into the request; handlers ask it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, header};

use super::error::{ApiError, Code};
use super::request::{Parameters, parameter};
use crate::Server;
use crate::accounts::{Authorization, Id, Permission, Permissions, Status};

/// Whoever sent a request, known by a token.
#[derive(Clone, Debug)]
pub(super) struct Caller(Arc<Authorization>);

impl Caller {
    /// The user to whom the token belongs.
    pub(super) fn user(&self) -> Id {
        self.0.user
    }

    /// The organisation in which the token was made.
    pub(super) fn org(&self) -> Id {
        self.0.org
    }

    pub(super) fn is_active(&self) -> bool {
        self.0.status == Status::Active
    }

    pub(super) fn permissions(&self) -> Permissions {
        self.0.permissions()
    }

    pub(super) fn may(&self, needed: Permission) -> bool {
        self.is_active() && self.0.granted().allow(needed)
    }

    /// Refuses as the server's services do.
    pub(super) fn require(&self, needed: Permission) -> Result<(), ApiError> {
        if !self.is_active() {
            return Err(ApiError::new(Code::Unauthorized, "token is inactive"));
        }
        if self.may(needed) {
            return Ok(());
        }
        Err(ApiError::new(Code::Unauthorized, format!("{needed} is unauthorized")))
    }

    /// Refuses as the server's write and delete handlers do: `what` it takes is not there.
    pub(super) fn require_for(&self, what: &str, needed: Permission) -> Result<(), ApiError> {
        if self.may(needed) {
            return Ok(());
        }
        let message = format!("insufficient permissions {what}");
        Err(ApiError::new(Code::Forbidden, message))
    }
}

/// Refuses requests without a token that is known, in the header that release 2 has for it.
pub(super) async fn require_token(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = {
        let accounts = server.accounts();
        let token = token(request.headers());
        let known = token.and_then(|token| accounts.by_token(token)).ok_or_else(unauthorized)?;
        let user = accounts.user(known.user);
        if user.is_none_or(|user| user.status == Status::Inactive) {
            return Err(ApiError::new(Code::Forbidden, "User is inactive"));
        }
        Caller(Arc::clone(known))
    };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The token of an `Authorization` header, under either of its schemes.
fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    ["Token ", "Bearer "].iter().find_map(|scheme| {
        let (given, token) = value.split_at_checked(scheme.len())?;
        given.eq_ignore_ascii_case(scheme).then_some(token)
    })
}

/// Refuses requests of release 1 without a token that is known. It may stand in the parameters `u`
/// and `p`, in the header under `Token`, with or without a name before it, or as a password. Names
/// are not looked at.
pub(super) async fn require_credentials(
    State(server): State<Arc<Server>>,
    parameters: Parameters,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let token = given_token(&parameters, request.headers()).ok_or_else(unauthorized)?;
    let caller = {
        let accounts = server.accounts();
        let usable = accounts.by_token(&token).filter(|known| {
            let user = accounts.user(known.user);
            known.status == Status::Active && user.is_some_and(|user| user.status == Status::Active)
        });
        let refused = || ApiError::new(Code::Unauthorized, "Unauthorized");
        Caller(Arc::clone(usable.ok_or_else(refused)?))
    };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn given_token(parameters: &Parameters, headers: &HeaderMap) -> Option<String> {
    if let (Some(_), Some(password)) = (parameter(parameters, "u"), parameter(parameters, "p")) {
        return Some(password.to_owned());
    }
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme == "Token" && !rest.contains(' ') {
        let token = rest.split_once(':').map_or(rest, |(_, token)| token);
        return Some(token.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(decode_base64(rest)?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// The bytes that a text in the standard alphabet with padding stands for.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let bits =
            group.iter().try_fold(0_u32, |bits, digit| Some(bits << 6 | six_bits(*digit)?))?;
        let aligned = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&aligned.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

fn six_bits(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn unauthorized() -> ApiError {
    ApiError::new(Code::Unauthorized, "unauthorized access")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_each_length_of_padding() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo")] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode_base64("dTp0b2s=").as_deref(), Some(&b"u:tok"[..]));
        for bad in ["Z", "Zg", "Zg=", "Z===", "====", "Z?==", "Zm9v=Zm9"] {
            assert_eq!(decode_base64(bad), None, "{bad}");
        }
    }
}
