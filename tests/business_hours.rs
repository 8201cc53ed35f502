//! Business hours, holidays and time zones: what calls hear at which moment, on a clock of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::sync::Arc;

use hotline::{
    dialplan::{Dialplan, DialplanSource},
    simulate::{Player, Suite},
};

const DESK: &str = r#"dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.open
slots: {day: date, at: time, feast: text}
calendars:
  office:
    zone: Europe/London
    hours: {mon-fri: ["08:30-12:00", "13:00-17:30"], sat: "09:00-12:00"}
    holidays: {2026-12-25..2026-12-28: Christmas, "01-01": New Year}
    special: {2026-12-19: mon}
flows:
  main:
    open: {when: [{open: office, next: there}], else: why}
    there: {hang_up: there}
    why: {when: [{if: "holiday('office') != null", next: feast}], else: when}
    feast: {set: {feast: {expr: "holiday('office')"}}, next: when}
    when: {set: {day: {expr: "opens_on('office')"}, at: {expr: "opens_at('office')"}}, next: tell}
    tell: {say: "{feast}We open on {day} at {at}.", hang_up: closed}
"#;

fn errors(from: &str, to: &str) -> String {
    assert!(DESK.contains(from), "{from}");
    let source = DialplanSource::inline("desk.yaml", DESK.replacen(from, to, 1));
    let found = Dialplan::from_source(source).expect_err("it is wrong");
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// How a call ends that begins when clocks in `zone` show `now`, and what it says.
fn call(zone: &str, now: &str) -> (String, String) {
    let plan = Dialplan::from_source(DialplanSource::inline("desk.yaml", DESK));
    let plan = Arc::new(plan.unwrap_or_else(|e| panic!("{e:#?}")));
    let script =
        format!("dialplan: x.yaml\nzone: {zone}\nnow: {now}\ntests: {{a: {{call: [bot: …]}}}}\n");
    let suite = Suite::parse("x.test.yaml", &script).unwrap_or_else(|e| panic!("{e:#?}"));
    let played = Player::run(&plan, &suite.scripts[0]);
    let said = played.transcript.iter().map(ToString::to_string);
    let said = said.filter_map(|line| line.strip_prefix("bot").map(|text| text.trim().to_owned()));
    (played.outcome.unwrap().disposition, said.collect())
}

#[test]
fn hours_hold_in_the_calendars_zone_on_both_sides_of_summer_time() {
    for (zone, now, ends) in [
        ("Europe/London", "2026-11-23 08:29", "closed"),
        ("Europe/London", "2026-11-23 08:30", "there"),
        ("Europe/London", "2026-11-23 12:30", "closed"),
        // In winter London is eight hours behind Shanghai, in summer seven.
        ("Asia/Shanghai", "2026-03-27 16:29", "closed"),
        ("Asia/Shanghai", "2026-03-27 16:30", "there"),
        ("Asia/Shanghai", "2026-03-30 15:29", "closed"),
        ("Asia/Shanghai", "2026-03-30 15:30", "there"),
        // Between the changes of the two continents London is four hours ahead of New York, not five.
        ("America/New_York", "2026-03-16 04:30", "there"),
        ("America/New_York", "2026-03-30 04:29", "there"),
        ("America/New_York", "2026-03-06 03:29", "closed"),
        ("America/New_York", "2026-03-06 03:30", "there"),
        // The day begins with the calendar's midnight: Friday evening here is Saturday there.
        ("America/Los_Angeles", "2026-11-27 23:59", "closed"),
        ("America/Los_Angeles", "2026-11-28 01:00", "there"),
    ] {
        assert_eq!(call(zone, now).0, ends, "{zone} {now}");
    }
}

#[test]
fn holidays_are_named_and_a_worked_saturday_is_worked() {
    let (ends, said) = call("Europe/London", "2026-12-24 18:00");
    assert_eq!((&*ends, &*said), ("closed", "We open on 2026-12-29 at 08:30."));
    let (ends, said) = call("Europe/London", "2026-12-25 10:00");
    assert_eq!((&*ends, &*said), ("closed", "ChristmasWe open on 2026-12-29 at 08:30."));
    assert_eq!(call("Europe/London", "2026-12-19 15:00").0, "there");
    assert_eq!(call("Europe/London", "2027-01-01 10:00").0, "closed");
}

#[test]
fn without_a_zone_the_calls_own_time_counts() {
    let text = DESK.replace("    zone: Europe/London\n", "");
    let plan = Arc::new(Dialplan::from_source(DialplanSource::inline("desk.yaml", text)).unwrap());
    let script = "dialplan: x.yaml\nnow: 2026-11-23 08:30\ntests: {a: {call: [bot: …], expect: {outcome: there}}}\n";
    let suite = Suite::parse("x.test.yaml", script).unwrap();
    assert_eq!(Player::run(&plan, &suite.scripts[0]).problems, []);
}

#[test]
fn mistakes_are_named() {
    for (from, to, expected) in [
        (
            "open: office,",
            "open: ofice,",
            "desk.yaml:15:26: error: no calendar `ofice`\n  help: did you mean `office`?",
        ),
        (
            "holiday('office') != null",
            "holiday('ofice') != null",
            "no calendar `ofice`: did you mean `office`?",
        ),
        ("Europe/London", "Europe/Londn", "desk.yaml:9:11: error: no time zone `Europe/Londn`"),
        ("mon-fri", "mon-fry", "`mon-fry` is no day of the week"),
        ("09:00-12:00", "9-12", "`9-12` is not hours of a day"),
        ("sat: ", "fri: ", "`fri` has hours twice"),
        ("2026-12-25..2026-12-28", "2026-12-25..2026-12-01", "`2026-12-25..2026-12-01` is no day"),
        ("2026-12-19: mon", "2026-19-12: mon", "`2026-19-12` is no day"),
        ("hours:", "ours:", "calendar `office` has no `hours`"),
    ] {
        let found = errors(from, to);
        assert!(found.contains(expected), "expected\n{expected}\nfound\n{found}");
    }
}
