//! Whether the independent judge is there.

use std::process::Command;

/// Whether the tests that need tshark can run. Says so where they cannot; to skip is a failure
/// where `VSHARK_REQUIRE_TSHARK` is 1.
pub(crate) fn is_installed() -> bool {
    let version = Command::new("tshark").arg("--version").output();
    if version.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let required = std::env::var_os("VSHARK_REQUIRE_TSHARK").is_some_and(|value| value == "1");
    assert!(!required, "tshark is not installed, and VSHARK_REQUIRE_TSHARK=1");
    crate::common::say("skipped: tshark is not installed");
    false
}
