//! The reference for people who write a client: `docs/api.md`.

use std::fmt::Write;

use super::{Described, Field, Item, PACKAGE, Service, Shape};

const HEAD: &str = "# gRPC reference

Made from `proto/hotline/v1` by `hotline api docs`; do not edit. How to begin, tokens, statuses and whole examples:
[integration.md](integration.md). What the API promises to keep: `proto/baseline.txt`.
";

/// A reference in Markdown: every service with its methods, every message with its fields.
pub fn reference(described: &Described) -> String {
    let mut out = HEAD.to_owned();
    put(&mut out, format_args!("\n## Services\n\n| service | methods |\n|---|---|\n"));
    for service in &described.services {
        let name = &service.name;
        let methods: Vec<&str> = service.methods.iter().map(|m| m.name.as_str()).collect();
        let methods = methods.join(", ");
        put(&mut out, format_args!("| [{name}](#{}) | {methods} |\n", anchor("service", name)));
    }
    for service in &described.services {
        write_service(&mut out, service);
    }
    put(&mut out, format_args!("\n## Messages and enums\n"));
    for item in &described.items {
        write_item(&mut out, item, described);
    }
    out
}

fn write_service(out: &mut String, service: &Service) {
    let Service { name, file, comment, methods } = service;
    put(out, format_args!("\n## service {name}\n\n{comment}\n\n`{PACKAGE}.{name}` in `{file}`\n"));
    for method in methods {
        let stream = |streams| if streams { "stream " } else { "" };
        let (asks, answers) = (stream(method.client_streams), stream(method.server_streams));
        let (request, response) = (&method.request, &method.response);
        put(out, format_args!("\n### {name}.{}\n\n", method.name));
        put(
            out,
            format_args!(
                "{asks}[{request}](#{}) → {answers}[{response}](#{})\n\n{}\n",
                anchor("message", request),
                anchor("message", response),
                method.comment
            ),
        );
    }
}

fn write_item(out: &mut String, item: &Item, described: &Described) {
    let Item { name, comment, fields, shape, .. } = item;
    let (word, head) = match shape {
        Shape::Message => ("message", "| no. | field | type | |\n|---|---|---|---|\n"),
        Shape::Enum => ("enum", "| no. | value | |\n|---|---|---|\n"),
    };
    put(out, format_args!("\n### {word} {name}\n\n{comment}\n"));
    if fields.is_empty() {
        return;
    }
    put(out, format_args!("\n{head}"));
    for field in fields {
        let Field { name, number, one_of, comment, .. } = field;
        let comment = comment.replace('|', "\\|");
        let of = one_of.as_ref().map(|of| format!(" (one of `{of}`)")).unwrap_or_default();
        match shape {
            Shape::Enum => put(out, format_args!("| {number} | `{name}` | {comment} |\n")),
            Shape::Message => {
                let kind = linked(&field.kind, described);
                put(out, format_args!("| {number} | `{name}` | {kind}{of} | {comment} |\n"));
            }
        }
    }
}

/// A type, with a link when it is one of ours.
fn linked(kind: &str, described: &Described) -> String {
    let (label, name) = kind.rsplit_once(' ').unwrap_or(("", kind));
    let Some(item) = described.items.iter().find(|item| item.name == name) else {
        return kind.replace('<', "\\<");
    };
    let word = match item.shape {
        Shape::Message => "message",
        Shape::Enum => "enum",
    };
    format!("{label} [{name}](#{})", anchor(word, name)).trim_start().to_owned()
}

/// What Markdown makes of the heading `word name`.
fn anchor(word: &str, name: &str) -> String {
    format!("{word}-{}", name.to_lowercase().replace('.', ""))
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = out.write_fmt(what);
}
