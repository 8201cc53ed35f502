//! Floor 6: the SIP user agent on `rsipstack`, behind our own leg trait.
//!
//! A [`UserAgent`] owns its sockets: UDP, TCP, TLS. Calls come out of it as [`SipLeg`]s, inbound through
//! [`UserAgent::next_invite`] and outbound through [`UserAgent::dial`]; whoever holds a leg reads
//! its events and tells it what to do, through the [`Leg`] trait. SDP passes through as text.
//!
//! Each leg has one driver task that owns its dialog, because the stack's own calls must not be
//! cancelled half way and its timers only run while somebody drives them. Everything between the
//! driver and the holder of the leg is bounded.
//!
//! The stack logs whole messages at `info`, numbers included: keep `rsipstack` at `warn` in logs
//! that are kept.

mod agent;
mod asked;
mod dial;
mod dialer;
mod dispatch;
mod driver;
mod early_route;
mod error;
mod inspect;
mod keys;
mod last_words;
mod leg;
mod lock;
mod message;
mod permits;
mod reason;
mod redact;
mod refer;
mod registry;
mod reliable;
mod replaces;
mod request;
mod resolve;
mod screen;
mod session_timer;
mod sip_leg;
mod tidy;
mod transport;
mod trunk;

pub use agent::{UserAgent, UserAgentConfig};
pub use asked::{ReferReports, ReferRequest};
pub use dial::{Credentials, DialRequest};
pub use dialer::{Dialer, Route};
pub use error::SipError;
pub use leg::{Direction, HangUpCause, Leg, LegEvent, LegInfo, Reinvite, Rejection};
pub use permits::{Permit, Permits};
pub use reason::Reason;
pub use redact::Redacted;
pub use refer::{ReferProgress, Referral, Replaces};
pub use replaces::Replacement;
pub use session_timer::SessionTimerConfig;
pub use sip_leg::SipLeg;
pub use transport::{Frame, Framer, ListenOn, NotSip, Secured, TlsFiles, Transport};
pub use trunk::{
    AddressReport, Answer, InboundConfig, RegisterConfig, Registration, TargetReport, TrunkCall,
    TrunkConfig, TrunkState,
};
