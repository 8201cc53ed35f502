//! English synthesis: Hibari, and its text-to-phoneme front end.
