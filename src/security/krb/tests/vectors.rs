//! RFC 3962 B, RFC 8009 A, RFC 4757 2, \[MS-KILE\] 4.4, and what implementations have sealed and
//! published.

use super::hex;
use crate::security::Secret;
use crate::security::krb::crypto::{Etype, Key, checksum, decrypt, encrypt, rounds, string_to_key};

fn key(etype: i32, digits: &str) -> Key {
    Key::new(Etype(etype), Secret::new(hex(digits))).expect("a key of its type")
}

/// Octets in clear, with this key under this usage, are those sealed ones and no others.
fn check(key: &Key, usage: u32, plain: &[u8], sealed: &str) {
    let sealed = hex(sealed);
    let opened = decrypt(key, usage, &sealed).expect("its checksum is right");
    assert_eq!(*opened, plain, "{} {plain:02x?}", key.etype());
    // A changed octet, a missing octet, another usage.
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 0x10;
        assert_eq!(decrypt(key, usage, &bad), None, "octet {at}");
        assert_eq!(decrypt(key, usage, &sealed[..at]), None, "{at} octets");
    }
    assert_eq!(decrypt(key, usage + 17, &sealed), None);
}

#[test]
fn rfc_8009_sealed() {
    let plain = hex("000102030405060708090A0B0C0D0E0F1011121314");
    let short = key(19, "3705D96080C17728A0E800EAB6E0D23C");
    let long = key(20, "6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52");
    let cases = [
        (
            &short,
            0,
            "7E5895EAF2672435BAD817F545A37148",
            "EF85FB890BB8472F4DAB20394DCA781D AD877EDA39D50C870C0D5A0A8E48C718",
        ),
        (
            &short,
            6,
            "7BCA285E2FD4130FB55B1A5C83BC5B24",
            "84D7F30754ED987BAB0BF3506BEB09CFB55402CEF7E6 877CE99E247E52D16ED4421DFDF8976C",
        ),
        (
            &short,
            16,
            "56AB21713FF62C0A1457200F6FA9948F",
            "3517D640F50DDC8AD3628722B3569D2AE07493FA8263254080EA65C1008E8FC2
          95FB4852E7D83E1E7C48C37EEBE6B0D3",
        ),
        (
            &short,
            21,
            "A7A4E29A4728CE10664FB64E49AD3FAC",
            "720F73B18D9859CD6CCB4346115CD336C70F58EDC0C4437C5573544C31C813BCE1E6D072C1
          86B39A413C2F92CA9B8334A287FFCBFC",
        ),
        (
            &long,
            0,
            "F764E9FA15C276478B2C7D0C4E5F58E4",
            "41F53FA5BFE7026D91FAF9BE959195A0 58707273A96A40F0A01960621AC612748B9BBFBE7EB4CE3C",
        ),
        (
            &long,
            6,
            "B80D3251C1F6471494256FFE712D0B9A",
            "4ED7B37C2BCAC8F74F23C1CF07E62BC7B75FB3F637B9
          F559C7F664F69EAB7B6092237526EA0D1F61CB20D69D10F2",
        ),
        (
            &long,
            16,
            "53BF8A0D105265D4E276428624CE5E63",
            "BC47FFEC7998EB91E8115CF8D19DAC4BBBE2E163E87DD37F49BECA92027764F6
          8CF51F14D798C2273F35DF574D1F932E40C4FF255B36A266",
        ),
        (
            &long,
            21,
            "763E65367E864F02F55153C7E3B58AF1",
            "40013E2DF58E8751957D2878BCD2D6FE101CCFD556CB1EAE79DB3C3EE86429F2B2A602AC86
          FEF6ECB647D6295FAE077A1FEB517508D2C16B4192E01F62",
        ),
    ];
    for (key, len, confounder, sealed) in cases {
        check(key, 2, &plain[..len], sealed);
        let again = encrypt(key, 2, &hex(confounder), &plain[..len]);
        assert_eq!(again, Some(hex(sealed)), "{} {len}", key.etype());
    }
    for (key, right) in [
        (&short, "D78367186643D67B411CBA9139FC1DEE"),
        (&long, "45EE791567EEFCA37F4AC1E0222DE80D43C3BFA06699672A"),
    ] {
        let (a, b) = plain.split_at(5);
        assert_eq!(checksum(key, 2, &[a, b]), Some(hex(right)));
    }
}

