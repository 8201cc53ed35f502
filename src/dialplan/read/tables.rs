use std::collections::BTreeMap;

use super::fields::{Fields, Report};
use crate::dialplan::{
    DialplanSource,
    error::{At, Findings, did_you_mean},
    model::Table,
    yaml::Yaml,
};

/// Reads `tables:`: each has a `key` column and a `file` in CSV or `rows` in place. One with errors
/// has no content.
pub(super) fn read(
    report: &Report,
    yaml: &Yaml,
    source: &DialplanSource,
) -> BTreeMap<String, (Option<Table>, At)> {
    let mut tables = BTreeMap::new();
    for (name, yaml) in report.map(yaml, "`tables`") {
        if name.name == "call" {
            report.error(
                name.at,
                "a table cannot be named `call`",
                "`call` is for what is known about the call: choose another name",
            );
            continue;
        }
        let fields = Fields::new(report, yaml, format!("table `{}`", name.name));
        let content = match (fields.get("file"), fields.get("rows")) {
            (Some(file), None) => from_file(report, file, source),
            (None, Some(rows)) => Some(from_rows(report, rows)),
            _ => {
                report.error(
                    name.at,
                    format!("table `{}` needs either `file` or `rows`", name.name),
                    "write `file: NAME.csv`, or `rows:` and a list of maps",
                );
                None
            }
        };
        let key = fields.require("key", "name the column that `lookup` searches: `key: COLUMN`");
        let table = content.zip(key).and_then(|((columns, rows), key)| {
            let key = key_column(report, key, &columns, &rows)?;
            Some(Table { columns, key, rows })
        });
        tables.insert(name.name.clone(), (table, name.at));
        fields.finish();
    }
    tables
}

type Content = (Vec<String>, Vec<Vec<String>>);

fn from_file(report: &Report, file: &Yaml, source: &DialplanSource) -> Option<Content> {
    let name = report.text(file, "a table's `file`")?;
    let Some(text) = source.tables.get(name) else {
        let unknown = || format!("the text of the table file `{name}` is not there");
        let problem = source.unreadable.get(name).cloned().unwrap_or_else(unknown);
        report.error(file.at, problem, "put the table file beside the dialplan");
        return None;
    };
    let mut findings = Findings::new(source.table_path(name));
    let content = from_csv(text, &mut findings);
    report.append(findings);
    content
}

/// CSV (RFC 4180) with a header line.
fn from_csv(text: &str, findings: &mut Findings) -> Option<Content> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(header) if !header.is_empty() => header.iter().map(str::to_owned).collect(),
        _ => {
            findings.error(At::TOP, "the table has no header line", "name the columns in line 1");
            return None;
        }
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => rows.push(record.iter().map(str::to_owned).collect()),
            Err(e) => {
                let line = e.position().map_or(1, |p| p.line() as usize).max(1);
                let remedy =
                    "give every row as many fields as the header; quote fields with commas";
                findings.error(At { line, ..At::TOP }, format!("CSV: {e}"), remedy);
            }
        }
    }
    Some((columns, rows))
}

/// A list of maps; the first one names the columns.
fn from_rows(report: &Report, yaml: &Yaml) -> Content {
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for item in report.list(yaml, "a table's `rows`") {
        let entries = report.map(item, "a row");
        if columns.is_empty() {
            columns = entries.iter().map(|(key, _)| key.name.clone()).collect();
        }
        let mut row = vec![String::new(); columns.len()];
        for (key, value) in entries {
            match columns.iter().position(|c| *c == key.name) {
                Some(column) => {
                    row[column] = report.text(value, "a field").unwrap_or_default().to_owned();
                }
                None => report.error(
                    key.at,
                    format!("the first row has no `{}`", key.name),
                    did_you_mean(&key.name, columns.iter().map(String::as_str)),
                ),
            }
        }
        rows.push(row);
    }
    (columns, rows)
}

fn key_column(
    report: &Report,
    yaml: &Yaml,
    columns: &[String],
    rows: &[Vec<String>],
) -> Option<usize> {
    let name = report.text(yaml, "a table's `key`")?;
    let Some(key) = columns.iter().position(|c| c == name) else {
        let remedy = did_you_mean(name, columns.iter().map(String::as_str));
        report.error(yaml.at, format!("no column `{name}`"), remedy);
        return None;
    };
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        if !seen.insert(&row[key]) {
            report.warn(
                yaml.at,
                format!("more than one row has `{}` in `{name}`", row[key]),
                "only the first of them will be found: make the key unique",
            );
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_row_that_is_too_short_is_reported_with_its_line() {
        let mut findings = Findings::new("t.csv");
        let content = from_csv("a,b\n1,2\n3\n", &mut findings);
        assert_eq!(content.expect("rows so far").1.len(), 1);
        assert!(findings.into_sorted()[0].to_string().starts_with("t.csv:3:1: error: CSV"));
    }

    #[test]
    fn a_byte_order_mark_from_a_spreadsheet_is_not_part_of_the_first_column() {
        let mut findings = Findings::new("t.csv");
        let (columns, rows) = from_csv("\u{feff}a,b\n1, 2 \n", &mut findings).expect("reads");
        assert_eq!(columns, ["a", "b"]);
        assert_eq!(rows, [["1", "2"]]);
    }
}
