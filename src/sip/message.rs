//! Reading and building SIP messages, where the stack leaves it to us.

use std::time::Duration;

use rsipstack::sip::{Header, Method, Request, Response, prelude::HasHeaders, prelude::HeadersExt};

/// What we understand, for the Allow header.
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";
/// The extensions we have (option tags).
const EXTENSIONS: [&str; 3] = ["100rel", "replaces", "timer"];
/// What bodies we understand, for the Accept header.
pub(super) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";
const SDP: &str = "application/sdp";

/// Headers that go with an SDP body.
pub(super) fn sdp_headers() -> Vec<Header> {
    vec![Header::ContentType(SDP.into()), Header::Allow(ALLOW.into())]
}

/// Headers that say what we can do, for OPTIONS and for refusals.
pub(super) fn capabilities() -> Vec<Header> {
    vec![
        Header::Allow(ALLOW.into()),
        Header::Accept(ACCEPT.into()),
        Header::Supported(EXTENSIONS.join(", ").into()),
    ]
}

pub(super) fn retry_after(after: Duration) -> Header {
    let secs = after.as_millis().div_ceil(1_000).max(1);
    Header::RetryAfter(secs.to_string().into())
}

/// The value of the first header of that name.
pub(super) fn header<'a>(headers: &'a rsipstack::sip::Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|h| h.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// Whether a header of that name, a list of option tags, has `tag`.
pub(super) fn lists(headers: &rsipstack::sip::Headers, name: &str, tag: &str) -> bool {
    headers
        .iter()
        .filter(|header| header.name().eq_ignore_ascii_case(name))
        .flat_map(|header| header.value().split(','))
        .any(|listed| listed.trim().eq_ignore_ascii_case(tag))
}

/// The SDP that a request carries; `None` when it has no body, or a body of another type.
pub(super) fn sdp_of(request: &Request) -> Option<String> {
    sdp(request.headers(), request.body())
}

/// The SDP that a response carries.
pub(super) fn sdp_of_response(response: &Response) -> Option<String> {
    sdp(response.headers(), response.body())
}

/// Whether the request has a body that is not SDP (RFC 3261 section 8.2.3).
pub(super) fn has_foreign_body(request: &Request) -> bool {
    !request.body().is_empty() && sdp_of(request).is_none()
}

/// The extensions that the request requires and we do not have, as a list for Unsupported.
pub(super) fn unsupported_extensions(request: &Request) -> Option<String> {
    let required = request.headers().iter().filter_map(|h| match h {
        Header::Require(r) => Some(r.value()),
        _ => None,
    });
    let unknown: Vec<&str> = required
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .filter(|tag| !EXTENSIONS.iter().any(|known| tag.eq_ignore_ascii_case(known)))
        .collect();
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

/// The number of the CSeq header; 0 when it cannot be read.
pub(super) fn cseq(request: &Request) -> u32 {
    request.cseq_header().and_then(|c| c.seq()).unwrap_or(0)
}

/// The tag of the From header; empty when there is none.
pub(super) fn from_tag(request: &Request) -> String {
    let tag = request.from_header().and_then(|f| f.tag()).ok().flatten();
    tag.map(|t| t.value().to_owned()).unwrap_or_default()
}

/// The tag of the To header of a response; empty when there is none.
pub(super) fn to_tag(response: &Response) -> String {
    let tag = response.to_header().and_then(|t| t.tag()).ok().flatten();
    tag.map(|t| t.value().to_owned()).unwrap_or_default()
}

/// Whether the request belongs to a dialog: its To header has a tag.
pub(super) fn is_in_dialog(request: &Request) -> bool {
    request.to_header().and_then(|t| t.tag()).ok().flatten().is_some()
}

/// Whether the method is one that [`ALLOW`] names.
pub(super) fn is_allowed(method: Method) -> bool {
    use Method::*;
    matches!(method, Invite | Ack | Cancel | Bye | Options | Info | Update | PRack | Refer | Notify)
}

fn sdp(headers: &rsipstack::sip::Headers, body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    // RFC 3261 section 20.15 wants a type with every body; some senders leave it out for SDP.
    let content_type = header(headers, "Content-Type").unwrap_or(SDP);
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    media_type.eq_ignore_ascii_case(SDP).then(|| String::from_utf8_lossy(body).into_owned())
}
