//! Compressed answers: gzip where the client takes it and the answer is long enough.

use std::io::Write;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, header};

/// Shorter answers go out as they are.
const MIN_BYTES: usize = 1400;

/// Compresses the answers of a handler.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let wanted = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !wanted {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut chunks = body.into_data_stream();
    let mut start = BytesMut::new();
    while start.len() < MIN_BYTES {
        match chunks.next().await {
            Some(Ok(chunk)) => start.extend_from_slice(&chunk),
            Some(Err(error)) => {
                let broken = stream::iter([Ok(start.freeze()), Err(error)]);
                return Response::from_parts(parts, Body::from_stream(broken));
            }
            None => return Response::from_parts(parts, Body::from(start.freeze())),
        }
    }
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(header::CONTENT_LENGTH);
    let plain = stream::iter([Ok(start.freeze())]).chain(chunks);
    Response::from_parts(parts, Body::from_stream(compressed(plain)))
}

/// Whether `Accept-Encoding` names gzip with a weight above zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter();
    let codings = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
    codings.into_iter().any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f64>);
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight, Some(Ok(0.0)))
    })
}

fn compressed(
    plain: impl Stream<Item = Result<Bytes, axum::Error>>,
) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let state = (Box::pin(plain), Some(encoder));
    stream::unfold(state, |(mut plain, encoder)| async move {
        let mut encoder = encoder?;
        loop {
            let Some(chunk) = plain.next().await else {
                let rest = encoder.finish().map(Bytes::from).map_err(axum::Error::new);
                return Some((rest, (plain, None)));
            };
            let written =
                chunk.and_then(|chunk| encoder.write_all(&chunk).map_err(axum::Error::new));
            if let Err(error) = written {
                return Some((Err(error), (plain, None)));
            }
            let ready = std::mem::take(encoder.get_mut());
            if !ready.is_empty() {
                return Some((Ok(Bytes::from(ready)), (plain, Some(encoder))));
            }
        }
    })
}
