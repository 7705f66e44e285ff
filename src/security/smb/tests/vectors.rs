//! What the algorithms' own specifications and NIST have published, through the functions that sign and
//! seal messages.

use super::super::Cipher;
use super::super::cipher::{open_body, seal_body};
use super::super::signature::{cmac, gmac};
use super::{secret, unhex};

#[test]
fn rfc_4493_signed() {
    let key = unhex("2b7e151628aed2a6abf7158809cf4f3c");
    let message = unhex(
        "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
    );
    for (len, right) in [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ] {
        let message = &message[..len];
        for at in 0..=len {
            // As a signature is made: over what is before its field, and what is behind.
            let (before, behind) = message.split_at(at);
            let made = cmac(&key, &[before, behind]);
            assert_eq!(made.as_ref().map(|mac| &mac[..]), Some(&*unhex(right)), "{len}, {at}");
        }
    }
    assert_eq!(cmac(&key[..15], &[]), None);
}

/// NIST CAVP, `gcmEncryptExtIV128.rsp` of CAVS 14.0: `IVlen` 96, `PTlen` 0, `Taglen` 128, and of
/// each `AADlen` of 128, 384 and 720 the one with `Count` 0.
#[test]
fn cavp_gmac() {
    for (key, nonce, message, right) in [
        (
            "77be63708971c4e240d1cb79e8d77feb",
            "e0e00f19fed7ba0136a797f3",
            "7a43ec1d9c0a5a78a0b16533a6213cab",
            "209fcc8d3675ed938e9c7166709dd946",
        ),
        (
            "99e3e8793e686e571d8285c564f75e2b",
            "c2dd0ab868da6aa8ad9c0d23",
            "b668e42d4e444ca8b23cfdd95a9fedd5178aa521144890b093733cf5cf22526c
             5917ee476541809ac6867a8c399309fc",
            "3f4fba100eaf1f34b0baadaae9995d85",
        ),
        (
            "20b5b6b854e187b058a84d57bc1538b6",
            "94c1935afc061cbf254b936f",
            "ca418e71dbf810038174eaa3719b3fcb80531c7110ad9192d105eeaafa15b819
             ac005668752b344ed1b22faf77048baf03dbddb3b47d6b00e95c4f005e0cc9b7
             627ccafd3f21b3312aa8d91d3fa0893fe5bff7d44ca46f23afe0",
            "b37286ebaf4a54e0ffc2a1deafc9f6db",
        ),
    ] {
        let (key, nonce, message) = (unhex(key), unhex(nonce), unhex(message));
        let made = gmac(&key, &nonce, &message);
        assert_eq!(made.as_ref().map(|mac| &mac[..]), Some(&*unhex(right)));
        assert_eq!(gmac(&key, &nonce[..11], &message), None);
        assert_eq!(gmac(&key[..15], &nonce, &message), None);
    }
}

/// A message, what is under its tag too, the message sealed, and the tag.
struct Sealed {
    cipher: Cipher,
    key: &'static str,
    nonce: &'static str,
    under: &'static str,
    clear: &'static str,
    ciphertext: &'static str,
    tag: &'static str,
}

/// NIST CAVP: `VNT128.rsp` and `VNT256.rsp` of CAVS 11.0, `Nlen` 11, `Tlen` 16, `Count` 40, where the
/// tag is the end of `CT`; `gcmEncryptExtIV128.rsp` (`AADlen` 160) and `gcmEncryptExtIV256.rsp`
/// (`AADlen` 384) of CAVS 14.0, `IVlen` 96, `PTlen` 408, `Taglen` 128, `Count` 0.
const CAVP: [Sealed; 4] = [
    Sealed {
        cipher: Cipher::Aes128Ccm,
        key: "e6ab9e70a4fb51b01c2e262233e64c0d",
        nonce: "74e689eb5af9441dd690a6",
        under: "42f6518ee0fbe42f28e13b4bb2eb60517b37c9744394d9143393a879c3e107c7",
        clear: "ba15916733550d7aa82b2f6b117cd3f54c83ddc16cd0288a",
        ciphertext: "dcc151443288f35d39ed8fae6f0ce1d1eb656f4f7fd65c0b",
        tag: "16f322ce85d7c54e71ac560fd4da9651",
    },
    Sealed {
        cipher: Cipher::Aes256Ccm,
        key: "97bc7482a87ba005475dfa3448f59d4b3f9c4c969d08b39b1b21ef965c0f5125",
        nonce: "0bcf78103ec52d6df28887",
        under: "049c10f0cb37ae08eae2d0766563b7c5a8454f841c2061a4f71a0a2158ae6ce5",
        clear: "b99bf4dc781795fc4d3a8467b06e1665d4e543657f23129f",
        ciphertext: "0d3891fa0caac1f7ebe41b480920ffd34d4155064c24f3b1",
        tag: "7a483163dd8f228d1f20cd4f86cf38fd",
    },
    Sealed {
        cipher: Cipher::Aes128Gcm,
        key: "fe47fcce5fc32665d2ae399e4eec72ba",
        nonce: "5adb9609dbaeb58cbd6e7275",
        under: "88319d6e1d3ffa5f987199166c8a9b56c2aeba5a",
        clear: "7c0e88c88899a779228465074797cd4c2e1498d259b54390b85e3eef1c02df60
                e743f1b840382c4bccaf3bafb4ca8429bea063",
        ciphertext: "98f4826f05a265e6dd2be82db241c0fbbbf9ffb1c173aa83964b7cf539304373
                 6365253ddbc5db8778371495da76d269e5db3e",
        tag: "291ef1982e4defedaa2249f898556b47",
    },
    Sealed {
        cipher: Cipher::Aes256Gcm,
        key: "463b412911767d57a0b33969e674ffe7845d313b88c6fe312f3d724be68e1fca",
        nonce: "611ce6f9a6880750de7da6cb",
        under: "0a682fbc6192e1b47a5e0868787ffdafe5a50cead3575849990cdd2ea9b35977
                49403efb4a56684f0c6bde352d4aeec5",
        clear: "e7d1dcf668e2876861940e012fe52a98dacbd78ab63c08842cc9801ea581682a
                d54af0c34d0d7f6f59e8ee0bf4900e0fd85042",
        ciphertext: "8886e196010cb3849d9c1a182abe1eeab0a5f3ca423c3669a4a8703c0f146e8e
                 956fb122e0d721b869d2b6fcd4216d7d4d3758",
        tag: "2469cecd70fd98fec9264f71df1aee9a",
    },
];

#[test]
fn cavp_sealed() {
    for vector in CAVP {
        let name = vector.cipher.name();
        let key = secret(vector.key);
        let [nonce, under, clear, sealed, tag] =
            [vector.nonce, vector.under, vector.clear, vector.ciphertext, vector.tag].map(unhex);
        let mut body = clear.clone();
        let made = seal_body(vector.cipher, &key, &nonce, &under, &mut body);
        assert_eq!((body, made), (sealed.clone(), Some(tag.clone())), "{name}");
        let mut body = sealed.clone();
        let opened = open_body(vector.cipher, &key, &nonce, &under, &mut body, &tag);
        assert_eq!((opened, body), (Some(()), clear), "{name}");
        // A nonce or a tag of another length.
        let mut body = sealed;
        let short = &nonce[..nonce.len() - 1];
        assert_eq!(open_body(vector.cipher, &key, short, &under, &mut body, &tag), None, "{name}");
        let short = &tag[..15];
        assert_eq!(
            open_body(vector.cipher, &key, &nonce, &under, &mut body, short),
            None,
            "{name}"
        );
    }
}
