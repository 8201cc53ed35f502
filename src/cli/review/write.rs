//! Proposals as a table that a person edits, and what was approved as lines of the dialplan.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};

use super::proposals::Proposal;
use crate::{
    cli::{
        dialplan,
        eval::rows::{self, Column},
    },
    dialplan::{
        Findings,
        yaml::{self, Kind, Yaml},
    },
};

const COLUMNS: [Column; 3] = [
    Column { names: &["approved"], required: false },
    Column { names: &["target"], required: true },
    Column { names: &["text"], required: true },
];

/// The table: a row for each way of saying it.
pub(super) fn table(proposals: &[Proposal]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["approved", "target", "text", "turns", "call"])?;
    for proposal in proposals {
        for text in &proposal.texts {
            let turns = proposal.turns.to_string();
            writer.write_record(["no", &proposal.target, text, &turns, &proposal.call])?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Puts the approved rows of `table` into the dialplan at `path`; returns how many. Nothing is written unless the dialplan
/// has no errors afterwards.
pub(super) fn apply(path: &Path, table: &Path) -> anyhow::Result<usize> {
    let mut text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut count = 0;
    for row in rows::read(table, &COLUMNS)? {
        let [approved, target, said] = &row.cells[..] else { continue };
        match approved.as_str() {
            "yes" => {}
            "no" | "" => continue,
            other => {
                bail!("{}:{}: `approved` is `{other}`: write yes or no", table.display(), row.line)
            }
        }
        text = with(&text, target, said)
            .with_context(|| format!("{}:{}: {target}", table.display(), row.line))?;
        count += 1;
    }
    ensure!(count > 0, "{}: nothing is approved: write `yes` into `approved`", table.display());
    let before = fs::read_to_string(path)?;
    fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    if let Err(error) = dialplan(path) {
        fs::write(path, before)?;
        return Err(error.context("the dialplan would have errors, so it was left as it was"));
    }
    Ok(count)
}

/// The dialplan `text` with one more example of an intent or question of an entry.
fn with(text: &str, target: &str, said: &str) -> anyhow::Result<String> {
    let (section, name, list) = match target.split_once(':') {
        Some(("intent", name)) => ("intents", name, None),
        Some(("knowledge", id)) => ("knowledge", id, Some("questions")),
        _ => {
            bail!("write `intent:NAME` or `knowledge:ID`; for something new, write an entry first")
        }
    };
    let root = yaml::parse(text, &mut Findings::new("")).context("the dialplan cannot be read")?;
    let mut items = entry(&root, section).and_then(|section| entry(section, name));
    if let Some(list) = list {
        items = items.and_then(|found| entry(found, list));
    }
    // An intent of an included file that the dialplan adds to.
    items = items.map(|found| entry(found, "add").unwrap_or(found));
    let Some(Yaml { kind: Kind::List(items), .. }) = items else {
        bail!("there is no list of that in the dialplan's file: add the text by hand");
    };
    let last = items.last().context("the list is empty")?;
    insert(text, last, said)
}

fn entry<'y>(yaml: &'y Yaml, name: &str) -> Option<&'y Yaml> {
    match &yaml.kind {
        Kind::Map(entries) => {
            entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
        }
        _ => None,
    }
}

/// Puts a quoted item after `last`: on a line of its own where that begins with a dash, else behind a comma.
fn insert(text: &str, last: &Yaml, said: &str) -> anyhow::Result<String> {
    let item = format!("\"{}\"", said.replace('\\', "\\\\").replace('"', "\\\""));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let line = *lines.get(last.at.line - 1).context("the dialplan changed meanwhile")?;
    let before: String = line.chars().take(last.at.column - 1).collect();
    let mut out: String = lines[..last.at.line - 1].concat();
    if before.trim() == "-" {
        let end = if line.ends_with('\n') { "" } else { "\n" };
        out.push_str(&format!("{line}{end}{before}{item}\n"));
        out.push_str(&lines[last.at.line..].concat());
        return Ok(out);
    }
    let rest = &line[before.len()..];
    let length = length_of_item(rest);
    out.push_str(&format!("{before}{}, {item}{}", &rest[..length], &rest[length..]));
    out.push_str(&lines[last.at.line..].concat());
    Ok(out)
}

/// Bytes of the item of a flow list that `rest` begins with, up to the comma or bracket behind it.
fn length_of_item(rest: &str) -> usize {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        return rest.find([',', ']']).unwrap_or(rest.trim_end().len());
    };
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "intents:\n  balance: [what do I owe, \"my \\\"bill\\\", please\"]  # ours\n  hours:\n    - when are you open\n    - are you open on sunday\nknowledge:\n  parking:\n    questions: [where can I park]\n    answer: Behind.\n";

    #[test]
    fn an_example_joins_the_others_in_either_way_of_writing_lists() {
        let with = |target, said| with(PLAN, target, said).expect("inserted");
        assert!(
            with("intent:balance", "how much is it")
                .contains("please\", \"how much is it\"]  # ours\n")
        );
        let hours = with("intent:hours", "你们\"几点\"开");
        assert!(
            hours
                .contains("    - are you open on sunday\n    - \"你们\\\"几点\\\"开\"\nknowledge:")
        );
        assert!(
            with("knowledge:parking", "car park?").contains("[where can I park, \"car park?\"]\n")
        );
    }

    #[test]
    fn what_has_no_place_is_refused() {
        assert!(with(PLAN, "intent:weather", "x").is_err());
        let error = with(PLAN, "new", "x").expect_err("nowhere");
        assert!(error.to_string().contains("write `intent:NAME`"));
    }
}
