//! Compressors of SMB messages, so that what is decompressed has another judge than the decoder.
//!
//! They are written from \[MS-XCA\] 2.1 and 2.3 and \[MS-SMB2\] 2.2.42, as simply as may be: greedy, and
//! with Huffman codes that are no more than valid. LZNT1 and LZ4 are those of other authors.

use std::collections::HashMap;

/// `CompressionAlgorithm` of those that can stand alone.
pub(crate) const ALGORITHMS: [u16; 4] = [1, 2, 3, 5];

/// Compresses `plain`.
pub(crate) fn compress(algorithm: u16, plain: &[u8]) -> Vec<u8> {
    match algorithm {
        1 => {
            let mut out = Vec::new();
            lznt1::compress(plain, &mut out);
            out
        }
        2 => lz77(&tokens(plain, 0, 8192)),
        3 => huffman(plain),
        5 => lz4_flex::block::compress(plain),
        _ => panic!("no algorithm {algorithm}"),
    }
}

/// \[MS-SMB2\] 2.2.42.1: the first `offset` octets of a message are left as they are.
pub(crate) fn unchained(algorithm: u16, message: &[u8], offset: usize) -> Vec<u8> {
    let (before, rest) = message.split_at(offset);
    [
        &b"\xfcSMB"[..],            // ProtocolId
        &len32(rest),               // OriginalCompressedSegmentSize
        &algorithm.to_le_bytes(),   // CompressionAlgorithm
        &[0, 0],                    // Flags
        &len32(before),             // Offset
        before,                     // uncompressed data
        &compress(algorithm, rest), // compressed data
    ]
    .concat()
}

/// \[MS-SMB2\] 2.2.42.2: the header of the message as it is, a run at the end as a pattern, and what
/// lies between compressed.
pub(crate) fn chained(algorithm: u16, message: &[u8]) -> Vec<u8> {
    let (header, rest) = message.split_at(message.len().min(64));
    let run = rest.iter().rev().take_while(|octet| Some(*octet) == rest.last()).count();
    let (middle, run) = rest.split_at(rest.len() - run);
    let mut payloads = vec![payload(0, header)];
    if !middle.is_empty() {
        payloads.push(payload(algorithm, middle));
    }
    if !run.is_empty() {
        payloads.push(payload(4, run));
    }
    chain(message.len(), &payloads)
}

/// A chain of payloads that are a message of `size` octets.
pub(crate) fn chain(size: usize, payloads: &[Vec<u8>]) -> Vec<u8> {
    let size = u32::try_from(size).unwrap().to_le_bytes();
    let mut all = payloads.concat();
    // Flags of the first.
    all[2] = 1;
    [b"\xfcSMB", &size[..], &all].concat()
}

/// \[MS-SMB2\] 2.2.42.2.1, with what follows it.
pub(crate) fn payload(algorithm: u16, plain: &[u8]) -> Vec<u8> {
    let data = match algorithm {
        0 => plain.to_vec(),
        4 => [&[plain[0], 0, 0, 0], &len32(plain)[..]].concat(),
        _ => [&len32(plain)[..], &compress(algorithm, plain)].concat(),
    };
    let flags = [0, 0];
    [&algorithm.to_le_bytes(), &flags[..], &len32(&data), &data].concat()
}

fn len32(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap().to_le_bytes()
}

/// A literal, or what was there before.
pub(crate) enum Token {
    Literal(u8),
    Match { distance: usize, len: usize },
}

/// `plain` from `start` on as tokens.
fn tokens(plain: &[u8], start: usize, farthest: usize) -> Vec<Token> {
    let mut seen: HashMap<&[u8], usize> = HashMap::new();
    for at in start.saturating_sub(farthest)..start {
        seen.insert(&plain[at..plain.len().min(at + 3)], at);
    }
    let mut tokens = Vec::new();
    let mut at = start;
    while at < plain.len() {
        let three = &plain[at..plain.len().min(at + 3)];
        let before = seen.get(three).filter(|before| three.len() == 3 && at - **before <= farthest);
        let len = if let Some(before) = before {
            let same = (0..plain.len() - at).take_while(|n| plain[before + n] == plain[at + n]);
            let len = same.count();
            tokens.push(Token::Match { distance: at - before, len });
            len
        } else {
            tokens.push(Token::Literal(plain[at]));
            1
        };
        // Of a long match, its beginning and its end.
        let end = at + len;
        for at in (at..end.min(at + 64)).chain(end.saturating_sub(64).max(at)..end) {
            seen.insert(&plain[at..plain.len().min(at + 3)], at);
        }
        at = end;
    }
    tokens
}

/// \[MS-XCA\] 2.3 Plain LZ77 Compression Algorithm Details
pub(crate) fn lz77(tokens: &[Token]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut half = None;
    for group in tokens.chunks(32) {
        let bits = group.iter().enumerate().map(|(n, token)| match token {
            Token::Literal(_) => 0,
            Token::Match { .. } => 1 << (31 - n),
        });
        // What is left of the last flags is ones.
        let rest = u32::MAX.checked_shr(u32::try_from(group.len()).unwrap()).unwrap_or(0);
        let flags: u32 = bits.sum::<u32>() | rest;
        out.extend(flags.to_le_bytes());
        for token in group {
            match token {
                Token::Literal(octet) => out.push(*octet),
                Token::Match { distance, len } => {
                    lz77_match(*distance, len - 3, &mut half, &mut out);
                }
            }
        }
    }
    out
}

