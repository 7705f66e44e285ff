//! Kerberos messages (RFC 4120 5.5), and the tokens of RFC 4121: of the right shape around noise, or,
//! where the key of the service was told, what they should be.

use super::auth::{Names, OID_KERBEROS, der};
use super::octets::{Octets, noise};
use crate::bytes::clamp;
use crate::security::Secret;
use crate::security::krb::crypto::{Etype, Key, encrypt};
use crate::security::krb::usage;

/// aes256-cts-hmac-sha1-96
const ETYPE: &[u8] = &[18];

fn integer(n: &[u8]) -> Vec<u8> {
    der(2, &[n])
}

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    der(0xa0 | number, &[value])
}

/// `EncryptedData` that nobody can open.
fn encrypted(seed: u64, len: usize) -> Vec<u8> {
    data(ETYPE, &noise(seed, len))
}

/// `EncryptedData`
fn data(etype: &[u8], cipher: &[u8]) -> Vec<u8> {
    der(0x30, &[&field(0, &integer(etype)), &field(2, &der(4, &[cipher]))])
}

/// The number of an encryption type; those there are fit in seven bits.
fn etype(key: &Key) -> [u8; 1] {
    [u8::try_from(key.etype().0).unwrap_or_default()]
}

/// `EncryptedData` that this key opens.
fn sealed(key: &Key, usage: u32, seed: u64, plain: &[u8]) -> Vec<u8> {
    // RFC 4757 3: half as much.
    let confounder = noise(seed, if key.etype() == Etype::RC4 { 8 } else { 16 });
    data(&etype(key), &encrypt(key, usage, &confounder, plain).unwrap_or_default())
}

/// `EncryptionKey`
fn encryption_key(key: &Key) -> Vec<u8> {
    let octets = der(4, &[key.secret().octets()]);
    der(0x30, &[&field(0, &integer(&etype(key))), &field(1, &octets)])
}

/// The keys of a context, which its parties draw, all of the type of the service's.
struct Drawn {
    ticket: Key,
    initiator: Key,
    acceptor: Key,
}

impl Drawn {
    fn of(names: &Names) -> Option<Self> {
        let service = names.secrets.key.as_ref()?;
        let len = service.secret().octets().len();
        let draw = |n: u64| Key::new(service.etype(), Secret::new(noise(names.seed ^ n, len)));
        Some(Self { ticket: draw(0x21)?, initiator: draw(0x22)?, acceptor: draw(0x23)? })
    }
}

fn time(names: &Names) -> Vec<u8> {
    let time = names.time.timestamp().strftime("%Y%m%d%H%M%SZ").to_string();
    der(0x18, &[time.as_bytes()])
}

/// `PrincipalName` of the user (`NT-PRINCIPAL`).
fn client(names: &Names) -> Vec<u8> {
    der(0x30, &[&field(0, &integer(&[1])), &field(1, &der(0x30, &[&text(&names.user)]))])
}

/// RFC 4120 5.3 `EncTicketPart`
fn ticket_part(names: &Names, drawn: &Drawn) -> Vec<u8> {
    let transited = der(0x30, &[&field(0, &integer(&[0])), &field(1, &der(4, &[]))]);
    let fields = [
        // forwardable, renewable, pre-authent
        field(0, &der(3, &[&[0, 0x40, 0xa0, 0, 0]])),
        field(1, &encryption_key(&drawn.ticket)),
        field(2, &text(&realm(&names.domain))),
        field(3, &client(names)),
        field(4, &transited),
        field(5, &time(names)),
        field(7, &der(0x18, &[b"20370913024805Z"])),
    ];
    der(0x63, &[&der(0x30, &[&fields.concat()])])
}

