//! Call transfer in messages: Refer-To (RFC 3515), Replaces (RFC 3891), message/sipfrag (RFC 3420).

use std::fmt;

use rsipstack::dialog::invite_dialog::InviteDialog;

use super::Redacted;

/// Where to send the peer by REFER (RFC 3515).
#[derive(Clone)]
pub struct Referral {
    /// Whom the peer shall call: a SIP URI.
    pub to: String,
    /// The call whose place the peer shall take there: attended transfer.
    pub replaces: Option<Replaces>,
    /// Further headers of the REFER, such as Referred-By (RFC 3892).
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for Referral {
    /// Masks whom: numbers are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Referral")
            .field("to", &format_args!("{}", Redacted(&self.to)))
            .field("replaces", &self.replaces)
            .finish_non_exhaustive()
    }
}

/// What came of a [`Referral`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferProgress {
    /// The peer's new call is at this provisional status, 100..=199.
    Trying(u16),
    /// The peer's new call came to this final status, 200..=699. Last word.
    Done(u16),
    /// The peer refused to be referred, with this status. Last word.
    Refused(u16),
    /// The peer agreed, and will not or did not say what came of it. Last word.
    Unknown,
}

/// Names a call that is to be replaced (RFC 3891), as seen from the side that is asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: String,
    /// The asked side's tag.
    pub to_tag: String,
    /// The other side's tag.
    pub from_tag: String,
    /// Only while the call is not answered.
    pub early_only: bool,
}

/// A dialog that can be named to others.
pub(super) struct Named(pub(super) InviteDialog);

impl Named {
    /// The dialog as its peer knows it; `None` before there is one.
    pub(super) fn for_peer(&self) -> Option<Replaces> {
        let id = self.0.id();
        let known = !id.remote_tag.is_empty();
        known.then_some(Replaces {
            call_id: id.call_id,
            to_tag: id.remote_tag,
            from_tag: id.local_tag,
            early_only: false,
        })
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Named").field(&self.0.id()).finish()
    }
}

impl Replaces {
    /// Reads a Replaces header's value; `None` when it is not one.
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let call_id = parts.next().filter(|id| is_word(id))?.to_owned();
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let tag = || Some(value.trim().to_owned()).filter(|tag| is_word(tag));
            match name.trim().to_ascii_lowercase().as_str() {
                "to-tag" if to_tag.is_none() => to_tag = Some(tag()?),
                "from-tag" if from_tag.is_none() => from_tag = Some(tag()?),
                "to-tag" | "from-tag" => return None,
                "early-only" => early_only = true,
                _ => {}
            }
        }
        Some(Self { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, to_tag, from_tag, early_only } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        if *early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

impl Referral {
    /// Sends the peer to `to`.
    pub fn to(to: &str) -> Self {
        Self { to: to.to_owned(), replaces: None, headers: Vec::new() }
    }

    /// The Refer-To header's value.
    pub(super) fn refer_to(&self) -> String {
        match &self.replaces {
            None => format!("<{}>", self.to),
            Some(replaces) => format!("<{}?Replaces={}>", self.to, escape(&replaces.to_string())),
        }
    }

    /// Reads a Refer-To header's value; `None` when it has no SIP URI or an unusable Replaces.
    pub fn parse(value: &str) -> Option<Self> {
        let uri = match value.split_once('<') {
            Some((_, rest)) => rest.split_once('>')?.0,
            // Without brackets, what follows a semicolon belongs to the header.
            None => value.split(';').next()?,
        };
        let (to, headers) = uri.trim().split_once('?').unwrap_or((uri.trim(), ""));
        let scheme = to.split_once(':')?.0;
        if !["sip", "sips"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) || !is_word(to) {
            return None;
        }
        let mut referral = Self::to(to);
        for (name, value) in headers.split('&').filter_map(|header| header.split_once('=')) {
            if name.eq_ignore_ascii_case("Replaces") {
                referral.replaces = Some(Replaces::parse(&unescape(value)?)?);
            }
        }
        Some(referral)
    }
}

/// The status code that a message/sipfrag body reports; `None` when it is no status line.
pub(super) fn sipfrag_status(body: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(body);
    let mut words = text.lines().next()?.split_ascii_whitespace();
    let version = words.next()?;
    let code = words.next()?.parse().ok()?;
    (version.eq_ignore_ascii_case("SIP/2.0") && (100..700).contains(&code)).then_some(code)
}

/// Not empty, and nothing in it that would end a header or its value.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"'))
}

/// Escapes a value for the headers of a URI (RFC 3261 section 19.1.1).
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(value: &str) -> Option<String> {
    let mut bytes = value.bytes();
    let mut out = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn replaces() -> Replaces {
        Replaces {
            call_id: "a84b4c76e66710@192.0.2.3".into(),
            to_tag: "7743".into(),
            from_tag: "a6c85cf".into(),
            early_only: false,
        }
    }

    #[test]
    fn a_call_to_be_replaced_is_read_as_it_is_written() {
        let parsed = Replaces::parse("a84b4c76e66710@192.0.2.3;from-tag=a6c85cf; to-tag=7743");
        assert_eq!(parsed, Some(replaces()));
        assert_eq!(Replaces::parse(&replaces().to_string()), Some(replaces()));
        let early = Replaces { early_only: true, ..replaces() };
        assert_eq!(Replaces::parse(&early.to_string()), Some(early));
    }

    #[test]
    fn both_tags_are_needed_and_each_once() {
        for bad in
            ["", "id", "id;to-tag=1", "id;from-tag=1;to-tag=", "id;to-tag=1;to-tag=1;from-tag=2"]
        {
            assert_eq!(Replaces::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_attended_referral_escapes_its_replaces() {
        let referral =
            Referral { replaces: Some(replaces()), ..Referral::to("sip:bob@example.com") };
        let value = referral.refer_to();
        assert_eq!(
            value,
            "<sip:bob@example.com?Replaces=a84b4c76e66710%40192.0.2.3%3Bto-tag%3D7743%3Bfrom-tag%3Da6c85cf>"
        );
        let parsed = Referral::parse(&format!("\"Bob\" {value};x=y")).unwrap();
        assert_eq!(
            (parsed.to.as_str(), parsed.replaces),
            ("sip:bob@example.com", Some(replaces()))
        );
    }

    #[test]
    fn a_refer_to_without_a_sip_uri_is_none() {
        for bad in
            ["", "bob", "<tel:+4912345>", "<sip:bob", "<sip:b ob@x>", "<sip:b@x?Replaces=%G0>"]
        {
            assert!(Referral::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_fragment_reports_its_status() {
        assert_eq!(sipfrag_status(b"SIP/2.0 486 Busy Here\r\nContact: <sip:x>\r\n"), Some(486));
        assert_eq!(sipfrag_status(b"SIP/2.0 100"), Some(100));
        for bad in
            [&b""[..], b"INVITE sip:x SIP/2.0", b"SIP/2.0 99 x", b"SIP/2.0 abc", &[0xFF, 0xFE]]
        {
            assert_eq!(sipfrag_status(bad), None);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_breaks_a_parser(text in ".{0,200}", bytes: Vec<u8>) {
            let _ = (Replaces::parse(&text), Referral::parse(&text), sipfrag_status(&bytes));
        }

        #[test]
        fn what_is_escaped_is_read_back(text in "\\PC{0,60}") {
            prop_assert_eq!(unescape(&escape(&text)), Some(text));
        }
    }
}
