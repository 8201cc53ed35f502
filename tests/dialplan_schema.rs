//! The JSON Schema that editors complete dialplans by knows what the reader knows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("dialplans/schema.json")).unwrap())
        .unwrap()
}

/// Calls `see` with every object in `value`.
fn walk<'v>(value: &'v Value, see: &mut impl FnMut(&'v serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            see(map);
            map.values().for_each(|value| walk(value, see));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

/// The names of fields that the reader asks for, from its source.
fn fields_of_the_reader() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root().join("src/dialplan/read")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for asked in
            ["fields.get(\"", "fields.require(\"", "fields.text(\"", "required_node(fields, \""]
        {
            for rest in source.split(asked).skip(1) {
                names.insert(rest.split('"').next().unwrap().to_owned());
            }
        }
    }
    names
}

#[test]
fn every_field_that_the_reader_knows_is_in_the_schema() {
    let schema = schema();
    let mut known = BTreeSet::new();
    walk(&schema, &mut |map| {
        if let Some(Value::Object(properties)) = map.get("properties") {
            known.extend(properties.keys().cloned());
        }
    });
    let fields = fields_of_the_reader();
    assert!(fields.len() > 40, "{fields:?}");
    let missing: Vec<_> = fields.difference(&known).collect();
    assert!(missing.is_empty(), "not in dialplans/schema.json: {missing:?}");
}

#[test]
fn every_reference_in_the_schema_leads_somewhere() {
    let schema = schema();
    let mut seen = 0;
    walk(&schema, &mut |map| {
        if let Some(Value::String(to)) = map.get("$ref") {
            seen += 1;
            assert!(schema.pointer(to.trim_start_matches('#')).is_some(), "{to}");
        }
    });
    assert!(seen > 50, "{seen}");
}

#[test]
fn the_dialplans_name_the_schema() {
    for name in ["utility-en.yaml", "fund-zh.yaml"] {
        let text = fs::read_to_string(root().join("dialplans").join(name)).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=schema.json\n"), "{name}");
    }
}
