//! How a request is framed, where the server underneath reads more than RFC 9112 lets pass. Two readers that disagree about
//! where a request ends or whom it is for can be played off against each other; so one such request ends its connection.

use crate::{domain::client::Client, http::problem::Problem};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Uri, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses what does not say exactly once whom it is for, or sends its body in another coding than `chunked`.
pub async fn check(request: Request, next: Next) -> Response {
    let version = request.version();
    let Some(detail) = fault(version, request.uri(), request.headers()) else {
        return next.run(request).await;
    };
    let client = request.extensions().get::<Client>();
    let request_id = client.map_or("", |client| client.request_id.as_str());
    let problem = Problem::malformed(detail).of_request(request.uri().path(), request_id);
    let mut response = problem.into_response();
    if version <= Version::HTTP_11 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

fn fault(version: Version, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    if !is_addressed(version, uri, headers) {
        return Some("Name the host once, in the Host field.");
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_plain = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    };
    (!is_plain).then_some("Transfer-Encoding takes chunked, and nothing else.")
}

/// One valid `Host` (RFC 9112, section 3.2). HTTP/1.0 has none, HTTP/2 an authority of its own, which `Host` must not contradict.
fn is_addressed(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let authority = uri.authority().filter(|_| version >= Version::HTTP_2);
    match (hosts.next(), hosts.next()) {
        (None, _) => authority.is_some() || version < Version::HTTP_11,
        (Some(host), None) => {
            let same = |own: &Authority| {
                let own = own.as_str().as_bytes();
                own.eq_ignore_ascii_case(host.as_bytes())
            };
            is_host(host) && authority.is_none_or(same)
        }
        _ => false,
    }
}

/// A name or address, with or without a port; nothing at all where the target has no host.
fn is_host(value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    value.is_empty() || (!value.contains(&b'@') && Authority::try_from(value).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn passes(version: Version, uri: &'static str, sent: &[(HeaderName, &'static str)]) -> bool {
        let sent = sent.iter().cloned();
        let headers: HeaderMap = sent.fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, HeaderValue::from_static(value));
            headers
        });
        fault(version, &Uri::from_static(uri), &headers).is_none()
    }

    #[test]
    fn a_request_names_its_host_once() {
        let one = |host| [(header::HOST, host)];
        let two = [(header::HOST, "a"), (header::HOST, "a")];
        for (version, sent, good) in [
            (Version::HTTP_10, &[][..], true),
            (Version::HTTP_10, &two, false),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_11, &two, false),
            (Version::HTTP_11, &one(""), true),
            (Version::HTTP_11, &one("usher.example:8001"), true),
            (Version::HTTP_11, &one("[2001:db8::1]:8001"), true),
            (Version::HTTP_11, &one("usher.example/x"), false),
            (Version::HTTP_11, &one("a b"), false),
            (Version::HTTP_11, &one("someone@usher.example"), false),
            (Version::HTTP_2, &[], false),
        ] {
            assert_eq!(passes(version, "/", sent), good, "{version:?} {sent:?}");
        }
    }

    #[test]
    fn the_authority_of_http_2_is_its_host() {
        let uri = "https://usher.example/";
        assert!(passes(Version::HTTP_2, uri, &[]));
        let same = [(header::HOST, "USHER.example")];
        assert!(passes(Version::HTTP_2, uri, &same));
        let other = [(header::HOST, "evil.example")];
        assert!(!passes(Version::HTTP_2, uri, &other));
        // The absolute form of HTTP/1.1 does not stand for the field.
        assert!(!passes(Version::HTTP_11, uri, &[]));
    }

    #[test]
    fn a_body_comes_in_chunks_or_as_it_is() {
        let host = (header::HOST, "usher.example");
        let coded = |coding| [host.clone(), (header::TRANSFER_ENCODING, coding)];
        for (coding, good) in [
            ("chunked", true),
            ("Chunked", true),
            ("gzip, chunked", false),
            ("chunked, chunked", false),
            ("chunked;q=1", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(
                passes(Version::HTTP_11, "/", &coded(coding)),
                good,
                "{coding}"
            );
        }
        let chunked = (header::TRANSFER_ENCODING, "chunked");
        let twice = [host, chunked.clone(), chunked];
        assert!(!passes(Version::HTTP_11, "/", &twice));
    }
}
