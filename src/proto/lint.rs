//! The rules of `buf lint` that this package keeps, and that everything has a comment.

use std::collections::BTreeMap;

use super::{Described, Field, Item, PACKAGE, Service, Shape};

/// What in the definitions is not named or documented as the rest is, a finding a line.
pub fn lint(described: &Described) -> Vec<String> {
    let mut found = Vec::new();
    let mut used: BTreeMap<&str, String> = BTreeMap::new();
    for service in &described.services {
        lint_service(service, &mut used, &mut found);
    }
    for item in &described.items {
        let kind = match item.shape {
            Shape::Message => "message",
            Shape::Enum => "enum",
        };
        let place = format!("{}: {kind} {}", item.file, item.name);
        named(&place, item.name.rsplit('.').next().unwrap_or_default(), pascal, &mut found);
        commented(&place, &item.comment, &mut found);
        in_folder(&place, &item.file, &mut found);
        for field in &item.fields {
            lint_field(&place, item, field, &mut found);
        }
        if let (Shape::Enum, Some(first)) = (item.shape, item.fields.first())
            && (first.number != 0 || !first.name.ends_with("_UNSPECIFIED"))
        {
            found.push(format!("{place}: its first value must be 0 and end in _UNSPECIFIED"));
        }
    }
    found
}

fn lint_service<'a>(
    service: &'a Service,
    used: &mut BTreeMap<&'a str, String>,
    found: &mut Vec<String>,
) {
    let place = format!("{}: service {}", service.file, service.name);
    named(&place, &service.name, pascal, found);
    commented(&place, &service.comment, found);
    for method in &service.methods {
        let place = format!("{}: rpc {}.{}", service.file, service.name, method.name);
        named(&place, &method.name, pascal, found);
        commented(&place, &method.comment, found);
        for (message, suffix) in [(&method.request, "Request"), (&method.response, "Response")] {
            let short = format!("{}{suffix}", method.name);
            let long = format!("{}{short}", service.name);
            if *message != short && *message != long {
                found.push(format!("{place}: `{message}` must be called {long}"));
            }
            if let Some(other) = used.insert(message, place.clone()) {
                found.push(format!("{place}: `{message}` is also that of {other}"));
            }
        }
    }
}

fn lint_field(place: &str, item: &Item, field: &Field, found: &mut Vec<String>) {
    let place = format!("{place}: {}", field.name);
    commented(&place, &field.comment, found);
    match item.shape {
        Shape::Message => named(&place, &field.name, snake, found),
        Shape::Enum => {
            let prefix = format!("{}_", upper_snake(&item.name));
            named(&place, &field.name, |name| snake(&name.to_lowercase()), found);
            if !field.name.starts_with(&prefix) || field.name != field.name.to_uppercase() {
                found.push(format!("{place}: must be in capitals and begin with {prefix}"));
            }
        }
    }
}

fn named(place: &str, name: &str, rule: impl Fn(&str) -> bool, found: &mut Vec<String>) {
    if !rule(name) {
        found.push(format!("{place}: `{name}` is not written like the others"));
    }
}

fn commented(place: &str, comment: &str, found: &mut Vec<String>) {
    if !comment.ends_with(['.', '…']) {
        found.push(format!("{place}: needs a comment that is a sentence"));
    }
}

fn in_folder(place: &str, file: &str, found: &mut Vec<String>) {
    if !file.starts_with(&PACKAGE.replace('.', "/")) {
        found.push(format!("{place}: is not in the folder of its package"));
    }
}

fn pascal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().filter(|c| *c != '.') {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(shape: Shape, name: &str, field: &str, comment: &str) -> Described {
        let field = Field {
            name: field.into(),
            number: 0,
            kind: "string".into(),
            one_of: None,
            comment: comment.into(),
        };
        let item = Item {
            file: "hotline/v1/a.proto".into(),
            name: name.into(),
            comment: "Something.".into(),
            shape,
            fields: vec![field],
        };
        Described { services: Vec::new(), items: vec![item] }
    }

    #[test]
    fn each_rule_finds_what_breaks_it() {
        for (described, told) in [
            (item(Shape::Message, "call", "id", "It."), "`call` is not written"),
            (item(Shape::Message, "Call", "callId", "It."), "`callId` is not written"),
            (item(Shape::Message, "Call", "id", ""), "needs a comment"),
            (item(Shape::Enum, "Role", "ROLE_ADMIN", "It."), "_UNSPECIFIED"),
            (item(Shape::Enum, "CallState", "STATE_UNSPECIFIED", "It."), "CALL_STATE_"),
        ] {
            let found = lint(&described);
            assert!(found.len() == 1 && found[0].contains(told), "{told}: {found:?}");
        }
        assert!(lint(&item(Shape::Message, "Call", "call_id", "It.")).is_empty());
    }
}
