//! Floor 2: RTP and RTCP as pure state machines. No sockets, no clock.
