//! `hotline models`: list, pull and verify speech models.
