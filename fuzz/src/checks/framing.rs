//! A stream from a stranger, cut into messages: nothing is lost, and it does not matter how the
//! bytes came.

use crate::stream::{Frame, Framer, NotSip};

const MAX_MESSAGE: usize = 65_535;

/// Checks one input: a byte for the length of the pieces, then the stream.
pub fn check(data: &[u8]) {
    let Some((&piece, stream)) = data.split_first() else { return };
    let whole = cut(stream, stream.len().max(1));
    assert_eq!(whole, cut(stream, usize::from(piece).max(1)), "it matters how the bytes came");
    let mut rest = stream;
    for frame in &whole.0 {
        let bytes: &[u8] = match frame {
            Frame::Message(message) | Frame::Last(message) => message,
            Frame::Ping => b"\r\n\r\n",
        };
        // Only an answer to a keep-alive may lie between two frames.
        rest = rest
            .strip_prefix(bytes)
            .or_else(|| rest.strip_prefix(b"\r\n")?.strip_prefix(bytes))
            .expect("frames in order");
        match frame {
            Frame::Message(message) => {
                assert!(message.len() <= MAX_MESSAGE);
                assert_eq!(
                    cut(message, message.len()),
                    (vec![Frame::Message(message.clone())], Ok(Rest::Nothing))
                );
            }
            Frame::Last(head) => assert!(head.ends_with(b"\r\n\r\n")),
            Frame::Ping => {}
        }
    }
    if whole.1 == Ok(Rest::Nothing) {
        assert!(rest.is_empty(), "a partial message was forgotten");
    }
}

/// How a stream was cut: its frames, and how it ended.
type Cut = (Vec<Frame>, Result<Rest, NotSip>);

#[derive(Debug, PartialEq)]
enum Rest {
    /// All of it was taken.
    Nothing,
    /// Part of a message waits for more.
    Partial,
    /// The last frame's end cannot be known.
    Unknown,
}

/// Cuts a stream that comes in pieces of so many bytes.
fn cut(stream: &[u8], piece: usize) -> Cut {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    for piece in stream.chunks(piece) {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let last = matches!(frame, Frame::Last(_));
                    frames.push(frame);
                    if last {
                        return (frames, Ok(Rest::Unknown));
                    }
                }
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    (frames, Ok(if framer.is_partial() { Rest::Partial } else { Rest::Nothing }))
}
