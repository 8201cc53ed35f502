//! The caller makes a sound while the bot speaks: a cough, a backchannel, or something to say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod support;

use std::time::Duration;

use hotline::{
    audio::CallTime,
    conversation::{Input, Note},
};
use support::{Playback, Sim};

const PLAN: &str = r##"
dialplan: barge-in
version: 1
language: en
voices: {en: en-hibari}
start: main.news
defaults:
  wait: 5s
  no_input: ["Are you there?"]
  no_match: ["I did not get that."]
  give_up: main.bye
limits: {turns: 40, then: main.bye}
slots:
  account: {type: digits, length: 6}
flows:
  main:
    news: {say: "The lines are down in your street.", next: sure}
    sure: {ask: "Do you want a call when they are back?", yes: account, no: bye}
    account: {ask: "What is your account number?", slot: account, next: bye}
    bye: {say: "Goodbye.", barge_in: none, hang_up: resolved}
"##;

/// 600 ms into the news.
fn in_the_news() -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.wait(600);
    sim
}

/// `ms` into the yes/no question.
fn in_the_question(ms: u64) -> Sim {
    let mut sim = Sim::answered(PLAN);
    sim.wait(2_000 + ms);
    assert_eq!(sim.said.len(), 2);
    sim
}

/// What was done to the prompt since `from` ms, with the delay of each.
fn since(sim: &Sim, from: u64) -> Vec<(Playback, u64)> {
    sim.playback.iter().map(|&(what, at)| (what, at - from)).collect()
}

/// Texts that were cut short.
fn cut(sim: &Sim) -> Vec<&str> {
    let cut = sim.notes.iter().filter_map(|note| match note {
        Note::Said { text, complete: false, sent, .. } if *sent > 0 => Some(text.as_str()),
        _ => None,
    });
    cut.collect()
}

/// How long the prompt with these words took, ms, how many samples of it were sent, and how long it was held.
fn whole(sim: &Sim, words: &str) -> (u64, u64, u64) {
    let found = sim.notes.iter().find_map(|note| match note {
        Note::Said { text, from, to, sent, complete: true, .. } if text.contains(words) => {
            Some((to.since(*from).as_millis() as u64, *sent))
        }
        _ => None,
    });
    let (ms, sent) = found.expect("it was said whole");
    (ms, sent, sim.playback[2].1 - sim.playback[1].1)
}

#[test]
fn a_cough_ducks_the_prompt_for_a_moment() {
    let mut sim = in_the_news();
    let onset = sim.now_ms();
    sim.speaks("", 160);
    sim.wait(400);
    // 160 ms of sound, 100 until its end is noticed, 150 until no word was found in it.
    assert_eq!(
        since(&sim, onset),
        [(Playback::Ducked, 100), (Playback::Held, 160), (Playback::Resumed, 420)]
    );
    sim.hear_out();
    assert!(cut(&sim).is_empty() && sim.heard() == 0);
    assert!(sim.notes.iter().any(|n| matches!(n, Note::Noise { .. })));
}

#[test]
fn a_sound_that_might_be_speech_ducks_the_prompt_at_once() {
    let mut sim = in_the_news();
    let onset = sim.now_ms();
    sim.perhaps_speaks();
    sim.wait(80);
    sim.input(Input::SpeechUnlikely);
    sim.wait(600);
    assert_eq!(since(&sim, onset), [(Playback::Ducked, 0), (Playback::Resumed, 80)]);
    let onset = sim.now_ms();
    sim.perhaps_speaks();
    sim.speaks("What about my street?", 900);
    sim.hear_out();
    let done: Vec<_> = sim.playback[2..4].iter().map(|&(what, at)| (what, at - onset)).collect();
    assert_eq!(done, [(Playback::Ducked, 0), (Playback::Held, 160)]);
    assert_eq!(cut(&sim), ["The lines are down in your street."]);
}

#[test]
fn a_sound_that_goes_on_holds_the_prompt_before_it_is_certain_that_it_is_speech() {
    let mut sim = in_the_news();
    let onset = sim.now_ms();
    sim.perhaps_speaks();
    // It is neither, or is found to be speech late.
    sim.wait(600);
    let done = [(Playback::Ducked, 0), (Playback::Held, 160), (Playback::Resumed, 300)];
    assert_eq!(since(&sim, onset), done);
    let onset = sim.now_ms();
    sim.perhaps_speaks();
    sim.wait(240);
    sim.input(Input::SpeechStarted { at: CallTime::from_ms(onset) });
    sim.wait(500);
    let done: Vec<_> = sim.playback[3..].iter().map(|&(what, at)| (what, at - onset)).collect();
    assert_eq!(done, [(Playback::Ducked, 0), (Playback::Held, 160), (Playback::Stopped, 700)]);
}

