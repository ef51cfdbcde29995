#![no_main]
libfuzzer_sys::fuzz_target!(|text: &str| usher::fuzzing::password(text));
