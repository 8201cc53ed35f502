//! Tables of texts with labels: CSV or tab-separated with a header line, or JSON lines.

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow, bail, ensure};

/// A column that a table may or must have.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What it may be called; the first is what messages say.
    pub names: &'static [&'static str],
    /// Whether a table without it is refused, and a row with nothing in it.
    pub required: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// Its cells in the order of the columns asked for; empty where the table has none.
    pub cells: Vec<String>,
}

/// Reads the table at `path`. Files that end in `.jsonl` or `.json`, or begin with a brace, have an
/// object a line; others a header line, with tabs between the columns if it has any, else commas.
///
/// # Errors
/// When it cannot be read, is no such table, lacks a required column or cell, or has no rows; the
/// message names file, line and remedy.
pub fn read(path: &Path, columns: &[Column]) -> Result<Vec<Row>> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("cannot read {}: give a CSV or JSON lines file in UTF-8", path.display())
    })?;
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let json = matches!(ending, "jsonl" | "ndjson" | "json") || text.trim_start().starts_with('{');
    let rows = if json { from_json(&text, columns) } else { from_csv(&text, columns) };
    rows.map_err(|error| anyhow!("{}:{error}", path.display()))
}

/// An error in a line: `LINE: what: remedy`, to which [`read`] adds the file.
fn at<T>(line: usize, what: impl std::fmt::Display) -> Result<T> {
    bail!("{line}: {what}")
}

fn from_csv(text: &str, columns: &[Column]) -> Result<Vec<Row>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tabs = text.lines().next().is_some_and(|header| header.contains('\t'));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        // In tab-separated files a quote is a quote.
        .quoting(!tabs)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| anyhow!("1: {e}"))?.clone();
    let mut places = Vec::new();
    for column in columns {
        let place = header.iter().position(|name| {
            column.names.iter().any(|wanted| name.trim().eq_ignore_ascii_case(wanted))
        });
        if place.is_none() && column.required {
            let (names, found) = (column.names.join("` or `"), header.iter().collect::<Vec<_>>());
            return at(
                1,
                format!("no column `{names}`: name it in the header line, which is {found:?}"),
            );
        }
        places.push(place);
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let line = e.position().map_or(1, csv::Position::line) as usize;
                let remedy = "give every row as many fields as the header; quote those with commas";
                return at(line, format!("{e}: {remedy}"));
            }
        };
        let line = record.position().map_or(1, |position| line_of(text, position));
        let cell = |place: &Option<usize>| {
            place.and_then(|place| record.get(place)).unwrap_or_default().to_owned()
        };
        rows.push(complete(line, places.iter().map(cell).collect(), columns)?);
    }
    ensure!(!rows.is_empty(), "1: the table has no rows: add one below the header line");
    Ok(rows)
}

/// Where a record begins; its position is before the empty lines that stand above it.
fn line_of(text: &str, position: &csv::Position) -> usize {
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() as usize + empty.filter(|byte| **byte == b'\n').count()
}

fn from_json(text: &str, columns: &[Column]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (line, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line = line + 1;
        let object: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(text) {
            Ok(object) => object,
            Err(e) => {
                let remedy = "write a line as {\"text\": \"…\", \"intent\": \"…\"}";
                return at(line, format!("not a JSON object: {e}: {remedy}"));
            }
        };
        let cell = |column: &Column| {
            let value = column.names.iter().find_map(|name| object.get(*name));
            match value {
                Some(serde_json::Value::String(text)) => text.trim().to_owned(),
                None | Some(serde_json::Value::Null) => String::new(),
                Some(other) => other.to_string(),
            }
        };
        rows.push(complete(line, columns.iter().map(cell).collect(), columns)?);
    }
    ensure!(!rows.is_empty(), "1: the file has no rows: write an object a line");
    Ok(rows)
}

/// The row, unless a required cell is empty.
fn complete(line: usize, cells: Vec<String>, columns: &[Column]) -> Result<Row> {
    for (cell, column) in cells.iter().zip(columns) {
        if cell.is_empty() && column.required {
            return at(
                line,
                format!("nothing in `{}`: fill it or take the row out", column.names[0]),
            );
        }
    }
    Ok(Row { line, cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { names: &["text", "utterance"], required: true },
        Column { names: &["intent", "category"], required: true },
        Column { names: &["note"], required: false },
    ];

    fn row(line: usize, text: &str, intent: &str) -> Row {
        Row { line, cells: vec![text.into(), intent.into(), String::new()] }
    }

    #[test]
    fn commas_tabs_and_json_say_the_same() {
        let csv = from_csv("Category,Text\ncard,\"lost it, help\"\n\ncard,stolen\n", &COLUMNS);
        assert_eq!(csv.unwrap(), [row(2, "lost it, help", "card"), row(4, "stolen", "card")]);
        let tabs = from_csv("utterance\tintent\nthe 5\" one\tsize\n", &COLUMNS);
        assert_eq!(tabs.unwrap(), [row(2, "the 5\" one", "size")]);
        let json = from_json("\n{\"text\": \"hi\", \"intent\": 7, \"x\": []}\n", &COLUMNS);
        assert_eq!(json.unwrap(), [row(2, "hi", "7")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_to_do() {
        let error = |text| from_csv(text, &COLUMNS).unwrap_err().to_string();
        let missing = error("text,label\na,b\n");
        assert!(missing.starts_with("1: no column `intent` or `category`: name it"), "{missing}");
        assert!(error("text,intent\na,b\nc\n").starts_with("3: CSV error"));
        assert_eq!(
            error("text,intent\na,b\nc,\n"),
            "3: nothing in `intent`: fill it or take the row out"
        );
        assert!(error("text,intent\n").starts_with("1: the table has no rows"));
        let json = from_json("{\"text\": \"a\", \"intent\": \"b\"}\n[1]\n", &COLUMNS);
        assert!(json.unwrap_err().to_string().starts_with("2: not a JSON object"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("nowhere.csv"), &COLUMNS).unwrap_err().to_string();
        assert!(error.starts_with("cannot read nowhere.csv"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}", more in "[a-z,\t\n\"{}:#]{0,60}") {
            let text = format!("text,intent\n{text}\n{more}");
            let _ = from_csv(&text, &COLUMNS);
            let _ = from_json(&text, &COLUMNS);
        }
    }
}
