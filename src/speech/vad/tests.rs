use std::f32::consts::TAU;

use proptest::prelude::*;

use super::*;

/// A buzzing voice: harmonics of a gliding pitch through three formants, four syllables a second.
fn voice(ms: usize, peak: f32) -> Vec<i16> {
    let len = ms * 8;
    let mut phase = 0.0f32;
    let samples: Vec<f32> = (0..len)
        .map(|i| {
            let t = i as f32 / 8_000.0;
            let pitch = 130.0 + 20.0 * (TAU * 1.5 * t).sin();
            phase = (phase + TAU * pitch / 8_000.0) % TAU;
            let open = (TAU * 2.0 * t).sin();
            let formants = [600.0 + 150.0 * open, 1_400.0 - 300.0 * open, 2_500.0];
            let voiced: f32 = (1..=26)
                .map(|k| {
                    let hz = k as f32 * pitch;
                    let gain: f32 =
                        formants.iter().map(|f| 1.0 / (1.0 + ((hz - f) / 90.0).powi(2))).sum();
                    gain / (k as f32).sqrt() * (k as f32 * phase).sin()
                })
                .sum();
            voiced * (0.6 - 0.4 * (TAU * 4.0 * t).cos())
        })
        .collect();
    let loudest = samples.iter().fold(0.0f32, |max, s| max.max(s.abs()));
    samples.iter().map(|s| (s / loudest * peak) as i16).collect()
}

/// White noise of a level in dB relative to full scale.
fn noise(ms: usize, db: f32) -> Vec<i16> {
    let amplitude = 32_768.0 * 10f32.powf(db / 20.0) * 3f32.sqrt();
    let mut seed = 7u32;
    (0..ms * 8)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (((seed >> 8) as f32 / 8_388_608.0 - 1.0) * amplitude) as i16
        })
        .collect()
}

/// Every edge with the moment it was reported, ms.
fn edges(call: &[i16], frame: usize) -> Vec<(SpeechEdge, u64)> {
    let mut detector = SpeechDetector::new(VadConfig::default());
    let mut fed = 0;
    call.chunks(frame)
        .filter_map(|frame| {
            fed += frame.len() as u64;
            Some((detector.push(&Pcm::new(frame.to_vec()))?, CallTime(fed).as_ms()))
        })
        .collect()
}

fn near(at: CallTime, ms: u64) -> bool {
    at.as_ms().abs_diff(ms) <= 50
}

#[test]
fn speech_is_noticed_soon_and_dated_right() {
    let call = [noise(1_000, -60.0), voice(1_500, 8_000.0), noise(1_000, -60.0)].concat();
    let edges = edges(&call, 160);
    let [(SpeechEdge::Started { at: start }, noticed), (SpeechEdge::Stopped { at: stop }, ended)] =
        edges[..]
    else {
        panic!("{edges:?}");
    };
    assert!(near(start, 1_000) && noticed <= 1_150, "{edges:?}");
    assert!(near(stop, 2_500) && ended <= 2_720, "{edges:?}");
}

#[test]
fn speech_is_likely_before_it_is_certain_and_noise_is_not() {
    let likely = |call: &[i16]| {
        let mut detector = SpeechDetector::new(VadConfig::default());
        call.chunks(160).position(|frame| {
            detector.push(&Pcm::new(frame.to_vec()));
            detector.likely_since().is_some()
        })
    };
    let frame = likely(&[noise(1_000, -60.0), voice(500, 8_000.0)].concat());
    assert!(frame.is_some_and(|frame| (50..54).contains(&frame)), "{frame:?}");
    assert_eq!(likely(&[noise(3_000, -65.0), noise(3_000, -30.0)].concat()), None);
}

/// A call in which the bot speaks for 8 s; the caller hears it and says `over` from 6 s on. When the caller
/// was found to speak, ms.
fn over_an_echo(db: f32, over: &[i16]) -> Vec<u64> {
    let bot = voice(8_000, 9_000.0);
    let hiss = noise(8_000, -60.0);
    let heard: Vec<i16> = (0..bot.len())
        .map(|i| {
            let echo = if i < 960 { 0.0 } else { f32::from(bot[i - 960]) * 10f32.powf(db / 20.0) };
            let caller = i.checked_sub(48_000).and_then(|i| over.get(i)).copied();
            hiss[i] + echo as i16 + caller.unwrap_or(0)
        })
        .collect();
    let (mut gate, mut detector) = (EchoGate::default(), SpeechDetector::new(VadConfig::default()));
    let frames = bot.chunks(160).zip(heard.chunks(160)).enumerate();
    frames
        .filter_map(|(i, (sent, heard))| {
            let heard = Pcm::new(heard.to_vec());
            let echo = gate.heard(&heard);
            let edge = detector.push_over(&heard, echo);
            gate.sent(&Pcm::new(sent.to_vec()));
            matches!(edge, Some(SpeechEdge::Started { .. })).then_some(20 * (i as u64 + 1))
        })
        .collect()
}

