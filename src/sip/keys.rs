use std::time::Duration;

/// Reads a key from the body of a SIP INFO: `application/dtmf-relay` (`Signal=` and `Duration=`
/// lines) or `application/dtmf` (the key alone). `None` for other types and for things that are
/// not keys, such as a hook flash.
pub(super) fn parse_info(content_type: &str, body: &str) -> Option<(char, Option<Duration>)> {
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if media_type.eq_ignore_ascii_case("application/dtmf-relay") {
        let signal = field(body, "signal")?;
        let duration = field(body, "duration").and_then(|ms| ms.parse::<u16>().ok());
        Some((key(signal)?, duration.map(|ms| Duration::from_millis(ms.into()))))
    } else if media_type.eq_ignore_ascii_case("application/dtmf") {
        // Some senders put the relay format under this type.
        Some((key(field(body, "signal").unwrap_or(body.trim()))?, None))
    } else {
        None
    }
}

fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    body.lines().find_map(|line| {
        let (k, v) = line.split_once('=')?;
        k.trim().eq_ignore_ascii_case(name).then_some(v.trim())
    })
}

/// A key by itself, or by its event number (RFC 4733 table 3: 10 is `*`, 11 is `#`).
fn key(signal: &str) -> Option<char> {
    match signal {
        "10" => Some('*'),
        "11" => Some('#'),
        "12" => Some('A'),
        "13" => Some('B'),
        "14" => Some('C'),
        "15" => Some('D'),
        _ => {
            let mut chars = signal.chars();
            let c = chars.next()?.to_ascii_uppercase();
            (chars.next().is_none() && "0123456789*#ABCD".contains(c)).then_some(c)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dtmf_relay_gives_key_and_duration() {
        let got = parse_info("application/dtmf-relay", "Signal= 5\r\nDuration= 160\r\n");
        assert_eq!(got, Some(('5', Some(Duration::from_millis(160)))));
    }

    #[test]
    fn plain_dtmf_is_the_key_alone() {
        assert_eq!(parse_info("Application/DTMF; charset=utf-8", "#\r\n"), Some(('#', None)));
    }

    #[test]
    fn event_numbers_name_star_and_pound() {
        assert_eq!(parse_info("application/dtmf-relay", "Signal=10"), Some(('*', None)));
        assert_eq!(parse_info("application/dtmf-relay", "signal=11"), Some(('#', None)));
    }

    #[test]
    fn a_hook_flash_is_not_a_key() {
        assert_eq!(parse_info("application/dtmf-relay", "Signal=16\r\nDuration=100"), None);
        assert_eq!(parse_info("application/hook-flash", "1"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_body_gives_a_key_or_nothing(ct in ".{0,30}", body in "(.|\r|\n|=){0,80}") {
            for ct in [ct.as_str(), "application/dtmf", "application/dtmf-relay"] {
                if let Some((key, _)) = parse_info(ct, &body) {
                    proptest::prop_assert!("0123456789*#ABCD".contains(key));
                }
            }
        }
    }
}
