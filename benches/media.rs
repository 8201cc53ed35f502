//! What a tick of 20 ms costs: `cargo bench --bench media`.

use divan::{Bencher, counter::ItemsCount};
use hotline::{
    audio::{
        CallTime, Codec, Concealer, Hz8k, Hz16k, Hz24k, Law, Pcm, Resampler,
        codec::{Decoder, Encoder},
        convert, g711,
    },
    rtp::{Formats, NtpTime, RtpConfig, RtpSession},
    sdp::{self, Capabilities, LocalMedia, Security},
};

fn main() {
    divan::main();
}

const LAWS: [&str; 2] = ["PCMU", "PCMA"];

fn law(name: &str) -> Law {
    if name == "PCMA" { Law::A } else { Law::Mu }
}

/// Something with a pitch, `len` samples of it.
fn vowel(len: usize) -> Pcm<Hz8k> {
    let x = |i: usize| (i as f32 * 0.0942).sin() * 8_000.0 + (i as f32 * 0.5).sin() * 2_000.0;
    Pcm::new((0..len).map(|i| x(i) as i16).collect())
}

fn session(ssrc: u32) -> RtpSession {
    RtpSession::new(RtpConfig {
        ssrc,
        first_seq: 0,
        first_timestamp: 0,
        seed: 0,
        formats: Formats::only(0, Codec::Pcmu),
    })
}

#[divan::bench(args = LAWS)]
fn g711_encode(bencher: Bencher, name: &str) {
    let (law, frame) = (law(name), vowel(160));
    bencher.bench(|| g711::encode(law, divan::black_box(&frame)));
}

#[divan::bench(args = LAWS)]
fn g711_decode(bencher: Bencher, name: &str) {
    let law = law(name);
    let bytes = g711::encode(law, &vowel(160));
    bencher.bench(|| g711::decode(law, divan::black_box(&bytes)));
}

#[divan::bench(args = Codec::ALL)]
fn encode_a_frame(bencher: Bencher, codec: &Codec) {
    let (mut encoder, frame) = (Encoder::new(*codec), vowel(160));
    bencher.bench_local(|| encoder.encode(divan::black_box(&frame)));
}

#[divan::bench(args = Codec::ALL)]
fn decode_a_frame(bencher: Bencher, codec: &Codec) {
    let payload = Encoder::new(*codec).encode(&vowel(160));
    let mut decoder = Decoder::new(*codec);
    bencher.bench_local(|| decoder.decode(divan::black_box(&payload)));
}

#[divan::bench]
fn resample_stream_8k_to_16k(bencher: Bencher) {
    let frame = vowel(160);
    let mut resampler = Resampler::<Hz8k, Hz16k>::new();
    bencher.bench_local(|| resampler.push(divan::black_box(&frame)));
}

#[divan::bench]
fn resample_a_second_of_24k_to_8k(bencher: Bencher) {
    let pcm = Pcm::<Hz24k>::new(vowel(24_000).into_samples());
    bencher.bench(|| convert::<_, Hz8k>(divan::black_box(&pcm)));
}

/// The first lost frame, the dearest: it finds the pitch.
#[divan::bench]
fn conceal_a_frame(bencher: Bencher) {
    let mut heard = Concealer::new();
    heard.good(&mut vowel(400));
    bencher.with_inputs(|| heard.clone()).bench_local_values(|mut c| c.lost(160));
}

/// Both directions of a call for one second: 50 frames sent, received and played.
#[divan::bench]
fn rtp_second_of_a_call(bencher: Bencher) {
    let frame = vowel(160);
    bencher.counter(ItemsCount::new(50_usize)).bench(|| {
        let (mut bot, mut caller) = (session(1), session(2));
        for tick in 0..50 {
            let at = CallTime::from_ms(tick * 20);
            for packet in bot.send(&frame) {
                let _ = caller.receive(at, &packet);
            }
            divan::black_box(caller.pull());
            divan::black_box(caller.rtcp_due(at, NtpTime(0)));
        }
        caller.stats()
    });
}

#[divan::bench]
fn sdp_answer(bencher: Bencher) {
    let side = |host| LocalMedia {
        address: [192, 0, 2, host].into(),
        port: 40_000,
        session_id: 1,
        version: 1,
        capabilities: Capabilities::default(),
        security: Security::default(),
    };
    let offer = sdp::offer(&side(1));
    bencher.bench(|| sdp::answer(divan::black_box(&offer), &side(2)));
}
