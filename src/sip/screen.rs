//! Looks at every message before the stack does, and answers what the stack would drop in
//! silence or take for something else: unknown methods, other versions and schemes, and the
//! malformed requests of RFC 4475. A peer that is told 400 stops; one that hears nothing retries.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
};

use rsipstack::sip::{Method, Request, SipMessage, headers::ToTypedHeader, prelude::HeadersExt};

use super::{
    message::{self, ALLOW},
    tidy,
};

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// The same message without folded lines and needless space; never longer.
    Rewritten(Vec<u8>),
    Answer(String),
    Drop,
}

/// Judges one message: a datagram, or what a stream was cut into.
pub(super) fn screen(datagram: &[u8]) -> Verdict {
    // Keep-alives are line ends only; the stack knows them.
    if datagram.iter().all(u8::is_ascii_whitespace) || datagram.starts_with(b"SIP/") {
        return Verdict::Pass;
    }
    let end = datagram.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(datagram.len());
    let (head, rest) = datagram.split_at(end);
    // Old PBXs put names in other encodings; what to make of them is the stack's business.
    let Ok(text) = std::str::from_utf8(head) else { return Verdict::Pass };
    let unfolded = unfold(text);
    let unfolded = tidy::head(unfolded.as_deref().unwrap_or(text)).or(unfolded);
    let head = Head::of(unfolded.as_deref().unwrap_or(text));
    let Some(head) = head else { return Verdict::Drop };
    let body = rest.len().saturating_sub(4);
    if let Some(fault) = head.fault(body) {
        return head.refuse(fault);
    }
    let rewritten = unfolded.as_deref().map(|head| [head.as_bytes(), rest].concat());
    match SipMessage::try_from(rewritten.as_deref().unwrap_or(datagram)) {
        Ok(SipMessage::Request(request)) if has_readable_parties(&request) => {
            if message::from_tag(&request).is_empty() {
                return head.refuse(NO_TAG);
            }
            rewritten.map_or(Verdict::Pass, Verdict::Rewritten)
        }
        _ => head.refuse(BAD_REQUEST),
    }
}

/// The stack reads these only when it answers, and then drops the request.
fn has_readable_parties(request: &Request) -> bool {
    request.from_header().is_ok_and(|f| f.clone().typed().is_ok())
        && request.to_header().is_ok_and(|t| t.clone().typed().is_ok())
}

/// Joins header lines continued on the next (RFC 3261 section 7.3.1); `None` when none is.
fn unfold(head: &str) -> Option<String> {
    if !head.contains("\r\n ") && !head.contains("\r\n\t") {
        return None;
    }
    let mut lines = head.split("\r\n");
    let mut joined = lines.next().unwrap_or("").to_owned();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            joined.push(' ');
            joined.push_str(line.trim_start());
        } else {
            joined.push_str("\r\n");
            joined.push_str(line);
        }
    }
    Some(joined)
}

