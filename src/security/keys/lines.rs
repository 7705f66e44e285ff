//! Keys of SMB sessions as others write them, a session a line.
//!
//! - Wireshark's table `smb2_seskey_list`: `id,key,server to client,client to server`, in
//!   hexadecimal, any of the keys empty, each with quotes or without.
//! - what is made of Samba's `debug encryption = yes`: `SessionId=… SessionKey=… ServerInKey=…
//!   ServerOutKey=…`; what the server takes in is what the client sends.

use super::{MAX_SECRETS, SmbKey, SmbSecret, TOO_MANY, session_id, smb_key};

/// What is given of one session.
#[derive(Clone, Copy, Default)]
struct Given<'t> {
    id: &'t str,
    key: &'t str,
    client_to_server: &'t str,
    server_to_client: &'t str,
}

/// Whether the first line that says something is one of these.
pub(super) fn are_these(text: &str) -> bool {
    meaningful(text).next().is_some_and(|(_, line)| split(line).is_some())
}

/// The sessions of a text, or the line that is wrong and what was expected there.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<SmbKey>, (usize, &'static str)> {
    let mut found = Vec::new();
    for (n, line) in meaningful(text) {
        let given = split(line).ok_or((
            n,
            "expected `SessionId=… SessionKey=… ServerInKey=… ServerOutKey=…`, or Wireshark's \
             `id,key,server to client,client to server`",
        ))?;
        let id = session_id(given.id).ok_or((n, SESSION_ID))?;
        let key = |digits: &str| match digits {
            "" => Ok(None),
            digits => smb_key(digits).map(Some).ok_or((n, KEY)),
        };
        let (session, client_to_server, server_to_client) =
            (key(given.key)?, key(given.client_to_server)?, key(given.server_to_client)?);
        let from = || format!("{name}, line {n}");
        let before = found.len();
        if let Some(session) = session {
            let secret = SmbSecret::Session(session);
            found.push(SmbKey { session_id: id, secret, from: from() });
        }
        if client_to_server.is_some() || server_to_client.is_some() {
            let secret = SmbSecret::Directions { client_to_server, server_to_client };
            found.push(SmbKey { session_id: id, secret, from: from() });
        }
        if found.len() == before {
            return Err((n, "expected a key beside the session's id"));
        }
        if found.len() > MAX_SECRETS {
            return Err((n, TOO_MANY));
        }
    }
    Ok(found)
}

/// What the id of a session is to be.
pub(super) const SESSION_ID: &str = "expected the id of a session: 16 hexadecimal digits, behind \
                                     0x as vshark shows it, without it in the order of the wire \
                                     as Wireshark takes it";
/// What a key is to be.
pub(super) const KEY: &str = "expected a key of 32 or 64 hexadecimal digits";

/// The lines that say something, with their numbers, 1-based.
pub(super) fn meaningful(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(n, line)| (n.saturating_add(1), line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn split(line: &str) -> Option<Given<'_>> {
    if line.starts_with("SessionId=") {
        let mut given = Given::default();
        for part in line.split_whitespace() {
            let (name, value) = part.split_once('=')?;
            match name {
                "SessionId" => given.id = value,
                "SessionKey" => given.key = value,
                "ServerInKey" => given.client_to_server = value,
                "ServerOutKey" => given.server_to_client = value,
                // Signatures are checked with what follows from the session's key.
                _ => {}
            }
        }
        return Some(given);
    }
    let mut parts = line.split(',').map(|part| part.trim().trim_matches('"'));
    let given = Given {
        id: parts.next()?,
        key: parts.next()?,
        server_to_client: parts.next().unwrap_or_default(),
        client_to_server: parts.next().unwrap_or_default(),
    };
    let is_hex = |text: &str| text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let all = [given.id, given.key, given.server_to_client, given.client_to_server];
    (parts.next().is_none() && all.into_iter().all(is_hex)).then_some(given)
}
