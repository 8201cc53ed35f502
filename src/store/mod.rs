//! Floor 6: what outlives a call, in SQLite.
