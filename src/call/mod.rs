//! Floor 7: one owner per call. Binds a leg to speech and conversation, records, journals.
