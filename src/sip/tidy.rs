//! White space that RFC 3261 allows around separators (its torture test RFC 4475, section 3.1.1.1)
//! and that the stack stumbles over.

use std::borrow::Cow;

/// The head of a message with its From, To and Via headers [`tidy`]; `None` when they are.
pub(super) fn head(head: &str) -> Option<String> {
    const NAMES: [&str; 6] = ["from", "f", "to", "t", "via", "v"];
    let tidied = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let wanted = NAMES.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
        Some(format!("{name}:{}", tidy(value).filter(|_| wanted)?))
    };
    let mut changed = false;
    let lines: Vec<Cow<'_, str>> = head
        .split("\r\n")
        .map(|line| match tidied(line) {
            Some(line) => {
                changed = true;
                Cow::Owned(line)
            }
            None => Cow::Borrowed(line),
        })
        .collect();
    changed.then(|| lines.join("\r\n"))
}

/// The value of a From, To or Via header without white space around `;` and `=`, outside of
/// quotes and angle brackets; `None` when there is none. Never longer.
fn tidy(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let (mut quoted, mut bracketed) = (false, false);
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ';' | '=' if !quoted && !bracketed => {
                out.truncate(out.trim_end_matches([' ', '\t']).len());
                while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
            }
            _ => {}
        }
        out.push(c);
    }
    (out.len() < value.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_joined_to_their_values() {
        assert_eq!(tidy("sip:a@h ;   tag\t = 1918 ; x").as_deref(), Some("sip:a@h;tag=1918;x"));
    }

    #[test]
    fn only_parties_and_ways_are_touched() {
        let given =
            "INVITE sip:a ; b SIP/2.0\r\nf : <sip:a@h> ; tag = 1\r\nSubject: x ; y\r\nVia: z";
        let want = "INVITE sip:a ; b SIP/2.0\r\nf : <sip:a@h>;tag=1\r\nSubject: x ; y\r\nVia: z";
        assert_eq!(head(given).as_deref(), Some(want));
        assert_eq!(head(want), None);
    }

    #[test]
    fn names_and_addresses_keep_their_space() {
        for value in [r#""a ; b = \" ; c" <sip:a ; b@h>;tag=1"#, "A  B <sip:a@h>", "sip:a@h"] {
            assert_eq!(tidy(value), None, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn once_is_enough(value in "[a-z\"<>;= \t\\\\]{0,40}") {
            if let Some(tidied) = tidy(&value) {
                proptest::prop_assert_eq!(tidy(&tidied), None);
            }
        }
    }
}
