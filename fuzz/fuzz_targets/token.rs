#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vshark_fuzz::token(data));
