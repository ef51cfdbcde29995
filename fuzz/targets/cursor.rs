#![no_main]
libfuzzer_sys::fuzz_target!(|text: &str| usher::fuzzing::cursor(text));