#[test]
fn rfc_8009_passwords() {
    let salt = [&hex("10DF9DD783E5BC8ACEA1730E74355F61")[..], b"ATHENA.MIT.EDUraeburn"].concat();
    for (etype, right) in [
        (19, "089BCA48B105EA6EA77CA5D2F39DC5E7"),
        (20, "45BD806DBF6A833A9CFFC1C94589A222367A79BC21C413718906E9F578A78467"),
    ] {
        for rounds in [None, Some(32_768)] {
            let made = string_to_key(Etype(etype), b"password", &salt, rounds);
            assert_eq!(made, Some(key(etype, right)));
        }
    }
}

#[test]
fn rfc_3962_passwords() {
    let salt = b"ATHENA.MIT.EDUraeburn";
    let other = hex("1234567878563412");
    let cases: [(u32, &[u8], &str, &str); 4] = [
        (
            1,
            salt,
            "42263c6e89f4fc28b8df68ee09799f15",
            "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161",
        ),
        (
            2,
            salt,
            "c651bf29e2300ac27fa469d693bdda13",
            "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff",
        ),
        (
            1200,
            salt,
            "4c01cd46d632d01e6dbe230a01ed642a",
            "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a",
        ),
        (
            5,
            &other,
            "e9b23d52273747dd5c35cb55be619d8e",
            "97a4e786be20d81a382d5ebc96d5909cabcdadc87ca48f574504159f16c36e31",
        ),
    ];
    for (rounds, salt, short, long) in cases {
        for (etype, right) in [(17, short), (18, long)] {
            let made = string_to_key(Etype(etype), b"password", salt, Some(rounds));
            assert_eq!(made, Some(key(etype, right)), "{rounds}");
        }
    }
    let x = [b'X'; 65];
    for (rounds, password, salt, short, long) in [
        (
            1200,
            &x[..64],
            &b"pass phrase equals block size"[..],
            "59d1bb789a828b1aa54ef9c2883f69ed",
            "89adee3608db8bc71f1bfbfe459486b05618b70cbae22092534e56c553ba4b34",
        ),
        (
            1200,
            &x,
            b"pass phrase exceeds block size",
            "cb8005dc5f90179a7f02104c0018751d",
            "d78c5c9cb872a8c9dad4697f0bb5b2d21496c82beb2caeda2112fceea057401b",
        ),
        (
            50,
            "\u{1d11e}".as_bytes(),
            b"EXAMPLE.COMpianist",
            "f149c1f2e154a73452d43e7fe62a56e5",
            "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e",
        ),
    ] {
        for (etype, right) in [(17, short), (18, long)] {
            let made = string_to_key(Etype(etype), password, salt, Some(rounds));
            assert_eq!(made, Some(key(etype, right)), "{rounds}");
        }
    }
    assert!(string_to_key(Etype::AES128, b"password", salt, Some(16_384)).is_some());
    for rounds in [0, 16_385, u32::MAX] {
        assert_eq!(string_to_key(Etype::AES128, b"password", salt, Some(rounds)), None);
    }
    assert_eq!(rounds(Etype::AES256_SHA384, Some(131_072)), Some(131_072));
    assert_eq!(rounds(Etype::AES256_SHA384, Some(131_073)), None);
    assert_eq!(rounds(Etype::RC4, None), None);
}

/// \[MS-KILE\] 4.4: a computer's password of 120 code units, which are no text at all.
#[test]
fn ms_kile_password() {
    let password = "\u{ffff}".repeat(120);
    let salt = b"DOMAIN.COMhostclient.domain.com";
    let made = string_to_key(Etype::AES128, password.as_bytes(), salt, Some(1000));
    assert_eq!(made, Some(key(17, "b82ee122531c2d94821ac755bccb5879")));
}

/// MIT Kerberos has published its checksums, `t_cksums.c`.
#[test]
fn signed_by_others() {
    for (etype, usage, plain, digits, right) in [
        (
            17,
            3,
            "eight nine ten eleven twelve thirteen",
            "9062430C8CDA3388922E6D6A509F5B7A",
            "01A4B088D45628F6946614E3",
        ),
        (
            18,
            4,
            "fourteen",
            "B1AE4CD8462AFF1677053CC9279AAC30 B796FB81CE21474DD3DDBCFEA4EC76D7",
            "E08739E3279E2903EC8E3836",
        ),
        (
            23,
            6,
            "seventeen eighteen nineteen twenty",
            "F7D3A155AF5E238A0B7A871A96BA2AB2",
            "EB38CC97E2230F59DA4117DC5859D7EC",
        ),
    ] {
        let key = key(etype, digits);
        for at in 0..=plain.len() {
            let (a, b) = plain.as_bytes().split_at(at);
            assert_eq!(checksum(&key, usage, &[a, b]), Some(hex(right)), "{etype} {at}");
        }
        assert_ne!(checksum(&key, usage + 17, &[plain.as_bytes()]), Some(hex(right)));
    }
}

