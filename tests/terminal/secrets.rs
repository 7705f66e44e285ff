//! Secrets that are given while the terminal UI is open.

use super::program::made;
use super::{Terminal, in_terminal, quits};

const SEALED: &str = "captures/b-ntlm-seal-smb311.pcap";

#[test]
fn everything_is_read_again_and_the_call_is_found_again() {
    let keys = made("terminal/lab.toml", b"[[password]]\npassword = 'Sesame'\n");
    let mistake = made("terminal/mistake.toml", b"[[password]]\npassword = Sesame\n");
    let mut terminal = Terminal::open(in_terminal(&[SEALED]), (200, 40), |command| command);
    terminal.shows("16 calls, 112 frames");
    terminal.keys(":7\r");
    terminal.shows("── call 7: StartShadowCopySet");
    terminal.keys(&format!("K{mistake}\r"));
    terminal.shows("mistake.toml, line 2: expected TOML");
    terminal.hides("Sesame");
    // More than once: what was read before is gone each time.
    for _ in 0..2 {
        terminal.keys(&format!("jkK{keys}\r"));
        terminal.shows("lab.toml, 1 secret: ");
        terminal.shows("── call 7: StartShadowCopySet");
        terminal.shows("16 calls, 112 frames");
        terminal.hides("Sesame");
    }
    quits(terminal);
}
