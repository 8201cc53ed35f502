//! Cutting a stream of bytes into SIP messages (RFC 3261 sections 7.5 and 18.3).

/// The most that one message may have; longer ones end their connection.
const MAX_MESSAGE: usize = 65_535;

/// One thing found in a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message: head, empty line, body.
    Message(Vec<u8>),
    /// A head whose Content-Length cannot be used, so that what follows it cannot be found: to be
    /// answered, and the connection closed.
    Last(Vec<u8>),
    /// A keep-alive that wants an answer, two line ends (RFC 5626 section 4.4.1).
    Ping,
}

/// The stream holds no SIP, or a message longer than 65,535 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream holds no SIP message that ends within 65,535 bytes")]
pub struct NotSip;

/// Collects bytes until they make a message. Holds at most one message and what came with it.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Up to here no end of a head has been found.
    searched: usize,
}

impl Framer {
    /// Takes bytes as they came; [`Self::next_frame`] gives what they complete.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether part of a message is waiting for its rest.
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`NotSip`] when no message can begin here; the connection is then of no further use.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, NotSip> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.consume(4);
            return Ok(Some(Frame::Ping));
        }
        // A single line end answers a keep-alive, or follows a message too long by two.
        if self.buffer.starts_with(b"\r\n") && self.buffer.len() > 2 && self.buffer[2] != b'\r' {
            self.consume(2);
        }
        // What begins like this is TLS, or noise.
        if self.buffer.first().is_some_and(|b| !b.is_ascii_graphic() && *b != b'\r') {
            return Err(NotSip);
        }
        let Some(head) = self.end_of_head() else {
            return if self.buffer.len() > MAX_MESSAGE { Err(NotSip) } else { Ok(None) };
        };
        let Some(body) = content_length(&self.buffer[..head]) else {
            return Ok(Some(Frame::Last(self.consume(head))));
        };
        match head.checked_add(body).filter(|whole| *whole <= MAX_MESSAGE) {
            None => Err(NotSip),
            Some(whole) if self.buffer.len() < whole => Ok(None),
            Some(whole) => Ok(Some(Frame::Message(self.consume(whole)))),
        }
    }

    /// Where the body begins.
    fn end_of_head(&mut self) -> Option<usize> {
        let from = self.searched;
        let found = self.buffer[from..].windows(4).position(|w| w == b"\r\n\r\n");
        // A head that was found stays to be found again while its body is awaited.
        self.searched = found.map_or(self.buffer.len().saturating_sub(3), |at| from + at);
        Some(self.searched + 4).filter(|_| found.is_some())
    }

    fn consume(&mut self, bytes: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(bytes);
        self.searched = 0;
        std::mem::replace(&mut self.buffer, rest)
    }
}

/// The length of the body that `head` announces: 0 when it does not say, `None` when what it
/// says is no length, or two of them differ.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut length = None;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = line[..colon].trim_ascii();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = std::str::from_utf8(line[colon + 1..].trim_ascii()).ok()?;
        // `parse` alone would take a sign.
        let value = value.parse().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit()))?;
        if length.replace(value).is_some_and(|before| before != value) {
            return None;
        }
    }
    Some(length.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(body: &str) -> Vec<u8> {
        let length = body.len();
        format!("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
    }

    /// All frames of `bytes`, which come in pieces of `piece` bytes.
    fn frames(bytes: &[u8], piece: usize) -> Result<Vec<Frame>, NotSip> {
        let (mut framer, mut frames) = (Framer::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            framer.push(piece);
            while let Some(frame) = framer.next_frame()? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    #[test]
    fn two_messages_in_one_segment_are_two() {
        let both = [message("one"), message("")].concat();
        let want = vec![Frame::Message(message("one")), Frame::Message(message(""))];
        assert_eq!(frames(&both, both.len()), Ok(want));
    }

    #[test]
    fn keep_alives_between_messages_are_told_and_answers_to_ours_are_not() {
        let bytes = [b"\r\n\r\n".as_slice(), &message("one"), b"\r\n", &message("two")].concat();
        let (one, two) = (Frame::Message(message("one")), Frame::Message(message("two")));
        assert_eq!(frames(&bytes, 1), Ok(vec![Frame::Ping, one, two]));
    }

    #[test]
    fn a_head_without_a_length_has_no_body() {
        let bare = b"OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n";
        assert_eq!(frames(bare, 7), Ok(vec![Frame::Message(bare.to_vec())]));
    }

    #[test]
    fn a_length_that_is_none_makes_the_message_the_last() {
        for value in ["-1", "+1", "1x", "", "99999999999999999999999", "1\r\nl: 2"] {
            let head = format!("A sip:b SIP/2.0\r\nContent-Length: {value}\r\n\r\n").into_bytes();
            assert_eq!(frames(&head, 64), Ok(vec![Frame::Last(head.clone())]), "{value}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_text_ends_the_stream() {
        let long = b"A sip:b SIP/2.0\r\nContent-Length: 4294967295\r\n\r\n";
        assert_eq!(frames(long, 64), Err(NotSip));
        assert_eq!(frames(&vec![b'a'; MAX_MESSAGE + 2], 1_000), Err(NotSip));
        assert_eq!(frames(b"\x16\x03\x01\x02\x00", 5), Err(NotSip), "a TLS hello");
    }

    proptest! {
        #[test]
        fn messages_survive_any_segmentation(
            bodies in prop::collection::vec("[ -~\r\n]{0,80}", 1..6), piece in 1usize..200
        ) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| message(body)).collect();
            let want: Vec<Frame> = bodies.iter().map(|b| Frame::Message(message(b))).collect();
            prop_assert_eq!(frames(&bytes, piece), Ok(want));
        }

        #[test]
        fn any_bytes_are_cut_without_loss_or_panic(bytes: Vec<u8>, piece in 1usize..50) {
            if let Ok(frames) = frames(&bytes, piece) {
                let taken: usize = frames.iter().map(|frame| match frame {
                    Frame::Message(m) | Frame::Last(m) => m.len(),
                    Frame::Ping => 4,
                }).sum();
                prop_assert!(taken <= bytes.len());
            }
        }
    }
}
