/// Where a pull tells how it goes. All sizes are in bytes.
pub trait Progress {
    /// A download begins; `total` when the server told it.
    fn begin(&mut self, what: &str, total: Option<u64>);
    /// So much of the download is here, with what an earlier run left.
    fn position(&mut self, bytes: u64);
    /// The download ended, well or not.
    fn end(&mut self);
    /// Something worth a line.
    fn note(&mut self, line: &str);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&mut self, _what: &str, _total: Option<u64>) {}
    fn position(&mut self, _bytes: u64) {}
    fn end(&mut self) {}
    fn note(&mut self, _line: &str) {}
}
