//! Floor 2: meaning from words. Slot grammars and the intent classifier. No I/O, no clock.
