use std::fmt;

/// A number, address or SIP URI for a log line: its user part is masked, the host stays.
///
/// Numbers of seven characters or more keep their last three; shorter ones are masked wholly.
#[derive(Clone, Copy)]
pub struct Redacted<'a>(pub &'a str);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = match self.0.split_once(':') {
            Some((s, rest)) if s.len() <= 4 && s.chars().all(|c| c.is_ascii_alphabetic()) => {
                (Some(s), rest)
            }
            _ => (None, self.0),
        };
        if let Some(scheme) = scheme {
            write!(f, "{scheme}:")?;
        }
        match rest.rsplit_once('@') {
            Some((user, host)) => {
                mask(user, f)?;
                write!(f, "@{}", host.split(['?', ';']).next().unwrap_or(""))
            }
            None if scheme.is_some() && !is_number(rest) => {
                f.write_str(rest.split(['?', ';']).next().unwrap_or(""))
            }
            None => mask(rest, f),
        }
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a URI without `@` carries a number rather than a host (`tel:+86...`).
fn is_number(s: &str) -> bool {
    let digits = s.split([';', '?']).next().unwrap_or("");
    !digits.contains(['.', ':']) && digits.contains(|c: char| c.is_ascii_digit())
}

fn mask(user: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // A password or user parameters would only add to what must not be logged.
    let user = user.split([':', ';']).next().unwrap_or("");
    let n = user.chars().count();
    let keep = if n >= 7 { 3 } else { 0 };
    f.write_str(&"*".repeat(n - keep))?;
    user.chars().skip(n - keep).try_for_each(|c| write!(f, "{c}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(s: &str) -> String {
        Redacted(s).to_string()
    }

    #[test]
    fn a_number_keeps_its_last_three_digits_and_its_host() {
        assert_eq!(
            masked("sip:+8613812345678@pbx.example:5060"),
            "sip:***********678@pbx.example:5060"
        );
        assert_eq!(masked("tel:+8613812345678"), "tel:***********678");
        assert_eq!(masked("13812345678"), "********678");
    }

    #[test]
    fn short_extensions_are_masked_wholly() {
        assert_eq!(masked("sip:1001@10.0.0.1"), "sip:****@10.0.0.1");
    }

    #[test]
    fn passwords_and_parameters_are_left_out() {
        assert_eq!(masked("sip:alice:secret@h;user=phone?x=13812345678"), "sip:*****@h");
    }

    #[test]
    fn a_bare_host_stays_readable() {
        assert_eq!(masked("sip:pbx.example"), "sip:pbx.example");
        assert_eq!(masked("sip:10.0.0.1:5060"), "sip:10.0.0.1:5060");
    }

    proptest::proptest! {
        #[test]
        fn never_shows_more_than_three_digits_of_a_number(n in "[0-9]{7,15}") {
            let shown = masked(&format!("sip:{n}@host"));
            proptest::prop_assert!(shown.chars().filter(char::is_ascii_digit).count() == 3);
        }

        #[test]
        fn any_text_can_be_masked(s in ".{0,60}") {
            let _ = masked(&s);
        }
    }
}
