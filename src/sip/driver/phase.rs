/// Where a leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No final answer yet.
    Early,
    /// Inbound: answered, the ACK is still to come.
    Answered,
    Up,
    /// Ended by us; last messages are under way.
    Closing,
    Over,
}

impl Phase {
    /// As error messages have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Early => "not answered yet",
            Self::Answered | Self::Up => "already answered",
            Self::Closing | Self::Over => "over",
        }
    }
}
