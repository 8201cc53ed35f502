//! What came of scripted calls, for people and for programs.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::simulate::{Coverage, Played, Script};

/// Dialplans and what of them was covered.
pub(super) type Covered = Vec<(PathBuf, Coverage)>;

/// Calls played, in order.
#[derive(Debug, Default)]
pub(super) struct Results {
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    file: String,
    name: String,
    line: usize,
    played: Played,
}

impl Results {
    pub(super) fn add(&mut self, file: &Path, script: &Script, played: Played) {
        let (file, name) = (file.display().to_string(), script.name.clone());
        self.calls.push(Call { file, name, line: script.line, played });
    }

    pub(super) fn played(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn failed(&self) -> usize {
        self.calls.iter().filter(|call| !call.played.problems.is_empty()).count()
    }

    /// The calls that went another way, each with its transcript and what is wrong where; with `all` the others too.
    pub(super) fn write(&self, mut out: impl Write, all: bool) -> anyhow::Result<()> {
        for call in &self.calls {
            let problems = &call.played.problems;
            if problems.is_empty() && !all {
                continue;
            }
            let verdict = if problems.is_empty() { "as written" } else { "went another way" };
            writeln!(out, "{}:{}: `{}` {verdict}", call.file, call.line, call.name)?;
            for (index, line) in call.played.transcript.iter().enumerate() {
                self.write_problems(&mut out, call, index)?;
                writeln!(out, "    {line}")?;
            }
            self.write_problems(&mut out, call, call.played.transcript.len())?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn write_problems(
        &self,
        out: &mut impl Write,
        call: &Call,
        after: usize,
    ) -> anyhow::Result<()> {
        for problem in call.played.problems.iter().filter(|problem| problem.after == after) {
            writeln!(out, "  ✗ {}:{}: {}", call.file, problem.line, problem.what)?;
        }
        Ok(())
    }

    pub(super) fn write_summary(&self, mut out: impl Write) -> anyhow::Result<()> {
        let (failed, all) = (self.failed(), self.played());
        writeln!(out, "{} of {all} scripted calls went as written", all - failed)?;
        Ok(())
    }

    pub(super) fn write_json(&self, mut out: impl Write, covered: &Covered) -> anyhow::Result<()> {
        let calls: Vec<_> = self
            .calls
            .iter()
            .map(|call| {
                json!({
                    "file": call.file, "line": call.line, "name": call.name,
                    "passed": call.played.problems.is_empty(),
                    "problems": call.played.problems,
                    "outcome": call.played.outcome,
                    "nodes": call.played.nodes,
                    "intents": call.played.intents,
                    "tools": call.played.asked,
                    "cited": call.played.cited,
                    "counts": call.played.counts,
                    "transcript": call.played.transcript.iter().map(ToString::to_string).collect::<Vec<_>>(),
                })
            })
            .collect();
        let coverage: Vec<_> = covered
            .iter()
            .map(|(path, coverage)| {
                let ((nodes, all_nodes), (ways, all_ways)) =
                    (coverage.nodes(), coverage.transitions());
                json!({
                    "dialplan": path,
                    "nodes": nodes, "all_nodes": all_nodes, "nodes_left": coverage.nodes_left(),
                    "transitions": ways, "all_transitions": all_ways,
                    "transitions_left": coverage.transitions_left(),
                })
            })
            .collect();
        let document = json!({
            "played": self.played(), "failed": self.failed(), "calls": calls, "coverage": coverage,
        });
        writeln!(out, "{document:#}")?;
        Ok(())
    }
}

/// How much of each dialplan was covered, and what was not.
pub(super) fn write_coverage(mut out: impl Write, covered: &Covered) -> anyhow::Result<()> {
    for (path, coverage) in covered {
        let ((nodes, all_nodes), (ways, all_ways)) = (coverage.nodes(), coverage.transitions());
        let path = path.display();
        writeln!(out, "{path}: {nodes} of {all_nodes} nodes, {ways} of {all_ways} transitions")?;
        for node in coverage.nodes_left() {
            writeln!(out, "  no call comes to {node}")?;
        }
        for way in coverage.transitions_left() {
            writeln!(out, "  no call goes {way}")?;
        }
    }
    Ok(())
}
