//! Floor 6: the SIP user agent on `rsipstack`, behind our own leg trait.
