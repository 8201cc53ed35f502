//! What clients rely on, line by line, and what in a later version of it would break them.

use std::{collections::BTreeMap, fmt::Write};

use super::{Described, Shape};

/// Everything that clients rely on, a line each: methods with their messages, fields and values with their numbers.
pub fn surface(described: &Described) -> String {
    let mut text = String::new();
    let mut line = |key: String, what: String| {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{key} = {what}");
    };
    for service in &described.services {
        for method in &service.methods {
            let stream = |streams| if streams { "stream " } else { "" };
            line(
                format!("rpc {}.{}", service.name, method.name),
                format!(
                    "{}{} -> {}{}",
                    stream(method.client_streams),
                    method.request,
                    stream(method.server_streams),
                    method.response
                ),
            );
        }
    }
    for item in &described.items {
        let word = match item.shape {
            Shape::Message => "field",
            Shape::Enum => "value",
        };
        for field in &item.fields {
            let one_of = field.one_of.as_ref().map(|one_of| format!(" of {one_of}"));
            let what = format!("{} {}{}", field.kind, field.name, one_of.unwrap_or_default());
            line(format!("{word} {}.{}", item.name, field.number), what.trim().to_owned());
        }
    }
    text
}

/// What of `before`, a [`surface`], `now` does not keep: an empty list when clients of `before` go on working.
pub fn breaking(before: &str, now: &str) -> Vec<String> {
    let now: BTreeMap<&str, &str> = entries(now).collect();
    let changes = entries(before).filter_map(|(key, was)| match now.get(key) {
        None => Some(format!(
            "{key} = {was}: is gone. Clients still use it: leave it, mark it `deprecated = true`, or make a new package version"
        )),
        Some(is) if *is != was => Some(format!(
            "{key}: was `{was}`, is `{is}`. Names, types and numbers stay: add a field with a new number instead"
        )),
        Some(_) => None,
    });
    changes.collect()
}

fn entries(surface: &str) -> impl Iterator<Item = (&str, &str)> {
    surface.lines().filter_map(|line| line.split_once(" = "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "rpc Calls.Get = GetRequest -> GetResponse\nfield Call.1 = string call_id\nvalue Role.1 = ROLE_OPERATOR\n";

    #[test]
    fn additions_break_nothing() {
        let now = format!("{BEFORE}field Call.2 = string caller\nrpc Calls.List = A -> B\n");
        assert_eq!(breaking(BEFORE, &now), Vec::<String>::new());
    }

    #[test]
    fn what_is_removed_renamed_renumbered_or_retyped_is_told() {
        for (from, to, told) in [
            ("field Call.1 = string call_id\n", "", "field Call.1 = string call_id: is gone"),
            ("string call_id", "string id", "was `string call_id`, is `string id`"),
            ("string call_id", "bytes call_id", "is `bytes call_id`"),
            ("Call.1", "Call.7", "field Call.1 = string call_id: is gone"),
            ("-> GetResponse", "-> stream GetResponse", "is `GetRequest -> stream GetResponse`"),
            ("ROLE_OPERATOR", "ROLE_AGENT", "value Role.1: was `ROLE_OPERATOR`"),
        ] {
            let found = breaking(BEFORE, &BEFORE.replace(from, to));
            assert!(found.len() == 1 && found[0].contains(told), "{from} to {to}: {found:?}");
        }
    }
}
