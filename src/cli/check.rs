//! `hotline check`: is this dialplan right, does this trunk work?

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::check_trunk::{self, TrunkArgs};
use crate::{
    dialplan::{Dialplan, DialplanError, Severity},
    simulate::Suite,
};

/// Arguments of `hotline check`.
#[derive(Debug, Default, clap::Args)]
pub struct CheckArgs {
    /// Dialplans (.yaml), files of scripted calls (.test.yaml), or folders of them
    #[arg(required_unless_present = "trunk", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Refuse dialplans with warnings too
    #[arg(long)]
    pub strict: bool,
    /// Trunks to be tried
    #[command(flatten)]
    pub trunk: TrunkArgs,
}

/// Tries trunks if asked to; checks dialplans and prints every finding as `file:line:column: error: what` and a line of
/// help, whether each dialplan works without speech recognition, then a summary.
///
/// # Errors
/// When a trunk has a fault, a path cannot be read, a folder has no dialplan, or a dialplan has errors (with
/// `--strict` also warnings).
pub fn run(args: CheckArgs) -> anyhow::Result<()> {
    check_trunk::run(&args.trunk)?;
    if args.paths.is_empty() && args.trunk.trunk.is_some() {
        return Ok(());
    }
    let mut files = Vec::new();
    for path in &args.paths {
        yaml_files(path, &mut files)?;
    }
    let mut out = io::stdout().lock();
    let (mut errors, mut warnings) = (0, 0);
    let (packs, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_pack(file));
    for pack in &packs {
        writeln!(out, "{}: a pack, checked with the dialplans that include it", pack.display())?;
    }
    for file in &files {
        let (findings, needs) = findings(file);
        for finding in &findings {
            writeln!(out, "{finding}")?;
        }
        if let Some(needs) = needs {
            writeln!(out, "{}: {needs}", file.display())?;
        }
        let bad = findings.iter().filter(|f| f.severity == Severity::Error).count();
        errors += bad;
        warnings += findings.len() - bad;
    }
    let scripts = files.iter().filter(|file| has_scripts(file)).count();
    let mut checked = counted(files.len() - scripts, "dialplan");
    if scripts > 0 {
        checked = format!("{checked} and {}", counted(scripts, "file of scripted calls"));
    }
    let (bad, dubious) = (counted(errors, "error"), counted(warnings, "warning"));
    writeln!(out, "{checked}: {bad}, {dubious}")?;
    if errors > 0 || (args.strict && warnings > 0) {
        bail!("{bad} and {dubious} in {checked}");
    }
    Ok(())
}

/// Whether the file has scripted calls, by its name.
pub(super) fn has_scripts(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

/// Whether the file is for dialplans to include.
fn is_pack(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| Dialplan::is_pack(&text))
}

/// What is wrong with a dialplan, and of one without errors also what it needs.
fn findings(file: &Path) -> (Vec<DialplanError>, Option<String>) {
    if has_scripts(file) {
        return (Suite::load(file).err().unwrap_or_default(), None);
    }
    match Dialplan::load(file) {
        Ok(plan) => (plan.warnings().to_vec(), Some(needs(&plan))),
        Err(findings) => (findings, None),
    }
}

/// Whether it works without speech recognition.
fn needs(plan: &Dialplan) -> String {
    match plan.questions_for_speech()[..] {
        [] => "works without a recogniser: keys can answer every question".to_owned(),
        [one] => format!("needs a recogniser: keys alone cannot answer `{one}`"),
        [first, ref rest @ ..] => {
            let others = counted(rest.len(), "other");
            format!("needs a recogniser: keys alone cannot answer `{first}` and {others}")
        }
    }
}

/// Adds `path`, or the YAML files below it when it is a folder, in order of their names.
pub(super) fn yaml_files(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    walk(path, files)?;
    if files.len() == before {
        bail!("no .yaml file in {}: give a file or a folder with one", path.display());
    }
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let context = || format!("cannot read the folder {}", folder.display());
    let entries = fs::read_dir(folder).with_context(context)?;
    let entries = entries.collect::<Result<Vec<_>, _>>().with_context(context)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        // A link may lead back up: follow none.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
    Ok(())
}

fn counted(n: usize, what: &str) -> String {
    match (n, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, Some((head, rest))) => format!("{n} {head}s {rest}"),
        (_, None) => format!("{n} {what}s"),
    }
}
