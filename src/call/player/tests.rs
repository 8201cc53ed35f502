use super::*;

fn prompt(len: usize) -> Arc<Pcm<Hz8k>> {
    Arc::new(Pcm::new(vec![1_000; len]))
}

#[test]
fn a_prompt_is_sent_to_its_last_sample_and_no_further() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.ready(CallTime(7), PromptId(1), prompt(200));
    assert_eq!((player.left(1), player.left(0)), (200, 0));
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
    assert_eq!(player.left(5), 40);
    let last = player.frame(&mut events);
    assert_eq!(last.samples().iter().filter(|s| **s != 0).count(), 40);
    assert_eq!(
        events,
        [
            Input::PlaybackStarted { prompt: PromptId(1), total: 200, ready: CallTime(7) },
            Input::PlaybackEnded { prompt: PromptId(1), played: 200, total: 200 }
        ]
    );
}

#[test]
fn a_prompt_that_is_not_ready_holds_the_queue_in_silence() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.enqueue(PromptId(2), 1);
    player.ready(CallTime(7), PromptId(2), prompt(200));
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 0));
    assert!(events.is_empty());
}

#[test]
fn a_stopped_prompt_reports_what_was_sent_and_fades() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.enqueue(PromptId(2), 1);
    player.ready(CallTime(7), PromptId(1), prompt(1_600));
    player.frame(&mut events);
    assert_eq!(
        player.stop(),
        [
            Input::PlaybackEnded { prompt: PromptId(1), played: 160, total: 1_600 },
            Input::PlaybackEnded { prompt: PromptId(2), played: 0, total: 0 }
        ]
    );
    let fade = player.frame(&mut events);
    assert_eq!(fade.samples()[FADE..], [0; FRAME - FADE]);
    assert!(fade.samples()[..FADE].windows(2).all(|w| w[0] >= w[1]));
}

#[test]
fn a_prompt_is_begun_when_its_first_piece_is_there_and_waits_for_the_others() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 3);
    assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
    player.ready(CallTime(7), PromptId(1), prompt(200));
    let begun = |total| Input::PlaybackStarted { prompt: PromptId(1), total, ready: CallTime(7) };
    player.frame(&mut events);
    let second = player.frame(&mut events);
    assert_eq!(second.samples().iter().filter(|s| **s != 0).count(), 40);
    assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
    assert_eq!(events, [begun(200)]);
    // One without a sound, and the last.
    player.ready(CallTime(500), PromptId(1), prompt(0));
    player.ready(CallTime(500), PromptId(1), prompt(160));
    assert_eq!(player.left(1), 160);
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
    let ended = Input::PlaybackEnded { prompt: PromptId(1), played: 360, total: 360 };
    assert_eq!(events[1..], [begun(360), ended]);
}

#[test]
fn pieces_follow_each_other_without_a_gap() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 2);
    player.ready(CallTime(7), PromptId(1), prompt(100));
    player.ready(CallTime(8), PromptId(1), prompt(220));
    for _ in 0..2 {
        assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
    }
    assert_eq!(events.len(), 2, "{events:?}");
}

#[test]
fn a_prompt_that_is_stopped_before_it_was_made_whole_is_not_complete() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 2);
    player.ready(CallTime(7), PromptId(1), prompt(160));
    player.frame(&mut events);
    let ended = Input::PlaybackEnded { prompt: PromptId(1), played: 160, total: 0 };
    assert_eq!(player.stop(), [ended]);
    player.ready(CallTime(9), PromptId(1), prompt(160));
    assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
}

#[test]
fn a_prompt_of_no_pieces_ends_at_once() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 0);
    player.frame(&mut events);
    assert_eq!(events, [Input::PlaybackEnded { prompt: PromptId(1), played: 0, total: 0 }]);
}

#[test]
fn a_held_prompt_goes_on_at_the_sample_where_it_stopped() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    let ramp = Arc::new(Pcm::new((0..1_000).collect()));
    player.ready(CallTime(0), PromptId(1), ramp);
    player.frame(&mut events);
    player.hold();
    let fade = player.frame(&mut events);
    assert_eq!(fade.samples()[FADE..], [0; FRAME - FADE]);
    assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
    player.resume();
    assert_eq!(player.frame(&mut events).samples()[..3], [160, 161, 162]);
}

#[test]
fn a_muted_prompt_waits_even_when_a_hold_is_over() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.ready(CallTime(0), PromptId(1), prompt(1_000));
    player.frame(&mut events);
    player.mute(true);
    player.frame(&mut events);
    player.resume();
    assert_eq!(player.frame(&mut events), Pcm::silence(FRAME));
    player.mute(false);
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
    assert_eq!(player.left(1), 1_000 - 2 * FRAME);
}

#[test]
fn a_held_prompt_that_goes_on_in_doubt_is_quiet_until_it_is_resumed() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.ready(CallTime(0), PromptId(1), prompt(1_600));
    player.duck();
    player.frame(&mut events);
    player.hold();
    player.frame(&mut events);
    player.resume_ducked();
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 250));
    player.resume();
    player.frame(&mut events);
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
}

#[test]
fn a_ducked_prompt_is_quieter_and_loses_nothing() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.ready(CallTime(0), PromptId(1), prompt(480));
    player.duck();
    let quiet = player.frame(&mut events);
    assert!(quiet.samples()[0] > 900 && quiet.samples()[FADE..].iter().all(|s| *s == 250));
    player.resume();
    player.frame(&mut events);
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
    let ended = Input::PlaybackEnded { prompt: PromptId(1), played: 480, total: 480 };
    assert_eq!(events.last(), Some(&ended));
}

#[test]
fn the_level_is_back_after_a_ducked_prompt() {
    let (mut player, mut events) = (Player::default(), Vec::new());
    player.enqueue(PromptId(1), 1);
    player.ready(CallTime(0), PromptId(1), prompt(80));
    player.duck();
    player.frame(&mut events);
    player.frame(&mut events);
    player.enqueue(PromptId(2), 1);
    player.ready(CallTime(0), PromptId(2), prompt(320));
    player.frame(&mut events);
    assert!(player.frame(&mut events).samples().iter().all(|s| *s == 1_000));
}