/// RFC 4120 5.5.1 `Authenticator`, with the checksum of RFC 4121 4.1.1.
fn authenticator(names: &Names, drawn: &Drawn) -> Vec<u8> {
    // mutual, replay, sequence, confidentiality, integrity; DCE style (RFC 4757 7)
    let flags = Octets::new().u32(16).zeros(16).u32(0x103e).done();
    let checksum = [field(0, &integer(&[0, 0x80, 3])), field(1, &der(4, &[&flags]))];
    let fields = [
        field(0, &integer(&[5])),
        field(1, &text(&realm(&names.domain))),
        field(2, &client(names)),
        field(3, &der(0x30, &[&checksum.concat()])),
        field(4, &integer(&[0])),
        field(5, &time(names)),
        field(6, &encryption_key(&drawn.initiator)),
        field(7, &integer(&[0])),
    ];
    der(0x62, &[&der(0x30, &[&fields.concat()])])
}

/// RFC 4120 5.5.2 `EncAPRepPart`, of the server with its subkey.
fn ap_rep_part(names: &Names, subkey: Option<&Key>) -> Vec<u8> {
    let subkey = subkey.map(|key| field(2, &encryption_key(key))).unwrap_or_default();
    let fields =
        [field(0, &time(names)), field(1, &integer(&[0])), subkey, field(3, &integer(&[0]))];
    der(0x7b, &[&der(0x30, &[&fields.concat()])])
}

/// The realm of a domain.
fn realm(domain: &str) -> String {
    format!("{}.TEST", domain.to_uppercase())
}

fn text(text: &str) -> Vec<u8> {
    der(0x1b, &[text.as_bytes()])
}

/// `PrincipalName` of a service (`NT-SRV-INST`).
fn service(name: &str) -> Vec<u8> {
    let components: Vec<u8> = name.split('/').flat_map(text).collect();
    der(0x30, &[&field(0, &integer(&[2])), &field(1, &der(0x30, &[&components]))])
}

/// An AP-REQ in the token of RFC 4121 4.1, for the service `cifs` of the server.
pub(crate) fn ap_req(names: &Names) -> Vec<u8> {
    let (ticket, proof) = match (&names.secrets.key, Drawn::of(names)) {
        (Some(service), Some(drawn)) => {
            let part = ticket_part(names, &drawn);
            let ticket = sealed(service, usage::TICKET, names.seed ^ 0x11, &part);
            let part = authenticator(names, &drawn);
            let seal = usage::AP_REQ_AUTHENTICATOR;
            (ticket, sealed(&drawn.ticket, seal, names.seed ^ 0x12, &part))
        }
        _ => noisy(names),
    };
    let service = format!("cifs/{}", names.server.to_lowercase());
    let request = request(names, &service, &ticket, &proof);
    der(0x60, &[&der(6, &[OID_KERBEROS]), &[1, 0], &request])
}

/// What is sealed in a ticket and an authenticator, of a key that nobody has.
fn noisy(names: &Names) -> (Vec<u8>, Vec<u8>) {
    (encrypted(names.seed ^ 0x11, 900), encrypted(names.seed ^ 0x12, 180))
}

/// An AP-REQ for a service, with these sealed parts of ticket and authenticator.
fn request(names: &Names, name: &str, ticket: &[u8], proof: &[u8]) -> Vec<u8> {
    let ticket = der(
        0x61,
        &[&der(
            0x30,
            &[
                &field(0, &integer(&[5])),
                &field(1, &text(&realm(&names.domain))),
                &field(2, &service(name)),
                &field(3, ticket),
            ],
        )],
    );
    der(
        0x6e,
        &[&der(
            0x30,
            &[
                &field(0, &integer(&[5])),
                &field(1, &integer(&[14])),
                // mutual-required
                &field(2, &der(3, &[&[0, 0x20, 0, 0, 0]])),
                &field(3, &ticket),
                &field(4, proof),
            ],
        )],
    )
}