fn lz77_match(distance: usize, len: usize, half: &mut Option<usize>, out: &mut Vec<u8>) {
    out.extend(u16::try_from((distance - 1) << 3 | len.min(7)).unwrap().to_le_bytes());
    if len < 7 {
        return;
    }
    let four = u8::try_from((len - 7).min(15)).unwrap();
    if let Some(at) = half.take() {
        out[at] |= four << 4;
    } else {
        *half = Some(out.len());
        out.push(four);
    }
    if four == 15 {
        long_length(len, 7 + 15, out);
    }
}

/// The octets of a length of `short` or more.
fn long_length(len: usize, short: usize, out: &mut Vec<u8>) {
    match u8::try_from(len - short) {
        Ok(octet) if octet < 255 => out.push(octet),
        _ => {
            out.push(255);
            if let Ok(len) = u16::try_from(len) {
                out.extend(len.to_le_bytes());
            } else {
                out.extend([0, 0]);
                out.extend(u32::try_from(len).unwrap().to_le_bytes());
            }
        }
    }
}

/// \[MS-XCA\] 2.1 LZ77+Huffman Compression Algorithm Details
fn huffman(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut start = 0;
    while start < plain.len() {
        let end = plain.len().min(start + 65536);
        let tokens = tokens(&plain[..end], start, 65535);
        huffman_block(&tokens, end == plain.len(), &mut out);
        start = end;
    }
    out
}

fn huffman_block(tokens: &[Token], last: bool, out: &mut Vec<u8>) {
    let symbol = |token: &Token| match token {
        Token::Literal(octet) => usize::from(*octet),
        Token::Match { distance, len } => {
            256 + usize::try_from(distance.ilog2()).unwrap() * 16 + (len - 3).min(15)
        }
    };
    let mut count = [0usize; 512];
    for token in tokens {
        count[symbol(token)] += 1;
    }
    count[256] += usize::from(last);
    if count.iter().filter(|count| **count > 0).count() < 2 {
        // A code has at least two words.
        count[255] += 1;
        count[256] += 1;
    }
    let lengths = lengths(&count);
    out.extend((0..256).map(|n| lengths[2 * n] | lengths[2 * n + 1] << 4));
    let codes = codes(&lengths);
    let mut bits = Bits::new(out);
    for token in tokens {
        let symbol = symbol(token);
        bits.put(codes[symbol], lengths[symbol]);
        if let Token::Match { distance, len } = token {
            if len - 3 >= 15 {
                long_length(len - 3, 15, bits.out);
            }
            let n = distance.ilog2();
            let rest = u16::try_from(distance - (1 << n)).unwrap();
            bits.put(rest, u8::try_from(n).unwrap());
        }
    }
    if last {
        bits.put(codes[256], lengths[256]);
    }
    bits.end();
}

/// Lengths of a complete code: up to four short ones for the most frequent, the rest even.
fn lengths(count: &[usize; 512]) -> [u8; 512] {
    let mut used: Vec<usize> = (0..512).filter(|symbol| count[*symbol] > 0).collect();
    used.sort_by_key(|symbol| std::cmp::Reverse(count[*symbol]));
    let short = (used.len() - 2).min(4);
    let rest = used.len() - short;
    let depth = usize::try_from(rest.ilog2()).unwrap();
    let shallow = (2 << depth) - rest;
    let mut lengths = [0; 512];
    for (n, symbol) in used.into_iter().enumerate() {
        let len = if n < short { n + 1 } else { short + depth + usize::from(n - short >= shallow) };
        lengths[symbol] = u8::try_from(len).unwrap();
    }
    lengths
}

fn codes(lengths: &[u8; 512]) -> [u16; 512] {
    let mut codes = [0; 512];
    let mut next = 0u16;
    for len in 1..=15 {
        next <<= 1;
        for symbol in (0..512).filter(|symbol| lengths[*symbol] == len) {
            codes[symbol] = next;
            next += 1;
        }
    }
    codes
}

/// Words of 16 bits, of which there are always two to be filled.
struct Bits<'o> {
    out: &'o mut Vec<u8>,
    places: [usize; 2],
    word: u32,
    free: u32,
}

impl<'o> Bits<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        let at = out.len();
        out.extend([0; 4]);
        Self { out, places: [at, at + 2], word: 0, free: 16 }
    }

    fn put(&mut self, bits: u16, n: u8) {
        for n in (0..n).rev() {
            if self.free == 0 {
                self.write();
                self.places[1] = self.out.len();
                self.out.extend([0; 2]);
            }
            self.word = self.word << 1 | u32::from(bits >> n & 1);
            self.free -= 1;
        }
    }

    fn write(&mut self) {
        let word = u16::try_from(self.word << self.free).unwrap().to_le_bytes();
        self.out[self.places[0]..self.places[0] + 2].copy_from_slice(&word);
        self.places[0] = self.places[1];
        (self.word, self.free) = (0, 16);
    }

    fn end(mut self) {
        self.write();
    }
}
