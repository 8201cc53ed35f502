//! `include:`, files with flows, intents and the like that several dialplans share.

use std::collections::BTreeSet;

use super::{
    DialplanSource,
    error::{At, Findings},
    merge::{self, Part},
    read::marks,
    yaml::{self, Kind, Yaml},
};

/// Files that one dialplan may include, through others too.
const MOST: usize = 64;

/// Names of the files that a file refers to, relative to the dialplan's folder.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Files in YAML that it includes.
    pub(super) includes: Vec<String>,
    /// Those of its tables and of its knowledge base.
    pub(super) data: Vec<String>,
    /// Recorded prompts.
    pub(super) recordings: Vec<String>,
}

/// What the file `name`, which has this text, refers to; the dialplan itself has no name. Names that
/// cannot be used are left out: [`whole`] reports them.
pub(super) fn needs(name: &str, text: &str) -> Needs {
    let Some(mut root) = yaml::parse(text, &mut Findings::new("")) else {
        return Needs::default();
    };
    let named = |yaml: &Yaml| yaml.scalar().and_then(|file| resolve(name, file));
    let includes = list(&root).iter().filter_map(named).collect();
    let data = data_files(&mut root).into_iter().filter_map(|yaml| {
        // The dialplan's own are reported by those who read them.
        if name.is_empty() { yaml.scalar().map(str::to_owned) } else { named(yaml) }
    });
    let data = data.collect();
    let mut recordings = Vec::new();
    each_text(&mut root, &mut |text| {
        let names = marks::recordings(text).into_iter().map(|at| text[at].to_owned());
        recordings.extend(names.filter_map(|file| match name {
            "" => Some(file),
            _ => resolve(name, &file),
        }));
    });
    Needs { includes, data, recordings }
}

/// The dialplan of `source` with everything that it includes, as if it were one file. `None` after errors
/// in `findings` that leave nothing.
pub(super) fn whole(source: &DialplanSource, findings: &mut Findings) -> Option<Yaml> {
    let main = yaml::parse(&source.text, findings)?;
    let mut walk =
        Walk { source, findings, done: BTreeSet::new(), open: Vec::new(), parts: vec![] };
    walk.includes("", &main);
    let parts = walk.parts;
    Some(merge::merge(main, parts, findings))
}

/// Whether the text is that of a file to be included, not of a dialplan.
pub(super) fn is_pack(text: &str) -> bool {
    let root = yaml::parse(text, &mut Findings::new(""));
    root.is_some_and(|root| root.get("pack").is_some() && root.get("dialplan").is_none())
}

struct Walk<'a> {
    source: &'a DialplanSource,
    findings: &'a mut Findings,
    /// Names of files taken in.
    done: BTreeSet<String>,
    /// Names of files that include one another, the outermost first.
    open: Vec<String>,
    /// Files taken in, those that others include first.
    parts: Vec<Part>,
}

impl Walk<'_> {
    /// Takes in what the file `name` includes.
    fn includes(&mut self, name: &str, root: &Yaml) {
        if let Some(yaml) = root.get("include")
            && !matches!(yaml.kind, Kind::List(_))
        {
            let remedy = "write a list of files: `include: [packs/common.yaml]`";
            self.findings.error(yaml.at, "`include` must be a list", remedy);
        }
        for yaml in list(root) {
            let file = yaml.scalar().and_then(|file| resolve(name, file));
            match file {
                Some(file) => self.include(file, yaml.at),
                None => self.findings.error(
                    yaml.at,
                    "an included file must stand in or below the dialplan's folder",
                    "write its path from this file's folder: `include: [packs/common.yaml]`",
                ),
            }
        }
    }

    fn include(&mut self, file: String, at: At) {
        if let Some(from) = self.open.iter().position(|open| *open == file) {
            let ring = self.open[from..].join(" → ");
            let what = format!("`{file}` would include itself: {ring} → {file}");
            let remedy = "take this `include` out: what both need belongs into a third file";
            return self.findings.error(at, what, remedy);
        }
        if self.done.contains(&file) {
            return;
        }
        if self.done.len() == MOST {
            let what = format!("more than {MOST} files are included");
            return self.findings.error(at, what, "put several into one");
        }
        self.done.insert(file.clone());
        let Some(text) = self.source.tables.get(&file) else {
            let unknown = || format!("the text of the included file `{file}` is not there");
            let problem = self.source.unreadable.get(&file).cloned().unwrap_or_else(unknown);
            let remedy = "check the path: it is taken from the folder of the file that names it";
            return self.findings.error(at, problem, remedy);
        };
        let number = self.findings.add_file(self.source.table_path(&file));
        let top = At { file: number, ..At::TOP };
        let Some(mut root) = yaml::parse_file(text, top, "pack", self.findings) else { return };
        self.open.push(file.clone());
        self.includes(&file, &root);
        self.open.pop();
        self.name_from_the_dialplan(&file, &mut root);
        self.parts.push(Part { root, included_at: at });
    }

    /// Names its tables' files and recordings as the dialplan would.
    fn name_from_the_dialplan(&mut self, file: &str, root: &mut Yaml) {
        for yaml in data_files(root) {
            let Kind::Scalar(name) = &mut yaml.kind else { continue };
            match resolve(file, name) {
                Some(resolved) => *name = resolved,
                None => self.findings.error(
                    yaml.at,
                    "a table's file must stand in or below the dialplan's folder",
                    "write its path from this file's folder",
                ),
            }
        }
        each_text(root, &mut |text| {
            // From the last, so that places before it stay.
            for at in marks::recordings(text).into_iter().rev() {
                if let Some(resolved) = resolve(file, &text[at.clone()]) {
                    text.replace_range(at, &resolved);
                }
            }
        });
    }
}

