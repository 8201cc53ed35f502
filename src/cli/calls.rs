//! `hotline calls`: the call record, for people.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use super::{moment, recorded, runtime};
use crate::{
    audio::CallTime,
    sip::Reason,
    store::{CallEvent, CallFilter, CallRecord, CallSummary, masked},
};

/// Arguments of `hotline calls`.
#[derive(Debug, clap::Args)]
pub struct CallsArgs {
    /// The configuration that names the data directory.
    #[arg(long, default_value = "hotline.toml", global = true)]
    config: PathBuf,
    /// The data directory, instead of the configuration's.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Show numbers in full.
    #[arg(long, global = true)]
    unmask: bool,
    #[command(subcommand)]
    command: CallsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CallsCommand {
    /// The latest calls, newest first.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One call: transcript with times, where each turn's time went, events.
    Show {
        /// The call's id, or the beginning of it.
        id: String,
    },
}

/// Prints what was asked for.
///
/// # Errors
/// When there is no database, or no such call.
pub fn run(args: CallsArgs) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let store = recorded(&args.config, args.data.as_deref()).await?;
        match args.command {
            CallsCommand::List { limit } => {
                let filter = CallFilter { limit, ..CallFilter::default() };
                list(&store.calls(&filter).await?, args.unmask);
            }
            CallsCommand::Show { id } => {
                let call = store.call(&id).await?.with_context(|| {
                    format!("no call begins with {id:?}: `hotline calls list` shows them")
                })?;
                show(&call, args.unmask);
            }
        }
        Ok(())
    })
}

fn list(calls: &[CallSummary], unmask: bool) {
    println!(
        "{:<27} {:<19} {:<15} {:<16} {:>6} {:>5}  OUTCOME",
        "CALL", "STARTED (UTC)", "CALLER", "DIALPLAN", "LENGTH", "TURNS"
    );
    for call in calls {
        println!(
            "{:<27} {:<19} {:<15} {:<16} {:>6} {:>5}  {}",
            call.id,
            moment(call.started_at),
            number(&call.caller, unmask),
            call.dialplan,
            format!("{}:{:02}", call.duration_ms / 60_000, call.duration_ms / 1_000 % 60),
            call.turns,
            outcome(call),
        );
    }
}

fn show(call: &CallRecord, unmask: bool) {
    let summary = &call.summary;
    println!("call       {}", summary.id);
    println!("started    {} UTC", moment(summary.started_at));
    println!("caller     {}", number(&summary.caller, unmask));
    println!("called     {}", number(&summary.called, unmask));
    println!("dialplan   {} version {}", summary.dialplan, summary.dialplan_version);
    println!("answered   {} ms after the INVITE", summary.answered_ms.unwrap_or_default());
    println!("length     {}", CallTime::from_ms(summary.duration_ms));
    println!("outcome    {}", outcome(summary));
    for (slot, value) in &call.slots {
        println!("slot       {slot} = {value}");
    }
    println!("recording  {}", shown(call.recording.as_deref()));
    println!("journal    {}", shown(call.journal.as_deref()));
    println!("media      {}", call.rtp);
    println!();
    for event in &call.events {
        println!("{:>10}  {}", event.at.to_string(), line(event));
    }
}

fn line(event: &CallEvent) -> String {
    let data = &event.data;
    match event.kind.as_str() {
        "said" => {
            let cut = if data["complete"] == true { "" } else { " — cut short" };
            format!("bot:    {}{cut}", text(&data["text"]))
        }
        "heard" => match data["hypotheses"][0]["text"].as_str() {
            Some(words) => format!("caller: {}", words.trim()),
            None => "caller: (not understood)".to_owned(),
        },
        "keys" => format!("caller: pressed {} keys", data["count"]),
        "turn" => waterfall(data),
        "peer_reason" => match serde_json::from_value::<Reason>(data.clone()) {
            Ok(reason) => format!("caller: hung up ({reason})"),
            Err(_) => format!("        peer_reason {data}"),
        },
        kind => format!("        {kind} {data}"),
    }
}

/// Where the time between the caller's last sound on the line and the bot's first went.
fn waterfall(data: &Value) -> String {
    let at = |stage: &str| data[stage].as_u64().map(|samples| CallTime(samples).as_ms());
    let Some(begin) = at("last_in").or(at("speech_end")) else {
        return format!("        turn {data}");
    };
    let stages = [
        "speech_end",
        "pause_noticed",
        "text_ready",
        "decided",
        "dialog_done",
        "audio_ready",
        "first_audio",
        "first_out",
    ];
    // Of keys, there is no other beginning than the last one.
    let from = usize::from(data["last_in"].is_null());
    let shown = stages[from..].iter().filter_map(|stage| {
        at(stage).map(|ms| format!("{} +{} ms", stage.replace('_', " "), ms.saturating_sub(begin)))
    });
    let why = match data["why"].as_str() {
        Some(why) => format!(" ({}{})", why.replace('_', " "), times(&data["attempts"])),
        None => String::new(),
    };
    format!("        turn {}{why}: {}", data["turn"], shown.collect::<Vec<_>>().join(", "))
}

/// How often a turn was recognised, when that was more than once.
fn times(attempts: &Value) -> String {
    match attempts.as_u64() {
        Some(attempts) if attempts > 1 => format!(", recognised {attempts} times"),
        _ => String::new(),
    }
}

fn outcome(call: &CallSummary) -> String {
    match (&call.disposition, &call.end_reason) {
        (Some(disposition), Some(reason)) => format!("{disposition} ({reason})"),
        (None, Some(reason)) => reason.clone(),
        _ => "in progress".to_owned(),
    }
}

fn number(number: &str, unmask: bool) -> String {
    if unmask { number.to_owned() } else { masked(number) }
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(|| "-".to_owned(), |path| path.display().to_string())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_shown_from_the_last_sound_in_to_the_first_out() {
        let ms = |ms: u64| CallTime::from_ms(ms).samples();
        let turn = serde_json::json!({
            "turn": 2, "last_in": ms(5_000), "speech_end": ms(5_040), "pause_noticed": ms(5_130),
            "text_ready": ms(5_210), "decided": ms(5_260), "dialog_done": ms(5_260),
            "audio_ready": ms(5_260), "first_audio": ms(5_280), "first_out": ms(5_290),
            "why": "number_complete", "attempts": 2,
        });
        assert_eq!(
            waterfall(&turn).trim(),
            "turn 2 (number complete, recognised 2 times): speech end +40 ms, pause noticed +130 ms, text ready +210 ms, decided +260 ms, \
             dialog done +260 ms, audio ready +260 ms, first audio +280 ms, first out +290 ms"
        );
        let keys = serde_json::json!({"turn": 1, "speech_end": ms(100), "first_audio": ms(180)});
        assert_eq!(waterfall(&keys).trim(), "turn 1: first audio +80 ms");
    }
}
