//! Encrypted messages, with keys in the ring: good, damaged, and in any pieces.

use std::sync::Arc;

use vshark::bytes::{Both, Missing, Side, Stream, View};
use vshark::security::Secret;
use vshark::security::keys::{Keyring, SmbKey, SmbSecret};
use vshark::security::smb::{Cipher, Derivation, seal};
use vshark::smb::{ConnectionId, Smb};

use super::{OnSmb, Script, ends, piece};

/// `SessionId` of what is sealed: that of the capture which the seeds are from.
const SESSION: u64 = 0x511f_933e;

/// What is in the ring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    /// The keys of both directions.
    Directions,
    /// The session key, from which those of 3.0 come.
    Session,
    /// Keys of another session.
    Wrong,
    /// The key of the client alone.
    Half,
}

/// An octet that says which cipher and which keys, and then for each message or event a control octet
/// and what it takes: a chunk behind its length.
pub(super) fn transform(data: &[u8]) {
    let mut script = Script(data);
    let Some(config) = script.u8() else { return };
    let given = [Given::Directions, Given::Session, Given::Wrong, Given::Half]
        [usize::from(config >> 2 & 3)];
    let mut cipher = Cipher::ALL[usize::from(config & 3)];
    let session_key = Secret::new((1..=16).collect());
    let keys = if given == Given::Session {
        cipher = Cipher::Aes128Ccm;
        Derivation::Fixed.cipher_keys(&session_key, cipher).expect("3.0 has ciphers")
    } else {
        let of = |octet: u8| Secret::new(vec![octet; cipher.key_len()]);
        Both { client: of(0xc1), server: of(0x5e) }
    };
    let other = Secret::new(vec![0; cipher.key_len()]);
    let (client, server) = match given {
        Given::Wrong => (Some(other.clone()), Some(other)),
        Given::Half => (Some(keys.client.clone()), None),
        _ => (Some(keys.client.clone()), Some(keys.server.clone())),
    };
    let secret = match given {
        Given::Session => SmbSecret::Session(session_key),
        _ => SmbSecret::Directions { client_to_server: client, server_to_client: server },
    };
    let mut ring = Keyring::default();
    ring.add_smb(SmbKey { session_id: SESSION, secret, from: "the input".to_owned() });
    let mut smb = Smb::default();
    smb.take_keys(Arc::new(ring));
    let (sealed, good) = play(script, &mut smb, cipher, &keys);
    let counters = smb.counters();
    assert!(counters.opened <= if given == Given::Wrong { 0 } else { good });
    assert!(counters.sealed_bad == 0 || counters.opened > 0, "only proven keys accuse");
    let rest = counters.opened + counters.sealed_bad + counters.sealed_bulk;
    let closed: u64 = smb.closed_sessions().map(|session| session.messages).sum();
    assert!(rest <= counters.sealed && closed <= counters.sealed);
    assert!(sealed || counters.opened == 0);
    assert!(smb.closed_sessions().all(|session| !session.need.needs.is_empty()));
}

/// Plays the script; tells whether anything was sealed, and how many good messages.
fn play(mut script: Script<'_>, smb: &mut Smb, cipher: Cipher, keys: &Both<Secret>) -> (bool, u64) {
    let mut streams: Vec<Both<Stream>> = (0..2).map(|_| Both::default()).collect();
    let mut good = 0;
    for frame in 1u64.. {
        let Some(control) = script.u8() else { break };
        let of = control & 1;
        let side = if control & 2 == 0 { Side::Client } else { Side::Server };
        let connection = ConnectionId(of.into());
        let stream = &mut streams[usize::from(of)][side];
        let mut layer = OnSmb { smb, connection, ends: ends(of), side, events: Vec::new() };
        let action = control >> 2 & 7;
        if action == 5 {
            let Some(len) = script.u16() else { break };
            stream.gap(len.into(), Missing::Lost, &mut layer);
            continue;
        }
        if action == 6 {
            smb.closed(connection, None, &mut Vec::new());
            streams[usize::from(of)] = Both::default();
            continue;
        }
        let damage = if action == 2 { script.u16().map(usize::from) } else { None };
        let Some(chunk) = script.chunk() else { break };
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&frame.to_le_bytes());
        let mut message = match action {
            3 | 4 => chunk.to_vec(),
            _ => seal(cipher, &keys[side], nonce, SESSION, chunk).expect("a chunk is short"),
        };
        good += u64::from(matches!(action, 0 | 1 | 7));
        if let Some(at) = damage {
            let at = at % message.len();
            message[at] ^= 0x10;
        }
        if action != 4 {
            let len = u32::try_from(message.len()).expect("a chunk is short");
            message.splice(0..0, len.to_be_bytes());
        }
        let step = match control >> 5 {
            0 => message.len().max(1),
            n => usize::from(n) * 13,
        };
        for part in message.chunks(step) {
            stream.feed(View::new(part, &[piece(part, frame)], &[]), &mut layer);
        }
    }
    (good > 0, good)
}
