//! A call in the terminal.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

use anyhow::Context;
use time::{PrimitiveDateTime, macros::format_description};

use crate::{
    call::local_now,
    dialog::{Input, Invoke, InvokeResult, TransferResult},
    simulate::{Line, Player, State},
    text::Hypothesis,
};

const HELP: &str = "Type what the caller says; [1] presses keys, an empty line is silence, [unclear] a noise, [bye] hangs up.";

/// When the call begins.
pub(super) fn now(given: Option<&str>) -> anyhow::Result<PrimitiveDateTime> {
    let Some(given) = given else {
        return Ok(local_now());
    };
    PrimitiveDateTime::parse(given, format_description!("[year]-[month]-[day] [hour]:[minute]"))
        .with_context(|| format!("--now is `{given}`: write it like \"2026-11-23 10:05\""))
}

/// Talks until the call is over or there is no more to read. `echo` says that somebody types, and sees what.
pub(super) fn chat(
    mut player: Player,
    mut input: impl BufRead,
    mut out: impl Write,
    echo: bool,
) -> anyhow::Result<()> {
    writeln!(out, "{HELP}\n")?;
    let mut shown = 0;
    loop {
        shown = show(&player, shown, echo, &mut out)?;
        let wants = match player.state() {
            State::Over => return Ok(()),
            State::Listening(_) => Wants::Caller,
            State::Transferring(_) => Wants::Transfer,
            State::Invoking(invoke) => Wants::Tool(invoke.clone()),
            State::Generating(_) => Wants::Model,
        };
        if echo {
            write!(out, "{}", wants.prompt())?;
            out.flush()?;
        }
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        answer(&mut player, &wants, line.trim(), &mut out)?;
    }
}

/// What the next line is for.
enum Wants {
    Caller,
    Transfer,
    Tool(Invoke),
    Model,
}

impl Wants {
    fn prompt(&self) -> String {
        match self {
            Self::Caller => "caller  ".to_owned(),
            Self::Model => "        the model says (!ACTION field=value, … or !fails): ".to_owned(),
            Self::Transfer => "        done, busy, no answer or failed? ".to_owned(),
            Self::Tool(invoke) => {
                format!("        {} gives (field=value, … or fails): ", invoke.tool)
            }
        }
    }
}

/// Prints what happened since; what the person typed is already there.
fn show(player: &Player, shown: usize, echo: bool, out: &mut impl Write) -> anyhow::Result<usize> {
    let lines = &player.played().transcript;
    for line in &lines[shown..] {
        if !(echo && matches!(line, Line::Caller(_))) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(lines.len())
}

fn answer(
    player: &mut Player,
    wants: &Wants,
    line: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match wants {
        Wants::Caller => match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            _ if line.is_empty() => player.caller(Input::NoInput),
            Some("unclear") => player.caller(Input::Unclear),
            Some("bye") => player.caller(Input::HungUp),
            Some(keys) if keys.chars().all(|key| matches!(key, '0'..='9' | '*' | '#')) => {
                player.keys(keys);
            }
            Some(_) => writeln!(out, "{HELP}")?,
            None => {
                let heard = Hypothesis { text: line.to_owned(), confidence: 0.9 };
                player.caller(Input::Heard(vec![heard]));
            }
        },
        Wants::Transfer => match line {
            "done" => player.transferred(TransferResult::Done),
            "busy" => player.transferred(TransferResult::Busy),
            "no answer" => player.transferred(TransferResult::NoAnswer),
            "failed" => player.transferred(TransferResult::Failed),
            _ => {}
        },
        Wants::Model => model(player, line, out)?,
        Wants::Tool(_) if line == "fails" => {
            player.invoked(InvokeResult::Failed("so it was typed".to_owned()));
        }
        Wants::Tool(_) => match fields(line) {
            Some(fields) => player.invoked(InvokeResult::Done(fields)),
            None => writeln!(out, "        write it like: amount=132.48, due=2026-11-28")?,
        },
    }
    Ok(())
}

/// What the language model says, or what it does: `Moment. !move zip=94110`.
fn model(player: &mut Player, line: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let Some((says, does)) = line.split_once('!') else {
        player.generated(line, None);
        return Ok(());
    };
    let (name, rest) = does.split_once(' ').unwrap_or((does, ""));
    match fields(rest) {
        _ if name == "fails" => player.model_failed("so it was typed"),
        Some(with) => player.generated(says, Some((name, &with))),
        None => writeln!(out, "        write it like: !move zip=94110, day=2026-11-28")?,
    }
    Ok(())
}

fn fields(line: &str) -> Option<BTreeMap<String, String>> {
    let pairs = line.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}