#[test]
fn a_held_prompt_goes_on_when_the_sound_was_no_speech() {
    let mut sim = in_the_news();
    let onset = sim.now_ms();
    sim.perhaps_speaks();
    sim.wait(200);
    sim.input(Input::SpeechUnlikely);
    let done = [(Playback::Ducked, 0), (Playback::Held, 160), (Playback::Resumed, 200)];
    assert_eq!(since(&sim, onset), done);
    sim.hear_out();
    assert_eq!(whole(&sim, "lines").1, 16_000);
}

#[test]
fn uh_huh_does_not_interrupt() {
    let mut sim = in_the_news();
    let onset = sim.now_ms();
    sim.speaks("Uh-huh.", 400);
    sim.wait(400);
    let (last, after) = since(&sim, onset)[2];
    assert_eq!(last, Playback::Resumed);
    assert!(after - 400 <= 500, "resumed {} ms after the sound", after - 400);
    sim.hear_out();
    assert!(cut(&sim).is_empty() && sim.heard() == 0);
    assert!(
        sim.notes.iter().any(|n| matches!(n, Note::Backchannel { text, .. } if text == "Uh-huh."))
    );
}

/// 600 ms into the news, with a recogniser that takes `ms`.
fn in_the_news_with_recognition_of(ms: u64) -> Sim {
    let mut sim = in_the_news();
    sim.recognition = Duration::from_millis(ms);
    sim
}

#[test]
fn a_prompt_goes_on_quietly_when_it_takes_long_to_find_out_what_the_sound_was() {
    let mut sim = in_the_news_with_recognition_of(600);
    let end = sim.now_ms() + 300;
    sim.speaks("Uh-huh.", 300);
    sim.wait(1_000);
    let done = since(&sim, end - 300);
    assert_eq!(done[2..], [(Playback::ResumedDucked, 600), (Playback::Resumed, 1_000)]);
    sim.hear_out();
    assert!(cut(&sim).is_empty() && sim.heard() == 0);
    let (news, sent, held) = whole(&sim, "lines");
    assert_eq!(sent, 16_000);
    assert!(news.abs_diff(2_000 + held) <= 20, "{news} ms, held {held}");
}

#[test]
fn a_prompt_that_went_on_in_doubt_is_dropped_when_it_was_a_request() {
    let mut sim = in_the_news_with_recognition_of(600);
    let onset = sim.now_ms();
    sim.speaks("no, stop that", 400);
    sim.wait(1_000);
    let done = since(&sim, onset);
    assert_eq!(done[2..], [(Playback::ResumedDucked, 700), (Playback::Stopped, 1_100)]);
    assert_eq!((cut(&sim).len(), sim.heard()), (1, 1));
}

#[test]
fn a_caller_who_goes_on_after_a_prompt_went_on_in_doubt_stops_it() {
    let mut sim = in_the_news_with_recognition_of(600);
    let onset = sim.now_ms();
    sim.speaks("well", 300);
    sim.wait(450);
    sim.speaks("well, I have something else to say", 1_000);
    let done = since(&sim, onset);
    // Silent again, and dropped, as if the second sound were the first.
    let within =
        |wanted, ms: u64| done[3..].iter().any(|(what, at)| *what == wanted && *at <= 850 + ms);
    assert!(within(Playback::Held, 180) && within(Playback::Stopped, 720), "{done:?}");
}

#[test]
fn a_second_hum_while_the_first_is_still_being_recognised_does_not_interrupt() {
    let mut sim = in_the_news_with_recognition_of(600);
    sim.speaks("Uh-huh.", 300);
    sim.wait(450);
    sim.speaks("Uh-huh. Uh-huh.", 300);
    sim.hear_out();
    assert!(cut(&sim).is_empty() && sim.heard() == 0);
    assert_eq!(whole(&sim, "lines").1, 16_000);
}