type Fault = (u16, &'static str);
const BAD_REQUEST: Fault = (400, "Bad Request");
/// Senders older than RFC 3261; the stack tells dialogs and transactions apart by the tag.
const NO_TAG: Fault = (400, "From Has No Tag");
const BAD_SCHEME: Fault = (416, "Unsupported URI Scheme");
const UNKNOWN_METHOD: Fault = (501, "Not Implemented");
const BAD_VERSION: Fault = (505, "Version Not Supported");

/// Start line and headers of a request.
struct Head<'a> {
    line: &'a str,
    method: &'a str,
    /// Long name in lower case, value.
    headers: Vec<(String, &'a str)>,
}

impl<'a> Head<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let line = lines.next()?;
        let method = line.split(' ').next().filter(|m| !m.is_empty())?;
        let headers = lines
            .filter_map(|l| l.split_once(':'))
            .map(|(name, value)| (long_name(name.trim()), value.trim()))
            .collect();
        Some(Self { line, method, headers })
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| *v)
    }

    fn one(&self, name: &str) -> Option<&'a str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// What is wrong with the request, if anything. `body` is how many bytes follow the head.
    fn fault(&self, body: usize) -> Option<Fault> {
        let parts: Vec<&str> = self.line.split(' ').collect();
        let &[method, uri, version] = parts.as_slice() else { return Some(BAD_REQUEST) };
        if !version.eq_ignore_ascii_case("SIP/2.0") {
            return Some(BAD_VERSION);
        }
        if !self.is_whole(method) || self.length().is_none_or(|n| n.is_some_and(|n| n > body)) {
            return Some(BAD_REQUEST);
        }
        if Method::from_str(method).is_err() {
            return Some(UNKNOWN_METHOD);
        }
        match uri.split_once(':') {
            _ if uri.starts_with('<') => Some(BAD_REQUEST),
            Some((scheme, _)) if ["sip", "sips"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) => {
                None
            }
            _ => Some(BAD_SCHEME),
        }
    }

    /// Whether the headers that every request needs are there once, and can be read.
    fn is_whole(&self, method: &str) -> bool {
        let once = ["from", "to", "call-id", "cseq"].iter().all(|n| self.one(n).is_some());
        let cseq = self.one("cseq").and_then(|v| v.split_once(char::is_whitespace));
        let cseq_fits = cseq.is_some_and(|(number, m)| {
            m.trim() == method && number.parse::<u32>().is_ok_and(|n| n < 1 << 31)
        });
        let hops = self.all("max-forwards").all(|v| v.parse::<u8>().is_ok())
            && self.all("max-forwards").count() <= 1;
        let parties = self.all("from").chain(self.all("to")).chain(self.all("contact"));
        once && cseq_fits && hops && self.all("via").chain(parties).all(is_tidy)
    }

    /// Content-Length: `Some(None)` when it is not given, `None` when it is bad.
    fn length(&self) -> Option<Option<usize>> {
        match self.all("content-length").count() {
            0 => Some(None),
            1 => self.one("content-length")?.parse().ok().map(Some),
            _ => None,
        }
    }

    /// Refuses the request, unless it is an ACK, which nobody may answer.
    fn refuse(&self, fault: Fault) -> Verdict {
        let answer = if self.method == "ACK" { None } else { self.answer(fault) };
        answer.map_or(Verdict::Drop, Verdict::Answer)
    }

    /// A stateless response (RFC 3261 section 8.2.7); `None` when it could not be routed.
    fn answer(&self, (code, reason): Fault) -> Option<String> {
        use std::fmt::Write;
        self.all("via").next()?;
        let mut response = format!("SIP/2.0 {code} {reason}\r\n");
        for (name, shown) in [
            ("via", "Via"),
            ("from", "From"),
            ("to", "To"),
            ("call-id", "Call-ID"),
            ("cseq", "CSeq"),
        ] {
            let values = self.all(name).take(if name == "via" { usize::MAX } else { 1 });
            for value in values {
                let _ = write!(response, "{shown}: {value}");
                if name == "to" && !value.contains("tag=") {
                    // The same for each retransmission.
                    let mut hash = DefaultHasher::new();
                    self.one("call-id").hash(&mut hash);
                    let _ = write!(response, ";tag={:016x}", hash.finish());
                }
                response.push_str("\r\n");
            }
        }
        let _ = write!(response, "Allow: {ALLOW}\r\nContent-Length: 0\r\n\r\n");
        Some(response)
    }
}

/// Whether quotes are closed, and no two separators follow each other outside of quotes and
/// angle brackets.
fn is_tidy(value: &str) -> bool {
    let (mut quoted, mut bracketed, mut after_separator) = (false, false, false);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => drop(chars.next()),
            '"' => quoted = !quoted,
            _ if quoted => {}
            '<' => bracketed = true,
            '>' => bracketed = false,
            _ if bracketed => {}
            ';' | ',' if after_separator => return false,
            _ => {}
        }
        after_separator = match c {
            ';' | ',' => !quoted && !bracketed,
            ' ' | '\t' => after_separator,
            _ => false,
        };
    }
    !quoted
}

