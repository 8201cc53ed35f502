//! The Reason header (RFC 3326): why a peer ended or refused a call.

use std::fmt;

use rsipstack::sip::Headers;
use serde::{Deserialize, Serialize};

/// Longest text that is kept of what a peer writes, in characters.
const LONGEST_TEXT: usize = 200;

/// What a peer's Reason headers say. At least one of the fields is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The cause of the telephone network (ITU-T Q.850), such as 16, normal call clearing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q850: Option<u16>,
    /// A SIP status code, such as 200, call completed elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip: Option<u16>,
    /// The words that go with the first of them that has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Reason {
    /// Reads the value of a Reason header, which may list several reasons. Of two with the same
    /// protocol the first counts; protocols other than `SIP` and `Q.850` are passed over. `None`
    /// when nothing is left.
    pub fn parse(value: &str) -> Option<Self> {
        let mut reason = Self::default();
        for listed in split(value, ',') {
            let mut parts = split(listed, ';').map(str::trim);
            let protocol = parts.next().unwrap_or("");
            let slot = match protocol.to_ascii_uppercase().as_str() {
                "Q.850" => &mut reason.q850,
                "SIP" => &mut reason.sip,
                _ => continue,
            };
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                let value = value.trim();
                match name.trim().to_ascii_lowercase().as_str() {
                    "cause" => *slot = slot.or(value.parse().ok()),
                    "text" if reason.text.is_none() => reason.text = text(value),
                    _ => {}
                }
            }
        }
        (reason != Self::default()).then_some(reason)
    }

    /// Reads all Reason headers of a message.
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        let values = headers.iter().filter(|h| h.name().eq_ignore_ascii_case("Reason"));
        let values: Vec<&str> = values.map(|h| h.value()).collect();
        Self::parse(&values.join(","))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = [("Q.850", self.q850), ("SIP", self.sip)];
        let causes = causes.iter().filter_map(|(name, cause)| cause.map(|c| format!("{name} {c}")));
        let parts: Vec<String> = causes.chain(self.text.clone()).collect();
        f.write_str(&parts.join(", "))
    }
}

/// Splits at `separator` where it is not inside of quotes.
fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |c| {
        let literal = escaped;
        escaped = quoted && !literal && c == '\\';
        quoted ^= c == '"' && !literal;
        c == separator && !quoted
    })
}

/// A token or the inside of a quoted string, without what would not print; `None` when empty.
fn text(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"').map(|v| v.strip_suffix('"').unwrap_or(v));
    let mut kept = String::new();
    let mut chars = inner.unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' && inner.is_some() { chars.next().unwrap_or(' ') } else { c };
        kept.push(if c.is_control() { ' ' } else { c });
    }
    let kept: String = kept.trim().chars().take(LONGEST_TEXT).collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(q850: Option<u16>, sip: Option<u16>, text: Option<&str>) -> Option<Reason> {
        Some(Reason { q850, sip, text: text.map(str::to_owned) })
    }

    #[test]
    fn what_pbxs_send_is_read() {
        for (value, want) in [
            (
                r#"Q.850;cause=16;text="Normal call clearing""#,
                reason(Some(16), None, Some("Normal call clearing")),
            ),
            (
                r#"SIP;cause=200;text="Call completed elsewhere""#,
                reason(None, Some(200), Some("Call completed elsewhere")),
            ),
            ("Q.850;cause=34", reason(Some(34), None, None)),
            ("q.850 ; Cause = 17", reason(Some(17), None, None)),
            (
                r#"SIP;cause=486;text="Busy, really; \"now\"", Q.850;cause=17"#,
                reason(Some(17), Some(486), Some(r#"Busy, really; "now""#)),
            ),
            ("Q.850;cause=16,Q.850;cause=31", reason(Some(16), None, None)),
            ("Q.850;text=normal", reason(None, None, Some("normal"))),
        ] {
            assert_eq!(Reason::parse(value), want, "{value}");
        }
    }

    #[test]
    fn what_says_nothing_is_nothing() {
        for value in ["", "Q.850", "X.25;cause=3", "Q.850;cause=many", r#"SIP;text="""#, ";,;="] {
            assert_eq!(Reason::parse(value), None, "{value}");
        }
    }

    #[test]
    fn it_shows_causes_before_words() {
        let both = Reason::parse(r#"SIP;cause=486;text="Busy", Q.850;cause=17"#).unwrap();
        assert_eq!(both.to_string(), "Q.850 17, SIP 486, Busy");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(value in "\\PC{0,80}") {
            let _ = Reason::parse(&value);
        }

        #[test]
        fn what_is_written_properly_is_read_back(
            cause in 1..200u16, words in "[a-zA-Z,;= ]{0,30}[a-z]", quotes in "[\"\\\\]{0,3}"
        ) {
            let words = format!("{quotes}{}", words.trim());
            let escaped = words.replace('\\', "\\\\").replace('"', "\\\"");
            let read = Reason::parse(&format!("Q.850;cause={cause};text=\"{escaped}\""));
            proptest::prop_assert_eq!(read, reason(Some(cause), None, Some(&words)));
        }
    }
}
