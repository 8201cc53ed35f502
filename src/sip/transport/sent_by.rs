//! Of several UDP sockets, the one that sends a request is the one that its Via has to name (RFC
//! 3261 section 18.1.1); the stack knows of one, and always names that.

use std::net::SocketAddr;

const UDP: &str = "SIP/2.0/UDP ";

/// A request whose topmost Via names `own`; `None` when it does already, or is no request.
pub(super) fn named(message: &[u8], own: SocketAddr) -> Option<Vec<u8>> {
    if message.starts_with(b"SIP/") {
        return None;
    }
    let end = message.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&message[..end]).ok()?;
    let line = head.find("\r\nVia: ")? + "\r\nVia: ".len();
    let at = line + head[line..].strip_prefix(UDP).map(|_| UDP.len())?;
    let sent_by = head[at..].split([';', '\r']).next()?.trim_end();
    if sent_by.parse() == Ok(own) {
        return None;
    }
    let own = own.to_string();
    let after = &message[at + sent_by.len()..];
    Some([&message[..at], own.as_bytes(), after].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: &str = "OPTIONS sip:[2001:db8::1] SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1\r\n\
        Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK0\r\nContent-Length: 0\r\n\r\n";

    fn own() -> SocketAddr {
        "[2001:db8::5]:5070".parse().unwrap()
    }

    #[test]
    fn the_first_via_of_a_request_names_the_socket() {
        let named_so = String::from_utf8(named(OPTIONS.as_bytes(), own()).unwrap()).unwrap();
        assert!(named_so.contains("Via: SIP/2.0/UDP [2001:db8::5]:5070;rport;branch=z9hG4bK1\r\n"));
        assert!(named_so.contains("Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK0\r\n"));
        assert_eq!(named(named_so.as_bytes(), own()), None, "it does already");
    }

    #[test]
    fn responses_and_streams_stay_as_they_are() {
        let response = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\r\n";
        assert_eq!(named(response.as_bytes(), own()), None);
        assert_eq!(named(OPTIONS.replace("/UDP ", "/TCP ").as_bytes(), own()), None);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(message: Vec<u8>, cut in 0..OPTIONS.len()) {
            let _ = (named(&message, own()), named(&OPTIONS.as_bytes()[..cut], own()));
        }
    }
}