/// A TGS-REQ for a service (RFC 4120 5.4.1).
pub(crate) fn tgs_req(names: &Names, name: &str) -> Vec<u8> {
    let realm = realm(&names.domain);
    // PA-TGS-REQ is an AP-REQ for the ticket-granting service.
    let (ticket, proof) = noisy(names);
    let granting = request(names, &format!("krbtgt/{realm}"), &ticket, &proof);
    let proof = der(0x30, &[&field(1, &integer(&[1])), &field(2, &der(4, &[&granting]))]);
    let till = der(0x18, &[b"20370913024805Z"]);
    // A positive number of as many octets as it takes.
    let nonce = [&[0x40], noise(names.seed ^ 0x13, 3).as_slice()].concat();
    let types = der(0x30, &[&integer(ETYPE), &integer(&[17]), &integer(&[23])]);
    let body = der(
        0x30,
        &[
            // forwardable, renewable, canonicalize
            &field(0, &der(3, &[&[0, 0x40, 0x81, 0, 0]])),
            &field(2, &text(&realm)),
            &field(3, &service(name)),
            &field(5, &till),
            &field(7, &integer(&nonce)),
            &field(8, &types),
        ],
    );
    let parts = [
        field(1, &integer(&[5])),
        field(2, &integer(&[12])),
        field(3, &der(0x30, &[&proof])),
        field(4, &body),
    ];
    der(0x6c, &[&der(0x30, &[&parts.concat()])])
}

/// A KRB-ERROR about a service (RFC 4120 5.9.1).
pub(crate) fn error(names: &Names, name: &str, code: u8) -> Vec<u8> {
    let parts = [
        field(0, &integer(&[5])),
        field(1, &integer(&[30])),
        field(4, &time(names)),
        field(5, &integer(&[0])),
        field(6, &integer(&[code])),
        field(9, &text(&realm(&names.domain))),
        field(10, &service(name)),
    ];
    der(0x7e, &[&der(0x30, &[&parts.concat()])])
}

/// A service refuses the ticket it was given: a KRB-ERROR in the token of RFC 4121 4.1.
pub(crate) fn refusal(names: &Names, code: u8) -> Vec<u8> {
    let error = error(names, &format!("cifs/{}", names.server.to_lowercase()), code);
    der(0x60, &[&der(6, &[OID_KERBEROS]), &[3, 0], &error])
}

/// A message as TCP carries it (RFC 4120 7.2.2).
pub(crate) fn with_length(message: &[u8]) -> Vec<u8> {
    [&clamp(message.len()).to_be_bytes(), message].concat()
}

/// An AP-REP; both sides send one in the three-legged exchange that RPC uses.
pub(crate) fn ap_rep(names: &Names, leg: u64) -> Vec<u8> {
    /// The one that the client sends.
    const THIRD: u64 = 3;
    let part = match Drawn::of(names) {
        None => encrypted(names.seed ^ leg, 80),
        Some(Drawn { ticket, acceptor, .. }) => {
            let part = ap_rep_part(names, (leg != THIRD).then_some(&acceptor));
            sealed(&ticket, usage::AP_REP, names.seed ^ leg, &part)
        }
    };
    let parts = [field(0, &integer(&[5])), field(1, &integer(&[15])), field(2, &part)];
    der(0x6f, &[&der(0x30, &[&parts.concat()])])
}

/// RFC 4121 4.2.6.1: a MIC token.
pub(crate) fn mic(seed: u64, sequence: u32, from_server: bool) -> Vec<u8> {
    Octets::new()
        .bytes(&[4, 4, if from_server { 5 } else { 4 }, 0xff, 0xff, 0xff, 0xff, 0xff])
        .zeros(4)
        .bytes(&sequence.to_be_bytes())
        .bytes(&noise(seed, 12))
        .done()
}

/// RFC 4121 4.2.6.2: a wrap token, rotated as \[MS-KILE\] 3.4.5.4.1 has it in front of sealed data.
pub(crate) fn wrap(seed: u64, sequence: u32, from_server: bool) -> Vec<u8> {
    Octets::new()
        .bytes(&[5, 4, if from_server { 7 } else { 6 }, 0xff, 0, 16, 0, 28])
        .zeros(4)
        .bytes(&sequence.to_be_bytes())
        .bytes(&noise(seed, 60))
        .done()
}
