//! Keys (RFC 4733): what is pressed arrives, each key once, though packets are lost, doubled and
//! swapped within a press; and any payload gives a key or nothing.

use super::input::{Input, event_key, formats};
use crate::{
    audio::{CallTime, Pcm},
    rtp::{RtpConfig, RtpSession},
};

/// Checks one input.
pub fn check(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte().unwrap_or(0);
    pressed_keys_arrive(choice, Input(input.0));
    foreign_payloads(choice, input);
}

/// Each press is a byte: the key and how long; and a byte that says what becomes of its packets.
fn pressed_keys_arrive(choice: u8, mut input: Input) {
    let (mut sender, mut receiver) = (session(1, choice), session(2, choice));
    let (mut tick, mut pressed, mut heard) = (0_u64, String::new(), String::new());
    while let (Some(press), Some(fate)) = (input.byte(), input.byte()) {
        let key = event_key(press);
        assert!(sender.press(key, 2 + u16::from(press >> 4)));
        pressed.push(key);
        let mut packets = Vec::new();
        for _ in 0..2 + u64::from(press >> 4) + 4 {
            packets.append(&mut sender.send(&Pcm::silence(160)));
        }
        // Of a burst of losses at least one packet survives; two neighbours change places.
        let lost = usize::from(fate & 15) % packets.len();
        packets.drain(..lost);
        if fate & 16 != 0 && packets.len() > 1 {
            packets.swap(0, 1);
        }
        for packet in packets {
            for _ in 0..=fate >> 5 & 1 {
                receiver.receive(CallTime(tick * 160), &packet).expect("our own packet is RTP");
            }
            tick += 1;
        }
        heard.extend(std::iter::from_fn(|| receiver.next_digit()).map(|digit| digit.key));
    }
    assert_eq!(heard, pressed);
}

/// Each packet is its timestamp, marker and payload.
fn foreign_payloads(choice: u8, mut input: Input) {
    let mut session = session(2, choice);
    let mut sequence = 0_u16;
    while let (Some(step), Some(payload)) = (input.byte(), input.bytes()) {
        let mut packet = vec![0x80, 101 | step & 0x80];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence / 4) * u32::from(step) * 10).to_be_bytes());
        packet.extend([0, 0, 0, 9]);
        packet.extend(payload);
        let _ = session.receive(CallTime(u64::from(sequence) * 160), &packet);
        session.pull();
        sequence = sequence.wrapping_add(1);
    }
    let digits: Vec<_> = std::iter::from_fn(|| session.next_digit()).collect();
    assert!(digits.len() <= 64 && digits.len() <= usize::from(sequence), "{digits:?}");
    assert!(digits.iter().all(|digit| "0123456789*#ABCD".contains(digit.key)));
}

fn session(ssrc: u32, choice: u8) -> RtpSession {
    let formats = formats(choice & !16);
    RtpSession::new(RtpConfig { ssrc, first_seq: 9, first_timestamp: 5, seed: 1, formats })
}
