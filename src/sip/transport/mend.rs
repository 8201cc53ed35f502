//! What the stack writes or reads wrongly.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

/// The stack writes `received=[[2001:db8::1]]` into the Via of requests that came over IPv6, and
/// then cannot read it itself: the response would go where the Via says, not where the request
/// came from. RFC 3261 section 18.2.1 wants the address without brackets.
const BROKEN: &str = "received=[[";

/// The name of RFC 8760, and the stack's, which takes no other.
const SHA_256: [&str; 2] = ["algorithm=SHA-256", "algorithm=SHA256"];

/// A message as the stack reads it, when that differs from what came; never longer.
pub(super) fn incoming(message: &[u8]) -> Option<Vec<u8>> {
    let refused = message.starts_with(b"SIP/2.0 401 ") || message.starts_with(b"SIP/2.0 407 ");
    refused.then(|| renamed(message, SHA_256[0], SHA_256[1])).flatten()
}

/// A message as it should go out, and where a response really goes.
pub(super) fn outgoing(message: &[u8]) -> (Cow<'_, [u8]>, Option<SocketAddr>) {
    if let Some((mended, to)) = response(message) {
        return (Cow::Owned(mended), to);
    }
    (proof(message).map_or(Cow::Borrowed(message), Cow::Owned), None)
}

fn proof(message: &[u8]) -> Option<Vec<u8>> {
    let (head, _) = parts(message)?;
    head.contains("uthorization: Digest")
        .then(|| renamed(message, SHA_256[1], SHA_256[0]))
        .flatten()
}

/// The message with its headers' `from` written as `to`; `None` when none has it.
fn renamed(message: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    let (head, body) = parts(message)?;
    let (first, headers) = head.split_once("\r\n")?;
    let text = || format!("{first}\r\n{}", headers.replace(from, to));
    headers.contains(from).then(|| [text().as_bytes(), body].concat())
}

fn response(message: &[u8]) -> Option<(Vec<u8>, Option<SocketAddr>)> {
    let (head, body) = parts(message).filter(|(head, _)| head.starts_with("SIP/2.0 "))?;
    // The first Via is the request's sender; the same text elsewhere was written by somebody else.
    let via = head.split_inclusive("\r\n").find(|line| line.starts_with("Via:"))?;
    let (before, rest) = via.split_once(BROKEN)?;
    let (ip, after) = rest.split_once("]]")?;
    let ip: Ipv6Addr = ip.parse().ok()?;
    let port = rest.trim_end().split(';').find_map(|p| p.strip_prefix("rport=")?.parse().ok());
    let text = head.replacen(via, &format!("{before}received={ip}{after}"), 1);
    let to = port.map(|port| SocketAddr::new(IpAddr::V6(ip), port));
    Some(([text.as_bytes(), body].concat(), to))
}

/// The head with its empty line, and the body, which is never touched: Content-Length stays true.
fn parts(message: &[u8]) -> Option<(&str, &[u8])> {
    let end = message.windows(4).position(|w| w == b"\r\n\r\n")?;
    let (head, body) = message.split_at(end + 4);
    Some((std::str::from_utf8(head).ok()?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;\
        received=[[2001:db8::1]];rport=5099\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_response_to_ipv6_goes_where_the_request_came_from() {
        let (message, to) = outgoing(RESPONSE.as_bytes());
        assert_eq!(to, Some("[2001:db8::1]:5099".parse().unwrap()));
        let text = String::from_utf8(message.into_owned()).unwrap();
        assert!(text.contains(";received=2001:db8::1;rport=5099\r\nContent-Length: 0\r\n\r\n"));
    }

    #[test]
    fn the_algorithm_has_the_name_that_each_side_knows() {
        let challenge =
            b"SIP/2.0 401 No\r\nWWW-Authenticate: Digest realm=\"r\", algorithm=SHA-256\r\n\r\n";
        let read = String::from_utf8(incoming(challenge).unwrap()).unwrap();
        assert!(read.contains("algorithm=SHA256\r\n"));
        let proof = b"REGISTER sip:h SIP/2.0\r\nAuthorization: Digest algorithm=SHA256\r\n\r\n";
        let sent = String::from_utf8(outgoing(proof).0.into_owned()).unwrap();
        assert!(sent.contains("algorithm=SHA-256\r\n"));
        assert_eq!(incoming(b"SIP/2.0 200 OK\r\nX: algorithm=SHA-256\r\n\r\n"), None);
    }

    #[test]
    fn a_reason_that_names_the_algorithm_stays_as_it_is() {
        let challenge = b"SIP/2.0 401 Use algorithm=SHA-256\r\nX: algorithm=SHA-256\r\n\r\n";
        let read = String::from_utf8(incoming(challenge).unwrap()).unwrap();
        assert!(read.starts_with("SIP/2.0 401 Use algorithm=SHA-256\r\nX: algorithm=SHA256\r\n"));
    }

    #[test]
    fn a_body_is_never_touched() {
        let body = b"\r\n\r\nalgorithm=SHA-256;algorithm=SHA256";
        let read = [b"SIP/2.0 407 No\r\nX: algorithm=SHA-256".as_slice(), body].concat();
        assert!(incoming(&read).unwrap().ends_with(body));
        let sent = [b"INVITE sip:h SIP/2.0\r\nAuthorization: Digest algorithm=SHA256", &body[..]];
        assert!(outgoing(&sent.concat()).0.ends_with(body));
    }

    #[test]
    fn a_caller_whose_name_looks_like_a_broken_via_sends_no_response_elsewhere() {
        let name = "From: \"received=[[2001:db8::bad]];rport=53\" <sip:a@b>\r\n";
        let clean = RESPONSE
            .replace("[[2001:db8::1]]", "192.0.2.9")
            .replace("Content", &format!("{name}Content"));
        assert_eq!(outgoing(clean.as_bytes()), (Cow::Borrowed(clean.as_bytes()), None));
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for message in [
            RESPONSE.replace("[[2001:db8::1]]", "192.0.2.9"),
            RESPONSE.replace("SIP/2.0 200 OK", "BYE sip:a@b SIP/2.0"),
            RESPONSE.replace("2001:db8::1]]", "no address"),
            String::new(),
        ] {
            assert_eq!(outgoing(message.as_bytes()), (Cow::Borrowed(message.as_bytes()), None));
        }
    }
}
