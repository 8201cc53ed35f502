//! Floor 2: SDP offer/answer (RFC 3264). No I/O.
