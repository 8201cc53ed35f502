//! Floor 5: turn-taking around the dialog. Pure: no I/O, no clock.