/// The long form of a header name, in lower case.
fn long_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "v" => "via".to_owned(),
        "f" => "from".to_owned(),
        "t" => "to".to_owned(),
        "i" => "call-id".to_owned(),
        "m" => "contact".to_owned(),
        "l" => "content-length".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:4001@127.0.0.1 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
        To: <sip:4001@h>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@h>\r\n\
        Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

    fn status(message: &str) -> String {
        match screen(message.as_bytes()) {
            Verdict::Answer(response) => response[8..11].to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_good_request_passes_untouched() {
        assert_eq!(screen(INVITE.as_bytes()), Verdict::Pass);
    }

    #[test]
    fn odd_but_legal_parties_pass() {
        for to in [r#""a \"quoted\" name" <sip:4001@h>"#, "<sip:odd;;user,,@h>;p=1", "sip:4001@h"] {
            let message = INVITE.replace("<sip:4001@h>", to);
            assert_eq!(screen(message.as_bytes()), Verdict::Pass, "{to}");
        }
    }

    #[test]
    fn folded_lines_are_joined() {
        let folded = INVITE.replace("Call-ID: c1", "Call-ID:\r\n  c1");
        let Verdict::Rewritten(message) = screen(folded.as_bytes()) else {
            panic!("not rewritten")
        };
        assert!(String::from_utf8(message).unwrap().contains("Call-ID: c1\r\n"));
    }

    #[test]
    fn space_around_the_tag_does_not_hide_it() {
        let spaced = INVITE.replace(";tag=1", " ; tag =  1");
        let Verdict::Rewritten(message) = screen(spaced.as_bytes()) else {
            panic!("not rewritten")
        };
        assert_eq!(String::from_utf8(message).unwrap(), INVITE);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (old, new, want) in [
            ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", "505"),
            ("INVITE", "DANCE", "501"),
            ("INVITE sip:4001@127.0.0.1", "INVITE http://127.0.0.1", "416"),
            ("INVITE sip:4001@127.0.0.1", "INVITE <sip:4001@127.0.0.1>", "400"),
            ("INVITE sip:4001@127.0.0.1", "INVITE sip:4001@127.0.0.1; lr", "400"),
            ("1 INVITE", "1 OPTIONS", "400"),
            (";tag=1", "", "400"),
            ("1 INVITE", "4294967296 INVITE", "400"),
            ("Call-ID: c1\r\n", "", "400"),
            ("Call-ID: c1\r\n", "Call-ID: c1\r\ni: c2\r\n", "400"),
            ("Content-Length: 0", "Content-Length: 9", "400"),
            ("Content-Length: 0", "Content-Length: -9", "400"),
            ("Content-Length: 0", "Content-Length: 0\r\nl: 0", "400"),
            ("To: <sip:4001@h>", "To: \"unfinished <sip:4001@h>", "400"),
            ("branch=z9hG4bK1", "branch=z9hG4bK1;;,;", "400"),
            ("INVITE sip:4001@127.0.0.1", "ODD sip:a?,/;;b@h", "400"), // CSeq says INVITE
        ] {
            assert_eq!(status(&INVITE.replace(old, new)), want, "{old} -> {new}");
        }
    }

    #[test]
    fn an_ack_is_never_answered() {
        let ack = INVITE.replace("INVITE", "ACK").replace("Call-ID: c1\r\n", "");
        assert_eq!(screen(ack.as_bytes()), Verdict::Drop);
    }

    #[test]
    fn a_refusal_goes_back_the_way_the_request_came_and_has_a_tag() {
        let Verdict::Answer(answer) = screen(INVITE.replace("INVITE", "DANCE").as_bytes()) else {
            panic!("not answered")
        };
        assert!(answer.contains("Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\n"), "{answer}");
        assert!(answer.contains("To: <sip:4001@h>;tag="), "{answer}");
        assert!(answer.contains("CSeq: 1 DANCE\r\n"), "{answer}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_get_a_verdict(bytes in proptest::collection::vec(0u8.., 0..400)) {
            let _ = screen(&bytes);
        }

        #[test]
        fn a_damaged_request_gets_a_verdict_and_never_grows(
            at in 0..INVITE.len(), with in "[ -~\r\n\t\"<>;,:]{0,12}", cut in 0..20usize
        ) {
            let end = (at + cut).min(INVITE.len());
            let damaged = format!("{}{with}{}", &INVITE[..at], &INVITE[end..]);
            if let Verdict::Rewritten(m) = screen(damaged.as_bytes()) {
                proptest::prop_assert!(m.len() <= damaged.len());
            }
        }
    }
}
