//! Reading requests: what is wrong with a field is told by its name.

use prost_types::Timestamp;
use time::OffsetDateTime;
use tonic::Status;

/// INVALID_ARGUMENT that names the field.
pub(super) fn wrong(field: &str, problem: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("{field}: {problem}"))
}

/// A text that must be there, at most `most` characters long.
pub(super) fn text<'a>(field: &str, value: &'a str, most: usize) -> Result<&'a str, Status> {
    if value.trim().is_empty() {
        return Err(wrong(field, "is needed"));
    }
    at_most(field, value, most)
}

/// A text that may be empty, at most `most` characters long.
pub(super) fn at_most<'a>(field: &str, value: &'a str, most: usize) -> Result<&'a str, Status> {
    let length = value.chars().count();
    if length > most {
        return Err(wrong(field, format_args!("has {length} characters, at most {most} may be")));
    }
    if let Some(control) = value.chars().find(|c| c.is_control() && !"\n\r\t".contains(*c)) {
        return Err(wrong(field, format_args!("has the control character {control:?}")));
    }
    Ok(value)
}

/// The id of a call.
pub(super) fn call_id(value: &str) -> Result<&str, Status> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match text("call_id", value, 64)? {
        id if id.bytes().all(good) => Ok(id),
        _ => Err(wrong("call_id", "has letters, digits and hyphens only")),
    }
}

/// A name that dialplans, outcomes and slots may have.
pub(super) fn name<'a>(field: &str, value: &'a str) -> Result<&'a str, Status> {
    let name = text(field, value, 64)?;
    let good = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    match name.chars().all(good) {
        true => Ok(name),
        false => Err(wrong(field, "has letters, digits, `_`, `-` and `.` only")),
    }
}

/// How many entries a page has.
pub(super) fn page_size(asked: u32, usual: u32, most: u32) -> Result<u32, Status> {
    match asked {
        0 => Ok(usual),
        n if n <= most => Ok(n),
        n => Err(wrong("page_size", format_args!("is {n}, at most {most} may be asked for"))),
    }
}

/// Where a page begins; the first one at 0.
pub(super) fn page_offset(token: &str) -> Result<u64, Status> {
    match token {
        "" => Ok(0),
        token => token.parse().map_err(|_| {
            wrong("page_token", "is not the next_page_token of a page before, unchanged")
        }),
    }
}

/// A moment that may be left out.
pub(super) fn moment(
    field: &str,
    value: Option<Timestamp>,
) -> Result<Option<OffsetDateTime>, Status> {
    value.map(|value| from_timestamp(field, value)).transpose()
}

fn from_timestamp(field: &str, value: Timestamp) -> Result<OffsetDateTime, Status> {
    let nanos = i128::from(value.seconds) * 1_000_000_000 + i128::from(value.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .map_err(|_| wrong(field, "is beyond the years that there are"))
}

/// A moment for an answer.
pub(super) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: at.unix_timestamp(), nanos: at.nanosecond().try_into().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_field_is_named() {
        for (result, told) in [
            (text("text", " ", 10).map(drop), "text: is needed"),
            (text("text", "long words", 4).map(drop), "text: has 10 characters, at most 4"),
            (text("text", "a\u{7}", 4).map(drop), "text: has the control character"),
            (call_id("../x").map(drop), "call_id: has letters"),
            (name("disposition", "a b").map(drop), "disposition: has letters"),
            (page_size(501, 50, 500).map(drop), "page_size: is 501"),
            (page_offset("x").map(drop), "page_token: "),
            (
                moment("started_from", Some(Timestamp { seconds: i64::MAX, nanos: 0 })).map(drop),
                "started_from: is beyond",
            ),
        ] {
            let status = result.unwrap_err();
            assert!(status.message().starts_with(told), "{told}: {}", status.message());
        }
    }

    #[test]
    fn moments_come_through_to_the_nanosecond() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_795_831_372_123_456_789).unwrap();
        assert_eq!(moment("at", Some(timestamp(at))).unwrap(), Some(at));
    }
}
