//! What compressed SMB messages of public captures are known to say.

use std::path::Path;
use std::process::Command;

use crate::common;

/// The octets of each section of `vshark show --frame`, behind its title.
fn sections(capture: &Path, frame: u64) -> Vec<(String, Vec<u8>)> {
    let output = Command::new(env!("CARGO_BIN_EXE_vshark"))
        .args(["show", "--frame", &frame.to_string()])
        .arg(capture)
        .output()
        .expect("vshark runs");
    let text = String::from_utf8(output.stdout).expect("vshark writes UTF-8");
    let mut sections: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        if !line.is_empty() && !line.starts_with(' ') {
            sections.push((line.to_owned(), Vec::new()));
        }
        let Some((_, octets)) = sections.last_mut() else { continue };
        // `  0010  00 01 …  text`: an offset of four digits, then at most sixteen octets.
        let place = format!("{:04x}", octets.len());
        if let Some(row) = line.strip_prefix("  ").and_then(|row| row.strip_prefix(&place)) {
            let digits = row.get(1..50).unwrap_or(row);
            let row = digits.split_whitespace().map(|two| u8::from_str_radix(two, 16));
            octets.extend(row.map(|octet| octet.expect("two digits")));
        }
    }
    sections
}

#[test]
fn compressed_messages_are_shown_in_plain_text() {
    let Some(folder) = common::shared("captures/public") else { return };
    let all_a = [b'a'; 4096];
    let all_aa = [0xaa; 256];
    // READ responses and a WRITE request: their headers, then the data, and nothing behind them.
    let cases: [(&str, u64, usize, &[u8]); 5] = [
        ("smb311-lz77-lz77huff-lznt1.pcap.gz", 1, 80, &all_a),
        ("smb311-lz77-lz77huff-lznt1.pcap.gz", 2, 80, &all_a),
        ("smb311-lz77-lz77huff-lznt1.pcap.gz", 3, 80, &all_a),
        ("smb311-chained-patternv1-lznt1.pcapng.gz", 1, 112, &all_aa),
        ("smb311-chained-patternv1-lznt1.pcapng.gz", 2, 80, &all_aa),
    ];
    for (name, frame, headers, data) in cases {
        let capture = folder.join(format!("wireshark-4.0.17__{name}"));
        let sections = sections(&capture, frame);
        let plain: Vec<_> =
            sections.iter().filter(|(title, _)| title.contains("decompressed")).collect();
        let [(title, octets)] = plain[..] else { panic!("{name} {frame}: {sections:?}") };
        assert!(title.ends_with(&format!("decompressed from frame {frame}")), "{title}");
        assert!(octets.starts_with(b"\xfeSMB"), "{name} {frame}");
        assert_eq!(&octets[headers..], data, "{name} {frame}");
    }
}