/// MIT Kerberos has published what it seals, `t_decrypt.c`.
#[test]
fn sealed_by_others() {
    let cases: [(i32, u32, &str, &str, &str); 15] = [
        (
            23,
            1,
            "1",
            "67D1300D281223867F9647FF48721273",
            "6156E0CC04E0A0874F9FDA008F498A7A DBBC80B70B14DDDBC0",
        ),
        (
            23,
            2,
            "9 bytesss",
            "3E40AB6093695281B3AC1A9304224D98",
            "0F9AD121D99D4A09448E4F1F718C4F5C BE6096262C66F29DF232A87C9F98755D 55",
        ),
        (
            23,
            4,
            "30 bytes bytes bytes bytes byt",
            "68F263DB3FCE15D031C9EAB02D67107A",
            "95F9047C3AD75891C2E9B04B16566DC8 B6EB9CE4231AFB2542EF87A7B5A0F260
          A99F0460508DE0CECC632D07C354124E 46C5D2234EB8",
        ),
        (
            17,
            2,
            "9 bytesss",
            "9062430C8CDA3388922E6D6A509F5B7A",
            "68FB9679601F45C78857B2BF820FD6E5 3ECA8D42FD4B1D7024A09205ABB7CD2E C26C355D2F",
        ),
        (
            17,
            3,
            "13 bytes byte",
            "033EE6502C54FD23E27791E987983827",
            "EC366D0327A933BF49330E650E49BC6B 974637FE80BF532FE51795B4809718E6
          194724DB948D1FD637",
        ),
        (
            18,
            2,
            "9 bytesss",
            "B1AE4CD8462AFF1677053CC9279AAC30 B796FB81CE21474DD3DDBCFEA4EC76D7",
            "09957AA25FCAF88F7B39E4406E633012 D5FEA21853F6478DA7065CAEF41FD454 A40824EEC5",
        ),
        (
            18,
            3,
            "13 bytes byte",
            "E5A72BE9B7926C1225BAFEF9C1872E7B A4CDB2B17893D84ABD90ACDD8764D966",
            "D8F1AAFEEC84587CC3E700A774E56651 A6D693E174EC4473B5E6D96F80297A65
          3FB818AD893E719F96",
        ),
        (
            23,
            0,
            "",
            "F81FEC39255F5784E850C4377C88BD85",
            "02C1EB15586144122EC717763DD348BF 00434DDC6585954C",
        ),
        (
            23,
            3,
            "13 bytes byte",
            "4B A2 FB F0 37 9F AE D8 7A 25 4D 3B 35 3D 5A 7E",
            "612C57568B17A70352BAE8CF26FB9459 A6F3353CD35FD439DB3107CBEC765D32 6DFC04C1DD",
        ),
        (
            17,
            0,
            "",
            "5A5C0F0BA54F3828B2195E66CA24A289",
            "49FF8E11C173D9583A3254FBE7B1F1DF 36C538E8416784A1672E6676",
        ),
        (
            17,
            1,
            "1",
            "98450E3F3BAA13F5C99BEB936981B06F",
            "F86742F537B35DC2174A4DBAA920FAF9 042090B065E1EBB1CAD9A65394",
        ),
        (
            17,
            4,
            "30 bytes bytes bytes bytes byt",
            "DCEEB70B3DE76562E689226C76429148",
            "C96081032D5D8EEB7E32B4089F789D0F AA481DEA74C0F97CBF3146DDFCF8E800
          156ECB532FC203E30FF600B63B350939 FECE510F02D7FF1E7BAC",
        ),
        (
            18,
            0,
            "",
            "17F275F2954F2ED1F90C377BA7F4D6A3 69AA0136E0BF0C927AD6133C693759A9",
            "E5094C55EE7B38262E2B044280B06937 9A95BF95BD8376FB3281B435",
        ),
        (
            18,
            1,
            "1",
            "B9477E1FF0329C0050E20CE6C72D2DFF 27E8FE541AB0954429A9CB5B4F7B1E2A",
            "406150B97AEB76D43B36B62CC1ECDFBE 6F40E95755E0BEB5C27825F3A4",
        ),
        (
            18,
            4,
            "30 bytes bytes bytes bytes byt",
            "F1C795E9248A09338D82C3F8D5B56704 0B0110736845041347235B1404231398",
            "D1137A4D634CFECE924DBC3BF6790648 BD5CFF7DE0E7B99460211D0DAEF3D79A
          295C688858F3B34B9CBD6EEBAE81DAF6 B734D4D498B6714F1C1D",
        ),
    ];
    for (etype, usage, plain, digits, sealed) in cases {
        check(&key(etype, digits), usage, plain.as_bytes(), sealed);
    }
}

