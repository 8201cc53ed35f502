#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hotline_fuzz::checks::telephone_event::check(data));