#[test]
fn a_question_for_yes_or_no_does_not_go_on_over_its_answer() {
    let mut sim = in_the_question(800);
    sim.recognition = Duration::from_millis(600);
    sim.speaks("yes", 300);
    sim.wait(800);
    let done: Vec<_> = sim.playback.iter().map(|(what, _)| *what).collect();
    assert_eq!(done, [Playback::Ducked, Playback::Held, Playback::Stopped]);
    assert_eq!(sim.last_said(), "What is your account number?");
}

#[test]
fn a_short_sound_that_was_written_as_some_word_does_not_interrupt() {
    let mut sim = in_the_news();
    sim.speaks("Mum.", 400);
    sim.hear_out();
    assert!(cut(&sim).is_empty() && sim.heard() == 0);
    for (word, ms) in [("Wait!", 400), ("Mum.", 600)] {
        let mut sim = in_the_news();
        sim.speaks(word, ms);
        sim.hear_out();
        assert_eq!(cut(&sim).len(), 1, "{word}");
    }
}

#[test]
fn a_held_prompt_is_sent_to_its_last_sample() {
    let mut sim = in_the_news();
    sim.speaks("okay", 500);
    sim.hear_out();
    // The tick in which it is held sends nothing more: the wait is whole ticks.
    let (ms, sent, held) = whole(&sim, "lines");
    assert_eq!(sent, 16_000);
    assert!(ms.abs_diff(2_000 + held) <= 20, "{ms} ms, held {held}");
}

#[test]
fn words_hold_the_prompt_and_then_end_it() {
    let mut sim = in_the_question(300);
    let onset = sim.now_ms();
    sim.speaks("no thank you", 500);
    sim.wait(300);
    let done = since(&sim, onset);
    assert_eq!(done[..2], [(Playback::Ducked, 100), (Playback::Held, 160)]);
    assert_eq!(done[2].0, Playback::Stopped);
    assert_eq!(cut(&sim), ["Do you want a call when they are back?"]);
    sim.wait(300);
    assert_eq!(sim.last_said(), "Goodbye.");
}

#[test]
fn somebody_who_talks_on_is_not_waited_for() {
    let mut sim = in_the_news();
    let onset = sim.now_ms();
    sim.speaks("I know that already and I only want my bill", 2_000);
    let stopped = since(&sim, onset).iter().find(|(what, _)| *what == Playback::Stopped).copied();
    assert_eq!(stopped, Some((Playback::Stopped, 700)));
}

#[test]
fn yes_during_the_question_is_the_answer_to_it() {
    let mut sim = in_the_question(800);
    sim.speaks("yes", 300);
    sim.wait(500);
    assert_eq!(sim.last_said(), "What is your account number?");
}

#[test]
fn yes_during_what_comes_before_the_question_is_not() {
    let mut sim = in_the_news();
    sim.speaks("yes", 300);
    sim.hear_out();
    assert_eq!((sim.heard(), sim.last_said()), (0, "Do you want a call when they are back?"));
}

#[test]
fn a_hum_at_the_end_of_the_question_is_the_answer_and_in_the_middle_of_it_is_not() {
    let mut sim = in_the_question(1_500);
    sim.speaks("uh-huh", 300);
    sim.wait(600);
    assert_eq!(sim.last_said(), "What is your account number?");

    let mut sim = in_the_question(500);
    sim.speaks("uh-huh", 300);
    sim.hear_out();
    assert_eq!((sim.heard(), sim.last_said()), (0, "Do you want a call when they are back?"));
}

#[test]
fn a_cough_just_after_an_answer_takes_nothing_back() {
    let mut sim = in_the_question(0);
    sim.hear_out();
    sim.says("yes");
    sim.wait(100);
    sim.speaks("", 200);
    sim.hear_out();
    assert_eq!((sim.heard(), sim.last_said()), (1, "What is your account number?"));
    assert!(cut(&sim).is_empty());
}

#[test]
fn the_word_after_a_prompt_ends_is_heard_from_its_beginning() {
    let mut sim = in_the_question(0);
    sim.wait(1_960);
    // The onset lies under the question's last frames.
    sim.speaks("yes", 300);
    sim.wait(600);
    assert_eq!(sim.last_said(), "What is your account number?");
}

#[test]
fn more_than_could_be_said_in_a_sound_does_not_interrupt() {
    let mut sim = in_the_news();
    sim.speaks("the weather in the north will be", 160);
    sim.hear_out();
    assert!(cut(&sim).is_empty() && sim.heard() == 0);
}