/// impacket's tests have the confounders of three of [`sealed_by_others`].
#[test]
fn sealed_again() {
    for (etype, usage, plain, digits, confounder, right) in [
        (
            17,
            2,
            "9 bytesss",
            "9062430C8CDA3388922E6D6A509F5B7A",
            "94B491F481485B9A0678CD3C4EA386AD",
            "68FB9679601F45C78857B2BF820FD6E5 3ECA8D42FD4B1D7024A09205ABB7CD2E C26C355D2F",
        ),
        (
            18,
            4,
            "30 bytes bytes bytes bytes byt",
            "F1C795E9248A09338D82C3F8D5B56704 0B0110736845041347235B1404231398",
            "E45CA518B42E266AD98E165E706FFB60",
            "D1137A4D634CFECE924DBC3BF6790648 BD5CFF7DE0E7B99460211D0DAEF3D79A
          295C688858F3B34B9CBD6EEBAE81DAF6 B734D4D498B6714F1C1D",
        ),
        (
            23,
            4,
            "30 bytes bytes bytes bytes byt",
            "68F263DB3FCE15D031C9EAB02D67107A",
            "37245E73A45FBF72",
            "95F9047C3AD75891C2E9B04B16566DC8 B6EB9CE4231AFB2542EF87A7B5A0F260
          A99F0460508DE0CECC632D07C354124E 46C5D2234EB8",
        ),
    ] {
        let made = encrypt(&key(etype, digits), usage, &hex(confounder), plain.as_bytes());
        assert_eq!(made, Some(hex(right)), "{etype}");
    }
}

/// \[MS-NLMP\] 4.2.2.1.2 has the hash of this password.
#[test]
fn the_key_of_rc4_is_the_nt_hash() {
    let right = hex("a4f49c406510bdcab6824ee7c30fd852");
    let made = string_to_key(Etype::RC4, b"Password", b"any salt", None).unwrap();
    assert_eq!(made.secret().octets(), right);
    // RFC 4757 2.
    let made = string_to_key(Etype::RC4, b"foo", b"bar", None);
    assert_eq!(made, Some(key(23, "AC8E657F83DF82BEEA5D43BDAF7800CC")));
    assert_eq!(string_to_key(Etype::RC4, &[0xff], b"", None), None, "not UTF-8");
}

#[test]
fn keys_are_of_their_type() {
    for (etype, len) in [(17, 16), (18, 32), (19, 16), (20, 32), (23, 16)] {
        for other in [0, 8, 16, 24, 32] {
            let made = Key::new(Etype(etype), Secret::new(vec![1; other]));
            assert_eq!(made.is_some(), other == len, "{etype} {other}");
        }
    }
    for etype in [1, 3, 16, 24, 25, 26] {
        assert!(Etype(etype).name().is_some(), "{etype} has a name");
        assert_eq!(Key::new(Etype(etype), Secret::new(vec![1; 16])), None);
    }
    assert_eq!(Etype(99).to_string(), "encryption type 99");
    assert_eq!(Etype::AES256.to_string(), "aes256-cts-hmac-sha1-96");
}

#[test]
fn sealing_and_opening() {
    for (etype, len) in [(17, 16), (18, 32), (19, 16), (20, 32), (23, 16)] {
        let key = Key::new(Etype(etype), Secret::new(vec![7; len])).unwrap();
        let confounder = vec![9; if etype == 23 { 8 } else { 16 }];
        for plain in [&b""[..], b"a", &[3; 16], &[4; 33]] {
            let sealed = encrypt(&key, 11, &confounder, plain).unwrap();
            assert_eq!(*decrypt(&key, 11, &sealed).unwrap(), plain);
        }
        assert_eq!(encrypt(&key, 11, &[1; 3], b"a"), None, "a confounder has its length");
    }
}
