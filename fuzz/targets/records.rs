#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| usher::fuzzing::records(bytes));