/// Every single value, at any depth.
fn each_text(yaml: &mut Yaml, see: &mut impl FnMut(&mut String)) {
    match &mut yaml.kind {
        Kind::Scalar(text) => see(text),
        Kind::List(items) => items.iter_mut().for_each(|item| each_text(item, see)),
        Kind::Map(entries) => entries.iter_mut().for_each(|(_, value)| each_text(value, see)),
        Kind::Null => {}
    }
}

/// The names of CSV files, of its tables and of its knowledge base.
fn data_files(root: &mut Yaml) -> Vec<&mut Yaml> {
    let Kind::Map(sections) = &mut root.kind else { return Vec::new() };
    let mut files = Vec::new();
    for (key, section) in sections {
        let Kind::Map(entries) = &mut section.kind else { continue };
        match key.name.as_str() {
            "tables" => {
                let tables = entries.iter_mut().filter_map(|(_, table)| match &mut table.kind {
                    Kind::Map(fields) => Some(fields),
                    _ => None,
                });
                let fields = tables.flatten().filter(|(field, _)| field.name == "file");
                files.extend(fields.map(|(_, file)| file));
            }
            "knowledge" => {
                let file = entries.iter_mut().filter(|(entry, _)| entry.name == "file");
                files.extend(file.map(|(_, file)| file));
            }
            _ => {}
        }
    }
    files
}

/// The items of `include:`.
fn list(root: &Yaml) -> &[Yaml] {
    match root.get("include").map(|yaml| &yaml.kind) {
        Some(Kind::List(items)) => items,
        _ => &[],
    }
}

/// `name`, as the file `from` has it, from the dialplan's folder; `None` where it leads out of that.
fn resolve(from: &str, name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with('/') || name.contains(['\\', '\0']) {
        return None;
    }
    let mut path: Vec<&str> = from.split('/').collect();
    path.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()?),
            part => path.push(part),
        }
    }
    (!path.is_empty()).then(|| path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_the_file_that_has_them_and_stay_in_the_dialplans_folder() {
        for (from, name, resolved) in [
            ("", "packs/common.yaml", Some("packs/common.yaml")),
            ("packs/common.yaml", "manners.yaml", Some("packs/manners.yaml")),
            ("packs/common.yaml", "../faq.csv", Some("faq.csv")),
            ("packs/zh/a.yaml", "./../b.yaml", Some("packs/b.yaml")),
            ("packs/common.yaml", "../../secret", None),
            ("", "/etc/passwd", None),
            ("", "..", None),
            ("", "", None),
        ] {
            assert_eq!(resolve(from, name).as_deref(), resolved, "{name} in {from}");
        }
    }

    #[test]
    fn a_pack_says_so() {
        assert!(is_pack("pack: common\nintents: {}\n"));
        assert!(!is_pack("dialplan: desk\nversion: 1\n"));
        assert!(!is_pack("[: not yaml"));
    }
}
