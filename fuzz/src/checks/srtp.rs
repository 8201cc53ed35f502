//! Protected packets: what was sealed opens once and unchanged; what was altered, replayed or made
//! by a stranger never does.

use super::input::Input;
use crate::srtp::{CryptoAttribute, MasterKey, SecureStream, Suite};

/// Checks one input.
pub fn check(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte().unwrap_or(0);
    let suite = Suite::ALL[usize::from(choice) % 4];
    let key = |seed| MasterKey::from_random(suite, &[seed; MasterKey::MOST_BYTES]);
    let (a, b) = (key(1), key(2));
    let stream = |ours, theirs| SecureStream::new(ours, theirs).expect("the suite works");
    let (mut sender, mut receiver) = (stream(&a, &b), stream(&b, &a));
    let mut sequence = 0_u16;
    while let (Some(flip), Some(bytes)) = (input.byte(), input.bytes()) {
        assert!(receiver.unprotect(bytes).is_err(), "a stranger's RTP is opened");
        assert!(receiver.unprotect_rtcp(bytes).is_err(), "a stranger's RTCP is opened");
        // The library may refuse to seal what is no RTP; the header below always is.
        let _ = (stream(&a, &b).protect(bytes), stream(&a, &b).protect_rtcp(bytes));
        sequence = sequence.wrapping_add(1);
        let mut packet = vec![0x80, choice & 0x7F];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, flip, 1, 2, 3, 4]);
        packet.extend(bytes);
        let sealed = sender.protect(&packet).expect("this is RTP");
        assert!(sealed.len() <= packet.len() + 16);
        let mut altered = sealed.clone();
        let at = usize::from(flip) * 7 % altered.len();
        altered[at] ^= 1 << (flip & 7);
        assert!(receiver.unprotect(&altered).is_err(), "an altered packet is opened");
        assert_eq!(receiver.unprotect(&sealed).expect("it is ours"), packet);
        assert!(receiver.unprotect(&sealed).is_err(), "a replay is opened");
        let report = [&[0x80, 201, 0, 1, 1, 2, 3, 4], bytes].concat();
        if let Ok(sealed) = sender.protect_rtcp(&report) {
            assert_eq!(receiver.unprotect_rtcp(&sealed).expect("it is ours"), report);
            assert!(receiver.unprotect_rtcp(&sealed).is_err(), "a replay is opened");
        }
    }
    if let Ok(line) = std::str::from_utf8(data).map(CryptoAttribute::parse)
        && let Ok(line) = line
    {
        let again = CryptoAttribute::parse(&line.to_string()).expect("our own line is read");
        assert_eq!(again, line);
    }
}
