//! `hotline simulate`: talk to a dialplan in writing, or have scripted callers talk to it.

mod chat;
mod crm;
mod report;

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context, bail};

use super::{check, dialplan, listed};
use crate::{
    dialog::CallFacts,
    dialplan::Dialplan,
    simulate::{Coverage, Player, Suite, Tools},
};

/// Arguments of `hotline simulate`.
#[derive(Debug, Default, clap::Args)]
pub struct SimulateArgs {
    /// A dialplan to talk to; with --test, files of scripted calls (.test.yaml) or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Play scripted calls and compare; fails when one goes another way
    #[arg(long)]
    pub test: bool,
    /// Only the scripted calls whose names contain this
    #[arg(long, requires = "test", value_name = "TEXT")]
    pub only: Option<String>,
    /// Show whole calls, also those that go well
    #[arg(long, requires = "test")]
    pub show: bool,
    /// Tell which nodes and transitions no call came through
    #[arg(long, requires = "test")]
    pub coverage: bool,
    /// Print one JSON document instead of a report
    #[arg(long, requires = "test")]
    pub json: bool,
    /// Ask this CRM, such as http://127.0.0.1:50051, for what the files say of tools; what a scripted call says
    /// of them itself still holds
    #[arg(long, requires = "test", value_name = "URL")]
    pub crm: Option<String>,
    /// A tool that the CRM is asked before each scripted call, such as one that puts its data back
    #[arg(long, requires = "crm", value_name = "TOOL")]
    pub crm_before: Option<String>,
    /// Who calls; and whom
    #[arg(long, default_value = "4155550134", conflicts_with = "test")]
    pub caller: String,
    /// The number that is called
    #[arg(long, default_value = "1000", conflicts_with = "test")]
    pub called: String,
    /// When the call begins, such as "2026-11-23 10:05"; unless given, now
    #[arg(long, conflicts_with = "test")]
    pub now: Option<String>,
}

/// Talks, or plays scripts and prints what came of them.
///
/// # Errors
/// When a file cannot be read or is wrong, or a scripted call goes another way.
pub fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    if args.test { test(args) } else { talk(args) }
}

fn talk(args: &SimulateArgs) -> anyhow::Result<()> {
    let [path] = &args.paths[..] else {
        bail!("give one dialplan to talk to, or --test with files of scripted calls");
    };
    let plan = Arc::new(dialplan(path)?);
    let now = chat::now(args.now.as_deref())?;
    let facts = CallFacts::new(args.caller.as_str(), args.called.as_str(), now);
    let player = Player::new(plan, facts, Tools::default());
    let input = io::stdin().lock();
    chat::chat(player, input, io::stdout().lock(), io::stdin().is_terminal())
}

fn test(args: &SimulateArgs) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for path in &args.paths {
        let mut below = Vec::new();
        check::yaml_files(path, &mut below)?;
        files.extend(below.into_iter().filter(|file| file == path || check::has_scripts(file)));
    }
    let crm = args.crm.as_deref().map(|url| crm::Asked::new(url, args.crm_before.clone()));
    let mut crm = crm.transpose()?;
    let mut results = report::Results::default();
    let mut plans: BTreeMap<PathBuf, (Arc<Dialplan>, Coverage)> = BTreeMap::new();
    for file in &files {
        let suite = Suite::load(file).map_err(|found| listed(&found))?;
        if !plans.contains_key(&suite.dialplan) {
            let context = || format!("{} is for a dialplan with errors", file.display());
            let plan = Arc::new(dialplan(&suite.dialplan).with_context(context)?);
            let coverage = Coverage::new(&plan);
            plans.insert(suite.dialplan.clone(), (plan, coverage));
        }
        let Some((plan, coverage)) = plans.get_mut(&suite.dialplan) else { continue };
        let wanted =
            |name: &str| args.only.as_ref().is_none_or(|part| name.contains(part.as_str()));
        for script in suite.scripts.iter().filter(|script| wanted(&script.name)) {
            let played = match &mut crm {
                Some(crm) => {
                    crm.next_call(&script.name)?;
                    Player::run_on(plan, &suite, script, &mut |invoke| crm.ask(invoke))
                }
                None => Player::run(plan, script),
            };
            coverage.add(&played);
            results.add(file, script, played);
        }
    }
    let covered = plans.into_iter().map(|(path, (_, coverage))| (path, coverage)).collect();
    let out = io::stdout().lock();
    if args.json {
        results.write_json(out, &covered)?;
    } else {
        results.write(out, args.show)?;
        if args.coverage {
            report::write_coverage(io::stdout().lock(), &covered)?;
        }
        results.write_summary(io::stdout().lock())?;
    }
    match (results.failed(), results.played()) {
        (_, 0) => bail!("no scripted call was played: look at PATH and --only"),
        (0, _) => Ok(()),
        (failed, all) => bail!("{failed} of {all} scripted calls went another way"),
    }
}
