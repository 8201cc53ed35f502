//! What came of a call that was not answered.

use serde::Serialize;

use crate::{
    call::CallError,
    sip::{Reason, SipError},
};

/// What came of a call that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DialOutcome {
    /// The callee talks to somebody else.
    Busy,
    /// It rang, and nobody answered; or nobody was there to be rung.
    NoAnswer,
    /// The callee does not want the call.
    Rejected,
    /// There is no such number.
    InvalidNumber,
    /// The number is there, and cannot be reached for long.
    OutOfService,
    /// It cannot be reached now: switched off, without a network, or there is no route.
    Unreachable,
    /// The network does not let such calls through.
    Barred,
    /// Too many calls, in the network or by our own limits.
    Congestion,
    /// The trunk does not take our calls: it is not there, or does not know us.
    TrunkError,
    /// We gave it up before the answer.
    Cancelled,
    /// Anything else.
    Failed,
}

impl DialOutcome {
    /// As it stands in the call record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Rejected => "rejected",
            Self::InvalidNumber => "invalid_number",
            Self::OutOfService => "out_of_service",
            Self::Unreachable => "unreachable",
            Self::Barred => "call_barred",
            Self::Congestion => "congestion",
            Self::TrunkError => "trunk_error",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// That of a refusal with a SIP status code. The cause of the telephone network behind a gateway (Q.850, in a Reason
    /// header) says more than the code that the gateway made of it (RFC 3398).
    pub fn of_refusal(code: u16, reason: Option<&Reason>) -> Self {
        let cause = reason.and_then(|reason| reason.q850);
        cause.and_then(Self::of_cause).unwrap_or_else(|| Self::of_code(code))
    }

    fn of_cause(q850: u16) -> Option<Self> {
        Some(match q850 {
            1 | 2 | 22 | 28 => Self::InvalidNumber,
            3 | 20 => Self::Unreachable,
            17 => Self::Busy,
            18 | 19 => Self::NoAnswer,
            21 => Self::Rejected,
            27 => Self::OutOfService,
            34 | 38 | 41 | 42 | 44 | 47 => Self::Congestion,
            50 | 52..=55 | 57 => Self::Barred,
            _ => return None,
        })
    }

    fn of_code(code: u16) -> Self {
        match code {
            486 | 600 => Self::Busy,
            408 | 480 | 487 => Self::NoAnswer,
            603 | 607 | 608 => Self::Rejected,
            404 | 410 | 416 | 484 | 485 | 604 => Self::InvalidNumber,
            403 => Self::Barred,
            502 | 504 => Self::Unreachable,
            503 => Self::Congestion,
            401 | 407 | 500 | 501 => Self::TrunkError,
            _ => Self::Failed,
        }
    }

    /// That of a call that came to nothing before its callee could say anything.
    pub(super) fn of_error(error: &CallError) -> Self {
        match error {
            CallError::Signalling(SipError::TrunkFull { .. }) | CallError::Port(_) => {
                Self::Congestion
            }
            CallError::Signalling(SipError::Unavailable { code, .. }) => Self::of_code(*code),
            CallError::Signalling(SipError::Trunk { .. }) => Self::TrunkError,
            CallError::Signalling(SipError::Connect { .. } | SipError::Resolve { .. }) => {
                Self::Unreachable
            }
            CallError::Signalling(SipError::Uri { .. }) => Self::InvalidNumber,
            CallError::Refused { code, cause, .. } => Self::of_refusal(*code, cause.as_ref()),
            CallError::NoAnswer { .. } => Self::NoAnswer,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, q850: Option<u16>) -> &'static str {
        let reason = Reason { q850, ..Reason::default() };
        DialOutcome::of_refusal(code, Some(&reason)).as_str()
    }

    #[test]
    fn a_sip_code_tells_what_came_of_the_call() {
        for (code, outcome) in [
            (486, "busy"),
            (600, "busy"),
            (480, "no_answer"),
            (408, "no_answer"),
            (603, "rejected"),
            (404, "invalid_number"),
            (484, "invalid_number"),
            (403, "call_barred"),
            (503, "congestion"),
            (502, "unreachable"),
            (401, "trunk_error"),
            (488, "failed"),
        ] {
            assert_eq!(refused(code, None), outcome, "{code}");
        }
    }

    #[test]
    fn the_cause_of_the_telephone_network_says_more() {
        for (code, cause, outcome) in [
            (480, 17, "busy"),
            (503, 1, "invalid_number"),
            (480, 20, "unreachable"),
            (502, 27, "out_of_service"),
            (500, 34, "congestion"),
            (486, 31, "busy"),
        ] {
            assert_eq!(refused(code, Some(cause)), outcome, "{code} with cause {cause}");
        }
    }
}
