/// Longest event, in bytes.
const LONGEST: usize = 256 * 1024;

/// Server-sent events out of the bytes of a body, as they come (WHATWG HTML, 9.2.6). Only `data` is read.
#[derive(Debug, Default)]
pub struct EventStream {
    line: Vec<u8>,
    data: Option<String>,
}

/// A stream that is no stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// An event has no end.
    #[error("an event is longer than {LONGEST} bytes")]
    TooLong,
    /// An event is no UTF-8.
    #[error("an event is not UTF-8 text")]
    NotText,
}

impl EventStream {
    /// Takes the next bytes; gives the data of the events that are now whole.
    ///
    /// # Errors
    /// [`EventError`] when it is no stream of events.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, EventError> {
        let mut events = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                events.extend(self.line(&line)?);
            } else if self.line.len() >= LONGEST {
                return Err(EventError::TooLong);
            } else {
                self.line.push(byte);
            }
        }
        Ok(events)
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<String>, EventError> {
        let line = std::str::from_utf8(line).map_err(|_| EventError::NotText)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Ok(self.data.take());
        }
        if let Some(data) = line.strip_prefix("data:") {
            let data = data.strip_prefix(' ').unwrap_or(data);
            let so_far = self.data.get_or_insert_default();
            if so_far.len() + data.len() > LONGEST {
                return Err(EventError::TooLong);
            }
            if !so_far.is_empty() {
                so_far.push('\n');
            }
            so_far.push_str(data);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_are_found_however_the_bytes_come() {
        let body = ": hello\r\n\r\ndata: {\"a\": 1}\n\nevent: x\ndata: one\ndata:two\n\ndata: 好\n\ndata: [DONE]\n\n";
        let wanted = ["{\"a\": 1}", "one\ntwo", "好", "[DONE]"];
        for size in 1..body.len() {
            let mut stream = EventStream::default();
            let events: Vec<String> =
                body.as_bytes().chunks(size).flat_map(|part| stream.push(part).unwrap()).collect();
            assert_eq!(events, wanted, "{size}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let mut stream = EventStream::default();
        assert_eq!(stream.push(&vec![b'x'; LONGEST + 1]), Err(EventError::TooLong));
        let line = [b"data: ".to_vec(), vec![b'x'; LONGEST / 2], b"\n".to_vec()].concat();
        let mut stream = EventStream::default();
        assert!(stream.push(&line).is_ok() && stream.push(&line).is_ok());
        assert_eq!(stream.push(&line), Err(EventError::TooLong));
        assert_eq!(EventStream::default().push(b"data: \xff\n"), Err(EventError::NotText));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = EventStream::default().push(&bytes);
        }
    }
}