#[test]
fn the_bots_own_voice_is_not_the_callers() {
    for db in [-26.0, -20.0, -14.0] {
        assert!(over_an_echo(db, &[]).is_empty(), "{db} dB");
    }
}

#[test]
fn a_caller_is_heard_over_the_bots_echo() {
    for db in [-26.0, -20.0] {
        let found = over_an_echo(db, &voice(1_500, 9_000.0));
        assert!(
            matches!(found[..], [at, ..] if (6_000..6_250).contains(&at)),
            "{db} dB: {found:?}"
        );
    }
}

#[test]
fn half_a_minute_of_line_noise_is_not_speech() {
    for db in [-100.0, -60.0, -50.0, -40.0] {
        assert_eq!(edges(&noise(30_000, db), 160), [], "{db} dB");
    }
}

#[test]
fn noise_that_rises_is_not_speech() {
    let call = [noise(3_000, -65.0), noise(5_000, -35.0), noise(3_000, -60.0)].concat();
    assert_eq!(edges(&call, 160), []);
}

#[test]
fn a_click_is_not_speech() {
    let mut call = noise(3_000, -60.0);
    for at in [8_000, 12_000, 12_400, 20_000] {
        call[at..at + 8]
            .copy_from_slice(&[20_000, -20_000, 9_000, -9_000, 5_000, -4_000, 2_000, 0]);
    }
    assert_eq!(edges(&call, 160), []);
}

#[test]
fn noise_that_follows_speech_does_not_prolong_it() {
    let call = [noise(1_000, -60.0), voice(1_000, 8_000.0), noise(6_000, -35.0)].concat();
    let edges = edges(&call, 160);
    let [(SpeechEdge::Started { .. }, _), (SpeechEdge::Stopped { .. }, ended)] = edges[..] else {
        panic!("{edges:?}");
    };
    assert!(ended <= 2_800, "{edges:?}");
}

#[test]
fn the_frame_length_does_not_matter() {
    let call = [noise(500, -60.0), voice(800, 8_000.0), noise(700, -60.0)].concat();
    let kinds = |frame| edges(&call, frame).into_iter().map(|(edge, _)| edge).collect::<Vec<_>>();
    assert_eq!(kinds(160), kinds(37));
    assert_eq!(kinds(160), kinds(80));
}

#[test]
fn it_says_whether_somebody_speaks_and_when_somebody_last_did() {
    let mut detector = SpeechDetector::new(VadConfig::default());
    for frame in [noise(500, -60.0), voice(1_000, 8_000.0)].concat().chunks(160) {
        detector.push(&Pcm::new(frame.to_vec()));
    }
    assert!(detector.is_speech());
    assert!(near(detector.last_speech(), 1_500), "{}", detector.last_speech());
    for frame in noise(600, -60.0).chunks(160) {
        detector.push(&Pcm::new(frame.to_vec()));
    }
    assert!(!detector.is_speech());
}

#[test]
fn only_a_voice_has_voiced_time() {
    let wide = |samples| crate::audio::convert::<Hz8k, Hz16k>(&Pcm::new(samples));
    assert_eq!(voiced_time(&wide(noise(2_000, -50.0))), Duration::ZERO);
    assert_eq!(voiced_time(&wide(Vec::new())), Duration::ZERO);
    let voiced = voiced_time(&wide(voice(1_000, 8_000.0)));
    assert!(voiced > Duration::from_millis(500), "{voiced:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_audio_gives_edges_in_order(frames in prop::collection::vec(
        prop::collection::vec(any::<i16>(), 0..400), 0..60,
    )) {
        let mut detector = SpeechDetector::new(VadConfig::default());
        let mut fed = 0;
        for frame in frames {
            fed += frame.len() as u64;
            if let Some(SpeechEdge::Started { at } | SpeechEdge::Stopped { at }) =
                detector.push(&Pcm::new(frame))
            {
                prop_assert!(at <= CallTime(fed));
            }
            prop_assert!(detector.last_speech() <= CallTime(fed));
        }
    }
}
