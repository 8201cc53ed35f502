//! Voice activity: where speech starts and stops.
